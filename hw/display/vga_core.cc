// SPDX-License-Identifier: GPL-2.0-or-later
// The VGA's wiring: ports, window, video memory.
#include "hw/display/vga_core.h"

#include "hw/display/trace_events.h"
#include "rhea/softmmu/machine.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr u32 kTextBytes = 0x8000;
constexpr u32 kWindowAddress = 0xa0000, kWindowBytes = 0x20000;
constexpr u16 kFirstPort = 0x3b0, kPorts = 0x30;
constexpr u16 kVbePort = 0x1ce;

/// Which of the ports answer; between them are the parallel port's and others'.
struct PortRange {
  u16 first, count;
};
constexpr std::array<PortRange, 5> kPortRanges = {
    {{0x3b4, 2}, {0x3ba, 1}, {0x3c0, 16}, {0x3d4, 2}, {0x3da, 1}}};

// Writes to these change nothing that the guest sees before its next read.
constexpr std::array<PortRange, 5> kLatePorts = {
    {{0x3b4, 2}, {0x3c0, 1}, {0x3c2, 1}, {0x3c6, 4}, {0x3d4, 2}}};
// These change what the window shows: late only while the window's accesses come in order with
// them.
constexpr std::array<PortRange, 2> kWindowPorts = {{{0x3c4, 2}, {0x3ce, 2}}};

}  // namespace

void VgaCore::describe(StateFields<VgaCore>& s) {
  s.state("registers", &VgaCore::regs_);
  s.state("access", &VgaCore::access_);
  s.state("vbe", &VgaCore::vbe_);
  s.state("retrace", &VgaCore::retrace_);
}

Result<> VgaCore::realize(Device& owner, Region& memory, Region& io, u32 memory_bytes) {
  owner_ = &owner;
  memory_bytes_ = memory_bytes;
  vbe_.init(memory_bytes);
  make_plain_.init(owner.machine(), [this] { make_plain(); });
  TRY(make_memory());
  const Transaction transaction(owner.machine().map());
  make_ports(io);
  make_window(memory);
  console_ = &owner.machine().service<Consoles>().add(*this);
  owner.on_unrealize([this] {
    owner_->machine().service<Consoles>().remove(*console_);
    console_ = nullptr;
  });
  return {};
}

Result<> VgaCore::make_memory() {
  std::shared_ptr<RamBlock> block =
      TRY(RamBlock::create(owner_->path() + "/vga.vram", memory_bytes_ + kTextBytes, {}));
  vram_.init_ram_shared(owner_, "vga.vram", std::move(block));
  framebuffer_.init_alias(owner_, "vga.framebuffer", vram_, 0, memory_bytes_);
  return {};
}

void VgaCore::make_ports(Region& io) {
  ports_.init_io(owner_, "vga", kPorts,
                 rhea::io<&VgaCore::port_read, &VgaCore::port_write>(
                     {.min = 1, .max = 4, .unaligned = true}, {.min = 1, .max = 1}),
                 this);
  for (std::size_t i = 0; i < kPortRanges.size(); ++i) {
    const PortRange& range = kPortRanges[i];
    port_windows_[i].init_alias(owner_, "vga", ports_, range.first - kFirstPort, range.count);
    io.add(range.first, port_windows_[i]);
  }
  const AccessSizes words{.min = 2, .max = 2, .unaligned = true};
  vbe_ports_.init_io(owner_, "vbe", 4,
                     rhea::io<&VgaCore::dispi_read, &VgaCore::dispi_write>(words, words), this);
  io.add(kVbePort, vbe_ports_);
}

void VgaCore::make_window(Region& memory) {
  window_.init_container(owner_, "vga-lowmem", kWindowBytes);
  const AccessSizes any{.min = 1, .max = 8, .unaligned = true};
  window_io_.init_io(owner_, "vga-planes", kWindowBytes,
                     rhea::io<&VgaCore::window_read, &VgaCore::window_write>(any, any), this);
  window_io_.set_coalesced(0, kWindowBytes);
  window_packed_.init_alias(owner_, "vga-chain4", vram_, 0, 0x10000);
  window_packed_.set_enabled(false);
  window_text_.init_alias(owner_, "vga-text", vram_, memory_bytes_, kTextBytes);
  window_text_.set_enabled(false);
  window_.add(0, window_io_);
  window_.add(0, window_packed_, 1);
  window_.add(0, window_text_, 1);
  memory.add(kWindowAddress, window_, 1);
  plain_ = {};
  set_coalescing();
}

void VgaCore::reset() {
  if (plain_.kind == PlainWindow::Text) planes_from_text();
  regs_.reset();
  vbe_.reset();
  access_ = {};
  retrace_ = {};
  show_plain(wanted_plain());
}

void VgaCore::post_load() {
  vbe_.post_load();
  // The text window's memory comes with the rest of video memory.
  show_plain(wanted_plain());
  drawn_ = false;
}

u64 VgaCore::port_read(u64 offset, unsigned) {
  return read_port(static_cast<u16>(kFirstPort + offset));
}
void VgaCore::port_write(u64 offset, u64 value, unsigned) {
  write_port(static_cast<u16>(kFirstPort + offset), static_cast<u8>(value));
}

u8 VgaCore::read_port(u16 port) {
  const bool status = port == (regs_.color() ? 0x3da : 0x3ba);
  u8 value = regs_.read(port);
  if (status) {
    const FrameTiming timing = vbe_.enabled() ? kUsualTiming : frame_timing(regs_);
    value |= retrace_.read(timing, owner_->machine().virtual_clock().now_ns());
  }
  vga_port_read(*owner_, port, value);
  return value;
}

