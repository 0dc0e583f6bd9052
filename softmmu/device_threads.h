// SPDX-License-Identifier: GPL-2.0-or-later
// Whether devices serve their guest on threads of their own.
#pragma once

#include "rhea/softmmu/machine.h"

namespace rhea {

/// Settled before the board is built; main thread.
struct DeviceThreads final : MachineService {
  explicit DeviceThreads(Machine&) {}

  /// A processor that notifies a device goes on at once, and a thread does the work. Not where none
  /// will run, as on a test's machine, and not by -icount, where two runs are alike.
  bool wanted{false};
};

}  // namespace rhea
