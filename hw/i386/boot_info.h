// SPDX-License-Identifier: GPL-2.0-or-later
// The boot information that Multiboot and PVH kernels find in low memory. The option ROM
// (pc-bios/elfboot.asm) knows the constants, and fills in the memory map.
#pragma once

#include "hw/i386/boot_plan.h"
#include "hw/i386/table_writer.h"

namespace rhea::hw {

class BootInfo {
 public:
  static constexpr u32 kMapOffset = 0x80, kMapEntries = 128, kMapStride = 24;
  /// Below is the option ROM's own.
  static constexpr u32 kStart = 0x7200;
  /// The firmware's own data begins somewhere below 640 KiB.
  static constexpr u32 kEnd = 0x90000;

  explicit BootInfo(const BootPiece& kernel)
      : address_(kernel.address < MiB ? kBehindLowKernels : kUsual) {
    out_.zeroes(kMapOffset + kMapEntries * kMapStride);
  }

  u32 map() const { return address_ + kMapOffset; }
  /// Where what is appended next will be.
  u32 here() const { return address_ + static_cast<u32>(out_.size()); }
  /// Appends; returns the address.
  u32 text(std::string_view text) {
    const u32 at = here();
    out_.text(text, text.size() + 1);
    return at;
  }
  TableWriter& align() { return out_.zeroes((8 - out_.size() % 8) % 8); }
  void set(u32 offset, u64 value, unsigned bytes) { out_.patch(offset, value, bytes); }

  /// Checks that it neither grew too large nor is overwritten by the kernel.
  Result<BootPiece> finish(const BootPiece& kernel) && {
    const u32 end = here();
    if (end > kEnd) return fail("-append: {} characters of arguments do not fit", out_.size());
    const bool low = kernel.address >= kStart && kernel.address + u64{kernel.size} <= address_;
    if (kernel.address < MiB && !low)
      return fail("it wants to lie at {:#x}: only {:#x} to {:#x} and what is above 1 MiB is free",
                  kernel.address, kStart, address_);
    return BootPiece{
        .address = address_, .size = static_cast<u32>(out_.size()), .data = std::move(out_.data)};
  }

 private:
  static constexpr u32 kUsual = 0x9000, kBehindLowKernels = 0x70000;
  u32 address_;
  TableWriter out_;
};

}  // namespace rhea::hw