void VgaCore::write_port(u16 port, u8 value) {
  vga_port_write(*owner_, port, value);
  regs_.write(port, value);
  if (port == 0x3c5 || port == 0x3cf) update_plain();
}

// The index port, and the data port at an odd and an even address.
u64 VgaCore::dispi_read(u64 offset, unsigned) {
  return offset == 0 ? vbe_.index() : read_vbe(vbe_.index());
}
void VgaCore::dispi_write(u64 offset, u64 value, unsigned) {
  if (offset == 0)
    vbe_.select(static_cast<u16>(value));
  else
    write_vbe(vbe_.index(), static_cast<u16>(value));
}

u16 VgaCore::read_vbe(u16 index) {
  const u16 value = vbe_.read(index);
  vga_vbe_read(*owner_, index, value);
  return value;
}

void VgaCore::write_vbe(u16 index, u16 value) {
  vga_vbe_write(*owner_, index, value);
  const auto effects = vbe_.write(index, value);
  regs_.dac_8bit = vbe_.dac_8bit();
  if (effects.remap) update_plain();
  if (!effects.clear) return;
  const u64 shown = vbe_.mode().line_bytes * vbe_.mode().height;
  std::fill_n(vram_.host(), shown, u8{0});
  vram_.ram()->mark_dirty(0, shown);
}

u64 VgaCore::window_read(u64 offset, unsigned size) {
  const VgaWindow window = vga_window(regs_);
  const VideoMemory memory = planes();
  u64 value = 0;
  for (unsigned i = 0; i < size; ++i) {
    const u64 address = offset + i - window.base;
    const u8 byte =
        address < window.size ? access_.read(regs_, memory, static_cast<u32>(address)) : 0xff;
    value |= static_cast<u64>(byte) << (8 * i);
  }
  return value;
}

void VgaCore::window_write(u64 offset, u64 value, unsigned size) {
  const VgaWindow window = vga_window(regs_);
  const VideoMemory memory = planes();
  for (unsigned i = 0; i < size; ++i) {
    const u64 address = offset + i - window.base;
    if (address >= window.size) continue;
    const u32 unit =
        access_.write(regs_, memory, static_cast<u32>(address), static_cast<u8>(value >> (8 * i)));
    vram_.ram()->mark_dirty(u64{unit} * 4, 4);
  }
}

// The VGA's own modes wrap at 256 KiB.
VideoMemory VgaCore::planes() const {
  const u32 units = vbe_.enabled() ? memory_bytes_ / 4 : 0x10000;
  return {.bytes = vram_.host(), .unit_mask = units - 1, .bank = vbe_.bank_offset()};
}

ScreenMemory VgaCore::screen_memory() const {
  ScreenMemory memory{.bytes = vram_.host(), .size = memory_bytes_, .text = {}};
  if (plain_.kind == PlainWindow::Text) memory.text = {vram_.host() + memory_bytes_, kTextBytes};
  return memory;
}

VgaCore::Plain VgaCore::wanted_plain() const {
  Plain wanted{
      .kind = plain_window(regs_), .window = vga_window(regs_), .bank = vbe_.bank_offset()};
  if (vbe_.enabled()) wanted.kind = vbe_.planar() ? PlainWindow::No : PlainWindow::Packed;
  return wanted.kind == PlainWindow::No ? Plain{} : wanted;
}

void VgaCore::update_plain() {
  if (wanted_plain() != plain_) make_plain_.post();
}

void VgaCore::make_plain() {
  const DomainGuard guard(&domain_);
  const Plain wanted = wanted_plain();
  if (wanted == plain_) return;
  const bool was_text = plain_.kind == PlainWindow::Text;
  const bool is_text = wanted.kind == PlainWindow::Text;
  if (was_text && !is_text) planes_from_text();
  if (is_text && !was_text) text_from_planes();
  show_plain(wanted);
}

void VgaCore::show_plain(const Plain& wanted) {
  if (wanted == plain_) return;
  vga_window_kind(*owner_, static_cast<int>(wanted.kind));
  const Transaction transaction(owner_->machine().map());
  window_packed_.set_enabled(false);
  window_text_.set_enabled(false);
  if (wanted.kind == PlainWindow::Packed) {
    window_packed_.set_alias_offset(wanted.bank);
    window_packed_.set_address(wanted.window.base);
    window_packed_.set_size(std::min(wanted.window.size, memory_bytes_ - wanted.bank));
    window_packed_.set_enabled(true);
  } else if (wanted.kind == PlainWindow::Text) {
    window_text_.set_address(wanted.window.base);
    window_text_.set_enabled(true);
  }
  plain_ = wanted;
  set_coalescing();
}

void VgaCore::set_coalescing() {
  ports_.clear_coalesced();
  const auto add = [this](const PortRange& range) {
    ports_.set_coalesced(range.first - kFirstPort, range.count);
  };
  for (const PortRange& range : kLatePorts) add(range);
  if (plain_.kind != PlainWindow::No) return;
  for (const PortRange& range : kWindowPorts) add(range);
}

void VgaCore::text_from_planes() {
  const u8* planes = vram_.host();
  u8* text = vram_.host() + memory_bytes_;
  for (u32 i = 0; i < kTextBytes; ++i) text[i] = planes[i / 2 * 4 + i % 2];
  vram_.ram()->mark_dirty(memory_bytes_, kTextBytes);
}

void VgaCore::planes_from_text() {
  u8* planes = vram_.host();
  const u8* text = vram_.host() + memory_bytes_;
  for (u32 i = 0; i < kTextBytes; ++i) planes[i / 2 * 4 + i % 2] = text[i];
  vram_.ram()->mark_dirty(0, u64{kTextBytes} * 2);
}

}  // namespace rhea::hw
