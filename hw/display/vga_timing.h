// SPDX-License-Identifier: GPL-2.0-or-later
// Where the beam is: the retrace bits of the input status register.
#pragma once

#include "hw/display/vga_registers.h"

namespace rhea::hw {

/// How long the programmed mode takes for a line and a frame.
struct FrameTiming {
  i64 line_ns{}, line_shown_ns{};
  i64 lines{}, lines_shown{};
  i64 retrace_first{}, retrace_lines{};  ///< vertical retrace, in lines
  i64 frame_ns() const { return line_ns * lines; }
};
/// 640x400 at 70 Hz, for linear modes and for registers that nobody has programmed.
inline constexpr FrameTiming kUsualTiming{.line_ns = 31'778,
                                          .line_shown_ns = 25'422,
                                          .lines = 449,
                                          .lines_shown = 400,
                                          .retrace_first = 412,
                                          .retrace_lines = 2};
FrameTiming frame_timing(const VgaRegisters& regs);

/// Tells guests that poll slowly of a retrace that they would miss: one that began since the last
/// look is reported once, even if it is over.
struct RetraceStatus {
  i64 last_ns{};
  bool reported{};

  static void describe(StateFields<RetraceStatus>& s) {
    s.state("last", &RetraceStatus::last_ns);
    s.state("reported", &RetraceStatus::reported);
  }
  /// Bit 0: no picture is being shown; bit 3: vertical retrace.
  u8 read(const FrameTiming& timing, i64 now_ns);
};

}  // namespace rhea::hw
