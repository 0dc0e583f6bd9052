// SPDX-License-Identifier: GPL-2.0-or-later
// ELF kernels: where their segments go (Tool Interface Standard ELF 1.2; System V ABI).
#pragma once

#include "hw/i386/boot_plan.h"
#include "hw/i386/image_bytes.h"

#include <optional>

namespace rhea::hw {

class ElfImage {
 public:
  static bool is_elf(const ImageBytes& image);
  /// An executable for x86, 32 or 64 bits wide; errors are without the file's name.
  static Result<ElfImage> parse(std::span<const u8> data);

  /// The physical address of the entry point.
  u64 entry() const { return entry_; }
  /// All loaded segments in one piece; it ends at `limit` at most.
  Result<BootPiece> load(u64 limit) const;
  /// The value of Xen's note XEN_ELFNOTE_PHYS32_ENTRY.
  std::optional<u64> pvh_entry() const;

 private:
  struct Segment {
    u32 type;
    u64 offset, virtual_address, physical_address, file_size, memory_size, alignment;
  };
  explicit ElfImage(std::span<const u8> data) : image_(data) {}
  Result<> read_segments();
  std::optional<u64> find_note(const Segment& segment) const;

  ImageBytes image_;
  u64 entry_{};
  std::vector<Segment> segments_;
};

}  // namespace rhea::hw
