// SPDX-License-Identifier: GPL-2.0-or-later
// -m, -mem-path and -mem-prealloc.
#pragma once

#include "rhea/softmmu/machine.h"
#include "rhea/util/keyval.h"

namespace rhea {

/// What of the memory was asked for, and not left to the board; main thread.
struct MemoryRequest final : MachineService {
  explicit MemoryRequest(Machine&) {}

  bool size_given{false};  ///< -m names a size

  /// What -m says, or -machine's memory.*: takes size, slots and the key for the most there may be.
  /// Sizes without a suffix are so many `unit`s.
  Result<> set(MachineConfig& config, KeyValues& values, std::string_view most_key, u64 unit);
};

}  // namespace rhea
