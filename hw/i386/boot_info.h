// SPDX-License-Identifier: GPL-2.0-or-later
// The boot information that Multiboot and PVH kernels find in low memory. The option ROM
// (pc-bios/elfboot.asm) knows the constants, and fills in the memory map.
#pragma once

#include "hw/i386/boot_plan.h"
#include "hw/i386/table_writer.h"

namespace rhea::hw {

class BootInfo {
 public:
  static constexpr u32 kAddress = 0x9000;
  static constexpr u32 kMap = kAddress + 0x80;
  static constexpr u32 kMapEntries = 128, kMapStride = 24;
  /// The firmware's own data begins somewhere below 640 KiB.
  static constexpr u32 kEnd = 0x90000;

  BootInfo() { out_.zeroes(kMap - kAddress + kMapEntries * kMapStride); }

  /// Where what is appended next will be.
  u32 here() const { return kAddress + static_cast<u32>(out_.size()); }
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
    if (kernel.address < end || (kernel.address < MiB && kernel.address + u64{kernel.size} > kEnd))
      return fail("it wants to lie at {:#x}: only {:#x} to {:#x} and what is above 1 MiB is free",
                  kernel.address, end, kEnd);
    return BootPiece{
        .address = kAddress, .size = static_cast<u32>(out_.size()), .data = std::move(out_.data)};
  }

 private:
  TableWriter out_;
};

}  // namespace rhea::hw
