// SPDX-License-Identifier: GPL-2.0-or-later
// Reading ELF kernels whose every number may be a lie.
#include "hw/i386/elf_image.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr u32 kMagic = 0x464c457f;
constexpr u8 kClass64 = 2, kLittleEndian = 1;
constexpr u16 kMachine386 = 3, kMachineX86_64 = 62;
constexpr u32 kLoadSegment = 1, kNoteSegment = 4;
constexpr u32 kXenPhys32Entry = 18;

bool is_64bit(const ImageBytes& image) { return image.byte(4) == kClass64; }

}  // namespace

bool ElfImage::is_elf(const ImageBytes& image) { return image.dword(0) == kMagic; }

Result<ElfImage> ElfImage::parse(std::span<const u8> data) {
  ElfImage elf(data);
  const ImageBytes& image = elf.image_;
  const bool wide = is_64bit(image);
  const u16 machine = image.word(18);
  if (!is_elf(image)) return fail("no ELF image");
  if (image.byte(5) != kLittleEndian || (machine != kMachine386 && machine != kMachineX86_64))
    return fail("an ELF image for another processor");
  elf.entry_ = wide ? image.qword(24) : image.dword(24);
  TRY(elf.read_segments());
  return elf;
}

Result<> ElfImage::read_segments() {
  const bool wide = is_64bit(image_);
  const u64 table = wide ? image_.qword(32) : image_.dword(28);
  const u16 size = image_.word(wide ? 54 : 42);
  const u16 count = image_.word(wide ? 56 : 44);
  if (count == 0) return fail("an ELF image without program headers");
  if (size < (wide ? 56 : 32) || !image_.has(table, u64{size} * count))
    return fail("its program headers are cut off");
  for (unsigned i = 0; i < count; ++i) {
    const u64 at = table + u64{size} * i;
    const auto field = [&](unsigned wide_at, unsigned narrow_at) {
      return wide ? image_.qword(at + wide_at) : image_.dword(at + narrow_at);
    };
    segments_.push_back({.type = image_.dword(at),
                         .offset = field(8, 4),
                         .virtual_address = field(16, 8),
                         .physical_address = field(24, 12),
                         .file_size = field(32, 16),
                         .memory_size = field(40, 20),
                         .alignment = field(48, 28)});
  }
  // An entry point is a virtual address.
  for (const Segment& s : segments_)
    if (s.type == kLoadSegment && entry_ >= s.virtual_address &&
        entry_ - s.virtual_address < s.memory_size) {
      entry_ = s.physical_address + (entry_ - s.virtual_address);
      break;
    }
  return {};
}

Result<BootPiece> ElfImage::load(u64 limit) const {
  u64 first = ~u64{0}, end = 0, data_end = 0, bytes = 0;
  for (const Segment& s : segments_) {
    if (s.type != kLoadSegment || s.memory_size == 0) continue;
    if (s.file_size > s.memory_size || !image_.has(s.offset, s.file_size))
      return fail("a segment is cut off: {} bytes at {:#x} of {}", s.file_size, s.offset,
                  image_.size());
    // Segments may share bytes of the file, but thousands that share most of it are no kernel.
    bytes += s.file_size;
    if (bytes > 2 * image_.size()) return fail("its segments overlap in the file");
    if (s.physical_address > limit || s.memory_size > limit - s.physical_address)
      return fail("a segment of {} bytes at {:#x} does not fit into memory", s.memory_size,
                  s.physical_address);
    first = std::min(first, s.physical_address);
    end = std::max(end, s.physical_address + s.memory_size);
    if (s.file_size != 0) data_end = std::max(data_end, s.physical_address + s.file_size);
  }
  if (data_end == 0) return fail("there is nothing to load in it");
  BootPiece piece{.address = static_cast<u32>(first), .size = static_cast<u32>(end - first)};
  piece.data.resize(data_end - first);
  for (const Segment& s : segments_) {
    if (s.type != kLoadSegment || s.memory_size == 0) continue;
    std::ranges::copy(image_.part(s.offset, s.file_size),
                      piece.data.begin() + static_cast<std::ptrdiff_t>(s.physical_address - first));
  }
  return piece;
}

std::optional<u64> ElfImage::pvh_entry() const {
  u64 bytes = 0;
  for (const Segment& s : segments_) {
    if (s.type != kNoteSegment || !image_.has(s.offset, s.file_size)) continue;
    // As for what is loaded: no byte is looked at for ever again.
    bytes += s.file_size;
    if (bytes > 2 * image_.size()) break;
    if (const auto entry = find_note(s)) return entry;
  }
  return std::nullopt;
}

std::optional<u64> ElfImage::find_note(const Segment& segment) const {
  const u64 alignment = segment.alignment == 8 ? 8 : 4;
  const auto padded = [&](u64 size) { return (size + alignment - 1) & ~(alignment - 1); };
  const u64 end = segment.offset + segment.file_size;
  u64 at = segment.offset;
  while (at + 12 <= end) {
    const u32 name_size = image_.dword(at), value_size = image_.dword(at + 4);
    const u64 name = at + 12, value = at + padded(12 + u64{name_size});
    const bool xen = name_size == 4 && image_.dword(name) == 0x006e6558;  // "Xen"
    if (xen && image_.dword(at + 8) == kXenPhys32Entry && value_size >= 4 &&
        value + value_size <= end)
      return image_.number(value, value_size >= 8 ? 8 : 4);
    at = value + padded(value_size);
  }
  return std::nullopt;
}

}  // namespace rhea::hw
