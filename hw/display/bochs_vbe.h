// SPDX-License-Identifier: GPL-2.0-or-later
// The Bochs VBE extension ("dispi"): linear modes of any size up to 32 bits per pixel.
#pragma once

#include "rhea/qom/state.h"

#include <array>

namespace rhea::hw {

/// A linear mode after everything has been brought within video memory.
struct VbeMode {
  u32 width{}, height{};
  u32 bits{};  ///< 4, 8, 15, 16, 24, 32
  u64 line_bytes{};
  u64 start{};  ///< byte of video memory where the screen begins
  friend bool operator==(const VbeMode&, const VbeMode&) = default;
};

/// Register logic. Spec: "VBE Display API" in Bochs' iodev/display documentation, ID up to 0xb0c5.
class BochsVbe {
 public:
  enum Register : u16 {
    Id,
    XRes,
    YRes,
    Bpp,
    Enable,
    Bank,
    VirtWidth,
    VirtHeight,
    XOffset,
    YOffset,
    VideoMemory64K,
    kRegisters
  };
  static constexpr u16 kEnabled = 0x01, kGetCaps = 0x02, k8BitDac = 0x20, kLinear = 0x40,
                       kNoClear = 0x80;

  static void describe(StateFields<BochsVbe>& s);

  void init(u32 memory_bytes) { memory_bytes_ = memory_bytes; }
  void reset();

  u16 index() const { return index_; }
  void select(u16 index) { index_ = index; }
  u16 read(u16 index) const;
  u16 read() const { return read(index_); }

  struct Effects {
    bool remap{false};  ///< enabled, disabled or another bank: the window shows something else
    bool clear{false};  ///< the guest asked for a black screen
  };
  Effects write(u16 index, u16 value);
  Effects write(u16 value) { return write(index_, value); }

  bool enabled() const { return (regs_[Enable] & kEnabled) != 0; }
  bool dac_8bit() const { return (regs_[Enable] & k8BitDac) != 0; }
  bool planar() const { return enabled() && regs_[Bpp] == 4; }
  /// Bytes for packed modes, units for planar ones.
  u32 bank_offset() const { return enabled() ? u32{regs_[Bank]} << 16 : 0; }
  const VbeMode& mode() const { return mode_; }
  /// Brings loaded registers within limits.
  void post_load() { clip(); }

 private:
  Effects enable(u16 value);
  void clip();

  u32 memory_bytes_{};
  u16 index_{};
  std::array<u16, kRegisters> regs_{};
  VbeMode mode_;
};

}  // namespace rhea::hw
