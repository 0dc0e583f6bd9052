// SPDX-License-Identifier: GPL-2.0-or-later
// Finding the kernel's note, which is the guest's word and not to be trusted.
#include "monitor/dump/guest_note.h"

#include "hw/misc/vmcoreinfo.h"
#include "monitor/guest_memory.h"
#include "rhea/util/log.h"

#include <elf.h>

#include <charconv>
#include <cstring>
#include <string_view>

namespace rhea::dump {
namespace {

constexpr u32 kMostBytes = 1 * MiB;
constexpr u16 kElfFormat = 1;

constexpr u64 whole_words(u64 bytes) { return (bytes + 3) / 4 * 4; }

/// Where a note's contents are, if all of it lies within `bytes`.
std::optional<std::pair<u64, u64>> contents_of(std::span<const u8> bytes) {
  Elf64_Nhdr header{};
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  const u64 begin = sizeof header + whole_words(header.n_namesz);
  if (begin + whole_words(header.n_descsz) > bytes.size()) return std::nullopt;
  return std::pair<u64, u64>(begin, header.n_descsz);
}

}  // namespace

std::vector<u8> guest_note(Machine& machine) {
  const hw::Vmcoreinfo* device = hw::Vmcoreinfo::of(machine);
  const auto told = device == nullptr ? std::nullopt : device->note();
  if (!told) return {};
  if (told->format != kElfFormat) {
    report_warning(fmt::format("dump: the guest's note has the unknown format {}", told->format));
    return {};
  }
  if (told->size < sizeof(Elf64_Nhdr) || told->size > kMostBytes) {
    report_warning(fmt::format("dump: the guest's note has an invalid size: {}", told->size));
    return {};
  }
  std::vector<u8> note(told->size);
  if (!monitor::read_memory(machine, told->address, note)) {
    report_warning("dump: the guest's note is not in its memory");
    return {};
  }
  const auto contents = contents_of(note);
  if (!contents) {
    report_warning("dump: the guest's note has an invalid header");
    return {};
  }
  note.resize(contents->first + whole_words(contents->second));
  return note;
}

std::span<const u8> note_contents(std::span<const u8> note) {
  const auto contents = contents_of(note);
  return contents ? note.subspan(contents->first, contents->second) : std::span<const u8>();
}

std::optional<u64> physical_base(std::span<const u8> note) {
  constexpr std::string_view kKey = "NUMBER(phys_base)=";
  const auto contents = note_contents(note);
  const std::string_view text(reinterpret_cast<const char*>(contents.data()), contents.size());
  auto at = text.find(kKey);
  if (at == std::string_view::npos) return std::nullopt;
  at += kKey.size();
  const bool negative = at < text.size() && text[at] == '-';
  u64 value = 0;
  const char* const first = text.data() + at + (negative ? 1 : 0);
  if (std::from_chars(first, text.data() + text.size(), value).ec != std::errc())
    return std::nullopt;
  return negative ? ~value + 1 : value;
}

}  // namespace rhea::dump
