// SPDX-License-Identifier: GPL-2.0-or-later
// Single instructions on the host's own processor, with every general register and all faults.
#pragma once

#include "rhea/util/types.h"

#include <array>
#include <span>

namespace rhea::x86 {

/// Before and after an instruction.
struct NativeState {
  std::array<u64, 16> gpr{};
  u64 rflags{2};
  u64 rip{};  ///< where it lies, then where it went on or faulted
};

struct NativeFault {
  bool happened{};
  u8 vector{};
  u32 error{};
  u64 cr2{};
  friend bool operator==(const NativeFault&, const NativeFault&) = default;
};

/// Maps pages at fixed addresses below 4 GiB and takes the signals of faults: one at a time, in a
/// process of its own.
class NativeRun {
 public:
  /// Two pages that can be written, one that can only be read, none before and behind them.
  static constexpr u64 kWindow = 0x1000'0000, kReadOnly = kWindow + 0x2000,
                       kWindowEnd = kWindow + 0x3000;
  /// Instructions that fall through lie in kCode, those that may jump in the middle of kBranch,
  /// whose other bytes are INT3.
  static constexpr u64 kCode = 0x1200'0000, kCodeSize = 0x10'0000, kBranch = 0x1210'0000;

  NativeRun();
  NativeRun(const NativeRun&) = delete;
  NativeRun& operator=(const NativeRun&) = delete;

  /// Where the next instruction will be placed.
  u64 next(bool branches) const;
  /// Puts an instruction down there and returns its address.
  u64 place(std::span<const u8> instruction, bool branches);
  /// Runs what lies at state.rip.
  NativeFault run(NativeState& state);
  u8* window() { return reinterpret_cast<u8*>(kWindow); }

 private:
  u64 next_{};
};

}  // namespace rhea::x86
