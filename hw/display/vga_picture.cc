// SPDX-License-Identifier: GPL-2.0-or-later
// The VGA's picture: which renderer draws, and when all must be drawn again.
#include "hw/display/trace_events.h"
#include "hw/display/vga_core.h"
#include "rhea/softmmu/machine.h"

#include <algorithm>

namespace rhea::hw {
namespace {

void draw_black(Console& console) {
  const Canvas canvas(console.surface());
  for (int y = 0; y < canvas.height; ++y) std::ranges::fill(canvas.row(y), 0u);
  console.update({.x = 0, .y = 0, .width = canvas.width, .height = canvas.height});
}

}  // namespace

// Gives the surface the mode's size; false when there is no memory for it.
bool VgaCore::prepare(const ScreenMode& mode, bool full) {
  const auto fits = [&] {
    return console_->width() == mode.width && console_->height() == mode.height;
  };
  if (!fits()) {
    vga_mode(*owner_, static_cast<int>(mode.kind), mode.width, mode.height);
    console_->resize(mode.width, mode.height);
  }
  if (full) vram_.set_log(DirtyClient::Display, mode.kind == ScreenMode::Kind::Linear);
  return fits();
}

std::vector<u64> VgaCore::take_dirty_pages() {
  AddressSpace& memory = owner_->machine().memory();
  memory.sync_dirty();
  return memory.take_dirty(vram_, DirtyClient::Display, 0, memory_bytes_ / kPageSize);
}

void VgaCore::refresh(bool full) {
  owner_->machine().memory().flush_coalesced();
  const DomainGuard guard(&domain_);
  const ScreenMode mode = screen_mode(regs_, vbe_);
  const Palette palette = screen_palette(regs_);
  full |= !drawn_ || mode != drawn_mode_ || palette != drawn_palette_;
  drawn_mode_ = mode;
  drawn_palette_ = palette;
  drawn_ = true;
  if (mode.kind == ScreenMode::Kind::Blank) {
    if (full) draw_black(*console_);
    return;
  }
  if (!prepare(mode, full)) {
    drawn_ = false;
    return;
  }
  const ScreenMemory memory = screen_memory();
  if (mode.kind == ScreenMode::Kind::Linear) {
    const std::vector<u64> dirty = take_dirty_pages();
    draw_linear(*console_, mode, palette, memory, dirty, full);
  } else if (mode.kind == ScreenMode::Kind::Text) {
    text_renderer_.draw(*console_,
                        {.mode = mode,
                         .palette = palette,
                         .regs = regs_,
                         .memory = memory,
                         .now_ns = owner_->machine().virtual_clock().now_ns()},
                        full);
  } else {
    plane_renderer_.draw(*console_, mode, palette, memory, full);
  }
}

TextScreen VgaCore::text() {
  owner_->machine().memory().flush_coalesced();
  const DomainGuard guard(&domain_);
  return text_screen(screen_mode(regs_, vbe_), regs_, screen_memory());
}

}  // namespace rhea::hw
