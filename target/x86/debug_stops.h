// SPDX-License-Identifier: GPL-2.0-or-later
// Where a debugger outside the guest wants a processor to stop, and why it has. All addresses are
// linear.
#pragma once

#include "rhea/util/types.h"

#include <vector>

namespace rhea::x86 {

/// An access to any of these bytes; the processor stops behind the instruction that made it.
struct WatchedRange {
  u64 first{}, last{};
  bool reads{}, writes{};
  friend bool operator==(const WatchedRange&, const WatchedRange&) = default;
};

/// The guest sees nothing of these: its own debug registers are another thing.
struct DebugStops {
  std::vector<u64> code{};  ///< an instruction that begins here is not begun
  std::vector<WatchedRange> watches{};
  bool empty() const { return code.empty() && watches.empty(); }
};

/// Why a processor stopped for the debugger. The machine is then paused, or about to be
/// (RunState::Debug).
struct DebugStop {
  enum class Why : u8 {
    Step,   ///< an instruction is done, or an event has been delivered
    Code,   ///< DebugStops::code
    Watch,  ///< DebugStops::watches
  };
  Why why{Why::Step};
  u64 address{};         ///< Code: of the instruction; Watch: of the first watched byte accessed
  WatchedRange watch{};  ///< Watch: which of them
};

}  // namespace rhea::x86
