// SPDX-License-Identifier: GPL-2.0-or-later
// Where instructions, their memory and their segments lie, the same for the host and for us.
#pragma once

#include "target/x86/cpu_state.h"

#include <array>
#include <string_view>

namespace rhea::x86 {

/// What the host's processor is in: 64-bit mode, or compatibility mode with such code.
enum class NativeMode : u8 { Long, Code32, Code16 };
inline constexpr std::array kNativeModes{NativeMode::Long, NativeMode::Code32, NativeMode::Code16};

/// A descriptor by its selector. `limit` and `attributes` are the descriptor's own (CpuBench).
struct HostSegment {
  u16 selector{};
  u64 base{};
  u32 limit{};
  u16 attributes{};
  bool local() const { return (selector & 4) != 0; }
};

/// Two pages that can be written, one that can only be read, none before and behind them.
inline constexpr u64 kWindow = 0x1000'0000, kReadOnly = kWindow + 0x2000,
                     kWindowEnd = kWindow + 0x3000;
/// What else is mapped below 4 GiB: the code around instructions, and what it keeps.
inline constexpr u64 kStubs = 0x12f0'0000, kKeep = 0x1300'0000, kKeepEnd = kKeep + 0x1000;
/// This process's memory there.
inline u8* host_memory(u64 address) {
  return reinterpret_cast<u8*>(address);  // NOLINT(performance-no-int-to-ptr): mapped right there
}
/// Where the segments of compatibility mode start: 16-bit offsets reach all there is.
inline constexpr u64 kSegmentBase = kWindow - 0x4000;

// Linux's own flat segments.
inline constexpr u16 kHostCode32 = 0x23, kHostData = 0x2b, kHostCode64 = 0x33;
// The test's.
inline constexpr u16 kLocalCode16 = 0x07, kLocalCode32 = 0x0f, kLocalData16 = 0x17,
                     kLocalData32 = 0x1f, kLocalReadOnly = 0x27, kLocalExecuteOnly = 0x2f,
                     kLocalAbsent = 0x37, kLocalExpandDown = 0x3f;

/// The GDT below the TSS is Linux's, the LDT made by modify_ldt(2). All have been accessed.
inline constexpr std::array kHostSegments{
    HostSegment{0x08, 0, 0xf'ffff, 0xc09b},
    HostSegment{0x10, 0, 0xf'ffff, 0xa09b},
    HostSegment{0x18, 0, 0xf'ffff, 0xc093},
    HostSegment{kHostCode32, 0, 0xf'ffff, 0xc0fb},
    HostSegment{kHostData, 0, 0xf'ffff, 0xc0f3},
    HostSegment{kHostCode64, 0, 0xf'ffff, 0xa0fb},
    HostSegment{kLocalCode16, kSegmentBase, 0xffff, 0x10fb},
    HostSegment{kLocalCode32, kSegmentBase, 0xf'ffff, 0xd0fb},
    HostSegment{kLocalData16, kSegmentBase, 0xffff, 0x10f3},
    HostSegment{kLocalData32, kSegmentBase, 0xf'ffff, 0xd0f3},
    HostSegment{kLocalReadOnly, kSegmentBase, 0xf'ffff, 0xd0f1},
    HostSegment{kLocalExecuteOnly, kSegmentBase, 0xf'ffff, 0xd0f9},
    HostSegment{kLocalAbsent, kSegmentBase, 0xf'ffff, 0xd073},
    HostSegment{kLocalExpandDown, kSegmentBase, 0x4fff, 0x50f7},
};
/// The GDT goes on with what differs from host to host: no test looks at it.
inline constexpr u16 kForeignFirst = 0x40, kHostGdtLimit = 0x7f;
/// Its last segment, which only garbage selects, has the processor's number as its limit; ours
/// this.
inline constexpr u16 kProcessorNumber = 0x78, kProcessorNumberLimit = 0xbeef;

struct NativeLayout {
  std::string_view name;
  u8 code_bits{};
  u16 code_selector{};
  u64 base{};  ///< of the segments that instructions start with
  /// Instructions that fall through lie in `code`, those that may jump in the middle of the page
  /// `branch`, whose other bytes are INT3. Linear.
  u64 code{}, code_size{}, branch{};
};

constexpr NativeLayout layout(NativeMode mode) {
  constexpr u64 kNear = kSegmentBase + 0xa000, kNearSize = 0x4000;
  switch (mode) {
    case NativeMode::Code32:
      return {"32-bit", 32, kLocalCode32, kSegmentBase, kNear, kNearSize, kNear + kNearSize};
    case NativeMode::Code16:
      return {"16-bit", 16, kLocalCode16, kSegmentBase, kNear, kNearSize, kNear + kNearSize};
    default: return {"64-bit", 64, kHostCode64, 0, 0x1200'0000, 0x10'0000, 0x1210'0000};
  }
}

}  // namespace rhea::x86
