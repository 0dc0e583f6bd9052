// SPDX-License-Identifier: GPL-2.0-or-later
// Dumps as ELF core files (System V ABI, chapter 5; gABI's ELF-64 object file format).
#include "monitor/dump/notes.h"
#include "monitor/dump/writer.h"

#include <elf.h>

#include <algorithm>

namespace rhea::dump {
namespace {

Elf64_Ehdr header(const GuestImage& image) {
  Elf64_Ehdr h{};
  std::copy_n(ELFMAG, SELFMAG, h.e_ident);
  h.e_ident[EI_CLASS] = ELFCLASS64;
  h.e_ident[EI_DATA] = ELFDATA2LSB;
  h.e_ident[EI_VERSION] = EV_CURRENT;
  h.e_type = ET_CORE;
  h.e_machine = image.is_64bit() ? EM_X86_64 : EM_386;
  h.e_version = EV_CURRENT;
  h.e_phoff = sizeof h;
  h.e_ehsize = sizeof h;
  h.e_phentsize = sizeof(Elf64_Phdr);
  h.e_phnum = static_cast<Elf64_Half>(1 + image.mappings.size());
  return h;
}

std::vector<Elf64_Phdr> program_headers(const GuestImage& image, u64 notes_size) {
  const u64 notes_at = sizeof(Elf64_Ehdr) + (1 + image.mappings.size()) * sizeof(Elf64_Phdr);
  std::vector<Elf64_Phdr> headers;
  Elf64_Phdr note{};
  note.p_type = PT_NOTE;
  note.p_offset = notes_at;
  note.p_filesz = note.p_memsz = notes_size;
  headers.push_back(note);
  u64 offset = notes_at + notes_size;
  for (const Mapping& mapping : image.mappings) {
    Elf64_Phdr load{};
    load.p_type = PT_LOAD;
    load.p_offset = offset;
    load.p_vaddr = mapping.linear;
    load.p_paddr = mapping.physical;
    load.p_filesz = load.p_memsz = mapping.size;
    headers.push_back(load);
    offset += mapping.size;
  }
  return headers;
}

}  // namespace

Result<> write_elf(const GuestImage& image, Sink& sink, const Progress& progress) {
  constexpr u64 kStretch = 1 * MiB;
  const std::vector<u8> notes = processor_notes(image);
  TRY(sink.write(bytes_of(header(image))));
  for (const Elf64_Phdr& h : program_headers(image, notes.size())) TRY(sink.write(bytes_of(h)));
  TRY(sink.write(notes));
  for (const Mapping& mapping : image.mappings)
    for (u64 done = 0; done < mapping.size;) {
      const u64 part = std::min(mapping.size - done, kStretch);
      TRY(sink.write({image.host(mapping.physical + done), part}));
      progress(part);
      done += part;
    }
  return sink.flush();
}

}  // namespace rhea::dump
