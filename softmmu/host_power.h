// SPDX-License-Identifier: GPL-2.0-or-later
// -overcommit cpu-pm: who decides how deep the host's processors sleep.
#pragma once

#include "rhea/softmmu/machine.h"

namespace rhea {

/// Read by accelerators that have the guest's code on the host's processors.
struct HostPower final : MachineService {
  explicit HostPower(Machine&) {}

  bool guest_decides{false};  ///< HLT, MWAIT and PAUSE do not leave the guest
};

}  // namespace rhea
