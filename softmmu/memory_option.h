// SPDX-License-Identifier: GPL-2.0-or-later
// -m, -mem-path and -mem-prealloc.
#pragma once

#include "rhea/softmmu/machine.h"

namespace rhea {

/// What of the memory was asked for, and not left to the board; main thread.
struct MemoryRequest final : MachineService {
  explicit MemoryRequest(Machine&) {}

  bool size_given{false};  ///< -m names a size
};

}  // namespace rhea
