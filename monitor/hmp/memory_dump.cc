// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers in the formats of the memory commands.
#include "monitor/hmp/memory_dump.h"

#include <fmt/core.h>

#include <algorithm>

namespace rhea::hmp {
namespace {

std::string character(u8 c) {
  switch (c) {
    case '\'': return "'\\''";
    case '\\': return "'\\\\'";
    case '\n': return "'\\n'";
    case '\r': return "'\\r'";
    default: break;
  }
  if (c >= 32 && c <= 126) return fmt::format("'{}'", static_cast<char>(c));
  return fmt::format("'\\x{:02x}'", c);
}

// As wide as the largest number of this size.
std::string item(u64 value, char letter, unsigned size) {
  const unsigned bits = size * 8;
  switch (letter) {
    case 'o': return fmt::format("{:#{}o}", value, (bits + 2) / 3);
    case 'u': return fmt::format("{:{}}", value, (bits * 10 + 32) / 33);
    case 'd': return fmt::format("{:{}}", static_cast<i64>(value), (bits * 10 + 32) / 33);
    case 'c': return character(static_cast<u8>(value));
    default: return fmt::format("{:#0{}x}", value, bits / 4 + 2);
  }
}

u64 number_at(std::span<const u8> data) {
  u64 value = 0;
  for (std::size_t i = 0; i < data.size(); ++i) value |= u64{data[i]} << (8 * i);
  return value;
}

}  // namespace

std::string dump_memory(std::span<const u8> data, u64 address, MemoryFormat format) {
  const unsigned per_row = format.size == 1 ? 8 : 16;
  const unsigned size = format.letter == 'c' ? 1 : static_cast<unsigned>(format.size);
  std::string text;
  for (std::size_t row = 0; row < data.size(); row += per_row) {
    text += fmt::format("{:016x}:", address + row);
    const auto bytes = data.subspan(row, std::min<std::size_t>(per_row, data.size() - row));
    for (std::size_t i = 0; i < bytes.size(); i += size)
      text += " " + item(number_at(bytes.subspan(i, std::min<std::size_t>(size, bytes.size() - i))),
                         format.letter, size);
    text += '\n';
  }
  return text;
}

std::string format_number(u64 value, char letter) {
  switch (letter) {
    case 'o': return fmt::format("{:#o}", value);
    case 'x': return fmt::format("{:#x}", value);
    case 'u': return fmt::format("{}", value);
    case 'c': return character(static_cast<u8>(value));
    default: return fmt::format("{}", static_cast<i64>(value));
  }
}

}  // namespace rhea::hmp
