// SPDX-License-Identifier: GPL-2.0-or-later
#include "qom/plugin_image.h"

#include "rhea/util/build_identity.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace rhea {
namespace {

constexpr std::string_view kNoteName = "Rhea";
constexpr u32 kNoteType = 1;
constexpr u64 kMostHeaders = 1024;

// A part of the file; nullopt when it does not lie inside.
std::optional<std::span<const u8>> part(std::span<const u8> image, u64 offset, u64 size) {
  if (offset > image.size() || size > image.size() - offset) return std::nullopt;
  return image.subspan(offset, size);
}

template <class T>
std::optional<T> read(std::span<const u8> image, u64 offset) {
  const auto bytes = part(image, offset, sizeof(T));
  if (!bytes) return std::nullopt;
  T value;
  std::memcpy(&value, bytes->data(), sizeof(T));
  return value;
}

constexpr u64 round_up(u64 size) { return (size + 3) & ~u64{3}; }

std::optional<std::string> find_note(std::span<const u8> notes) {
  for (u64 at = 0; auto header = read<Elf64_Nhdr>(notes, at);) {
    const u64 name_at = at + sizeof *header;
    const u64 text_at = name_at + round_up(header->n_namesz);
    const auto name = part(notes, name_at, header->n_namesz);
    const auto text = part(notes, text_at, header->n_descsz);
    if (!name || !text) return std::nullopt;
    const auto as_text = [](std::span<const u8> bytes) {
      const auto end = std::ranges::find(bytes, u8{0});
      return std::string(bytes.begin(), end);
    };
    if (header->n_type == kNoteType && as_text(*name) == kNoteName) return as_text(*text);
    at = text_at + round_up(header->n_descsz);
  }
  return std::nullopt;
}

Result<Elf64_Ehdr> shared_object_header(std::span<const u8> image) {
  const auto header = read<Elf64_Ehdr>(image, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
    return fail("it is no shared object");
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
      header->e_machine != EM_X86_64)
    return fail("it is a shared object for another kind of machine");
  if (header->e_type != ET_DYN) return fail("it is no shared object (link it with -shared)");
  if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum > kMostHeaders)
    return fail("it is a damaged shared object");
  const u64 sections = u64{header->e_shnum} * header->e_shentsize;
  if (!part(image, header->e_phoff, u64{header->e_phnum} * sizeof(Elf64_Phdr)) ||
      !part(image, header->e_shoff, sections))
    return fail("it is a damaged shared object: its end is missing");
  return *header;
}

}  // namespace

std::string_view build_identity() { return RHEA_BUILD_IDENTITY; }

Result<std::string> identity_of_plugin(std::span<const u8> image) {
  const Elf64_Ehdr header = TRY(shared_object_header(image));
  std::optional<std::string> identity;
  bool is_dynamic = false;
  for (u64 i = 0; i < header.e_phnum; ++i) {
    const Elf64_Phdr segment = *read<Elf64_Phdr>(image, header.e_phoff + i * sizeof(Elf64_Phdr));
    const auto bytes = part(image, segment.p_offset, segment.p_filesz);
    // The loader would map what is not there, and the first touch would be the end.
    if (!bytes) return fail("it is a damaged shared object: its end is missing");
    is_dynamic |= segment.p_type == PT_DYNAMIC;
    if (segment.p_type == PT_NOTE && !identity) identity = find_note(*bytes);
  }
  if (!is_dynamic) return fail("it is no shared object (link it with -shared)");
  if (!identity)
    return fail(
        "it is no plug-in of Rhea's: it has no note that says what it was built against (compile "
        "it "
        "with pkg-config --cflags rhea)");
  return *identity;
}

}  // namespace rhea
