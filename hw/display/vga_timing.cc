// SPDX-License-Identifier: GPL-2.0-or-later
// Frame timing from the CRT controller's registers.
#include "hw/display/vga_timing.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr i64 kLeastLineNs = 5'000;
constexpr i64 kLeastLines = 60;

// The division rounds towards negative infinity.
i64 floor_div(i64 a, i64 b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

FrameTiming frame_timing(const VgaRegisters& regs) {
  const auto& cr = regs.crtc;
  const i64 hz = (regs.misc >> 2 & 3) == 1 ? 28'322'000 : 25'175'000;
  const i64 dots = (regs.seq[1] & 1) != 0 ? 8 : 9;
  const i64 char_dots = (regs.seq[1] & 8) != 0 ? dots * 2 : dots;
  const auto vertical = [&](unsigned low, unsigned bit8, unsigned bit9) {
    return i64{cr[low]} | (cr[7] >> bit8 & 1) << 8 | (cr[7] >> bit9 & 1) << 9;
  };
  FrameTiming t;
  t.line_ns = (cr[0] + 5) * char_dots * 1'000'000'000 / hz;
  t.line_shown_ns = (cr[1] + 1) * char_dots * 1'000'000'000 / hz;
  t.lines = vertical(0x06, 0, 5) + 2;
  t.lines_shown = vertical(0x12, 1, 6) + 1;
  t.retrace_first = vertical(0x10, 2, 7);
  t.retrace_lines = ((cr[0x11] - t.retrace_first - 1) & 15) + 1;
  const bool sane = t.line_ns >= kLeastLineNs && t.lines >= kLeastLines &&
                    t.retrace_first + t.retrace_lines <= t.lines;
  return sane ? t : kUsualTiming;
}

u8 RetraceStatus::read(const FrameTiming& t, i64 now_ns) {
  const i64 frame = t.frame_ns();
  const i64 in_frame = now_ns - floor_div(now_ns, frame) * frame;
  const i64 line = in_frame / t.line_ns;
  const bool live = line >= t.retrace_first && line < t.retrace_first + t.retrace_lines;
  const i64 first_ns = t.retrace_first * t.line_ns;
  last_ns = std::max<i64>(last_ns, 0);
  const bool missed = now_ns > last_ns &&
                      floor_div(now_ns - first_ns, frame) > floor_div(last_ns - first_ns, frame);
  const bool late = missed && !live && !reported;
  reported = late;
  last_ns = now_ns;
  const bool hidden = line >= t.lines_shown || in_frame % t.line_ns >= t.line_shown_ns;
  return static_cast<u8>((live || late ? 8 : 0) | (live || late || hidden ? 1 : 0));
}

}  // namespace rhea::hw
