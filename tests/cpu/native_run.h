// SPDX-License-Identifier: GPL-2.0-or-later
// Single instructions on the host's own processor, with every general register and all faults.
#pragma once

#include "tests/cpu/native_layout.h"

#include <array>
#include <span>

namespace rhea::x86 {

/// Before and after an instruction.
struct NativeState {
  std::array<u64, 16> gpr{};
  u64 rflags{2};
  u64 rip{};                 ///< where it lies in CS, then where it went on or faulted
  std::array<u16, 6> seg{};  ///< selectors; FS, the host's own, is ignored
};

struct NativeFault {
  bool happened{};
  u8 vector{};
  u32 error{};
  u64 cr2{};
  friend bool operator==(const NativeFault&, const NativeFault&) = default;
};

/// Whether segments are what the kernel has written into the processor's tables. Not so where the
/// kernel itself runs deprivileged (as PVM's guest): user space then has somebody else's tables,
/// interrupts clear segment registers, and far transfers lead nowhere.
bool host_has_own_segments();

/// Maps pages at fixed addresses below 4 GiB, makes an LDT and takes the signals of faults: one at
/// a time, in a process of its own.
class NativeRun {
 public:
  explicit NativeRun(NativeMode mode);
  NativeRun(const NativeRun&) = delete;
  NativeRun& operator=(const NativeRun&) = delete;

  /// Where in CS the next instruction will be placed.
  u64 next(bool branches) const;
  /// Puts an instruction down there and returns its offset in CS.
  u64 place(std::span<const u8> instruction, bool branches);
  /// Runs what lies at state.rip.
  NativeFault run(NativeState& state);
  u8* window() { return host_memory(kWindow); }

 private:
  NativeLayout layout_;
  u64 next_{};
};

}  // namespace rhea::x86
