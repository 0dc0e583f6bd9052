// SPDX-License-Identifier: GPL-2.0-or-later
// -seed: random numbers that are the same in every run.
#pragma once

#include "rhea/softmmu/machine.h"

#include <optional>

namespace rhea {

/// Where the guest's random numbers come from; main thread, before the processors are made.
struct GuestRandom final : MachineService {
  explicit GuestRandom(Machine&) {}

  std::optional<u64> seed;  ///< nothing: the host's entropy
};

}  // namespace rhea
