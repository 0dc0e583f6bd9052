// SPDX-License-Identifier: GPL-2.0-or-later
// The VGA as every card with one has it: ports, the window below 1 MiB, video memory, the picture.
#pragma once

#include "hw/display/vga_graphics.h"
#include "hw/display/vga_memory.h"
#include "hw/display/vga_text.h"
#include "hw/display/vga_timing.h"
#include "rhea/qom/device.h"
#include "rhea/softmmu/posted.h"
#include "rhea/softmmu/region.h"
#include "rhea/util/lock.h"

#include <array>

namespace rhea::hw {

/// IBM VGA with Bochs VBE.
///
/// State: registers, latches, DAC, dispi registers; video memory is a RAM block.
/// Missing: the border (overscan), interlacing, the counting of addresses by two and four clocks,
/// interrupts at the vertical retrace. Chained modes leave no gaps in the planes, see VideoMemory.
///
/// In text modes the window at 0xb8000 is plain memory of its own (so that the guest's reads and
/// writes cost nothing); its contents move to planes 0 and 1 when the guest leaves the mode.
class VgaCore final : public DisplaySource {
 public:
  static void describe(StateFields<VgaCore>& s);

  /// The lock of all the card's handlers: its owner's, before realize().
  LockDomain& domain() { return domain_; }
  /// Maps the legacy ports and window. `memory_bytes` is a power of two, at least 1 MiB.
  Result<> realize(Device& owner, Region& memory, Region& io, u32 memory_bytes);
  void reset();
  void post_load();

  /// Video memory as a linear frame buffer.
  Region& framebuffer() { return framebuffer_; }
  u8 read_port(u16 port);
  void write_port(u16 port, u8 value);
  u16 read_vbe(u16 index);
  void write_vbe(u16 index, u16 value);

  void refresh(bool full) override;
  TextScreen text() override;

 private:
  /// What the window shows besides the graphics controller.
  struct Plain {
    PlainWindow kind{};
    VgaWindow window;
    u32 bank{};
    friend bool operator==(const Plain&, const Plain&) = default;
  };

  Result<> make_memory();
  void make_ports(Region& io);
  void make_window(Region& memory);
  u64 port_read(u64 offset, unsigned size);
  void port_write(u64 offset, u64 value, unsigned size);
  u64 dispi_read(u64 offset, unsigned size);
  void dispi_write(u64 offset, u64 value, unsigned size);
  u64 window_read(u64 offset, unsigned size);
  void window_write(u64 offset, u64 value, unsigned size);

  VideoMemory planes() const;
  ScreenMemory screen_memory() const;
  Plain wanted_plain() const;
  void update_plain();
  void make_plain();
  void show_plain(const Plain& wanted);
  void set_coalescing();
  void text_from_planes();
  void planes_from_text();
  bool prepare(const ScreenMode& mode, bool full);
  std::vector<u64> take_dirty_pages();

  LockDomain domain_{LockDomain::Kind::Device};
  Device* owner_{};
  Console* console_{};
  u32 memory_bytes_{};

  VgaRegisters regs_;
  VgaMemoryAccess access_;
  BochsVbe vbe_;
  RetraceStatus retrace_;

  Region vram_;  ///< planes, and behind them the text window
  Region framebuffer_;
  Region window_, window_io_, window_packed_, window_text_;
  Region ports_, vbe_ports_;
  std::array<Region, 5> port_windows_;
  Plain plain_;        ///< changed under both locks
  Posted make_plain_;  ///< the map changes under the machine's

  ScreenMode drawn_mode_;
  Palette drawn_palette_;
  bool drawn_{false};
  TextRenderer text_renderer_;
  PlaneRenderer plane_renderer_;
};

}  // namespace rhea::hw
