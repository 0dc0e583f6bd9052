// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/misc/process_messages.h"

#include <bit>

namespace rhea::hw {
namespace {

constexpr u64 kLeastMemory = 16, kMostMemory = 256 * MiB, kLeastPorts = 4, kMostPorts = 256;
constexpr u64 kMostMessages = 32;

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<u64> identity_number(const Json& answer, std::string_view key, u64 most, u64 otherwise) {
  if (!answer.contains(key)) return otherwise;
  const auto number = number_in(answer, key, most);
  if (!number) return fail("\"{}\" is no number from 0 to {:#x}", key, most);
  return *number;
}

Result<> add_bar(const Json& bar, ProcessIdentity& identity) {
  const auto number = number_in(bar, "bar", identity.bars.size() - 1);
  const auto size = number_in(bar, "size");
  if (!number || !size) return fail("each of \"bars\" needs a \"bar\" from 0 to 5 and a \"size\"");
  const bool io = bar.contains("io") && bar["io"].is_boolean() && bar["io"].get<bool>();
  const u64 least = io ? kLeastPorts : kLeastMemory, most = io ? kMostPorts : kMostMemory;
  if (!std::has_single_bit(*size) || *size < least || *size > most)
    return fail("the size of bar {} is no power of two from {} to {}: {}", *number, least, most,
                *size);
  if (identity.bars[*number].size != 0) return fail("bar {} is there twice", *number);
  identity.bars[*number] = {.size = *size, .io = io};
  return {};
}

}  // namespace

bool is_deep(std::string_view line) {
  constexpr int kDeepest = 32;
  int depth = 0;
  bool text = false;
  for (std::size_t i = 0; i < line.size() && depth <= kDeepest; ++i) {
    const char c = line[i];
    if (text && c == '\\')
      ++i;
    else if (c == '"')
      text = !text;
    else if (!text && (c == '[' || c == '{'))
      ++depth;
    else if (!text && (c == ']' || c == '}'))
      --depth;
  }
  return depth > kDeepest;
}

std::optional<u64> number_in(const Json& message, std::string_view key, u64 most) {
  const auto it = message.find(key);
  if (it == message.end() || !it->is_number_unsigned()) return std::nullopt;
  const u64 number = it->get<u64>();
  return number <= most ? std::optional(number) : std::nullopt;
}

std::optional<std::string> text_in(const Json& message, std::string_view key) {
  const auto it = message.find(key);
  if (it == message.end() || !it->is_string()) return std::nullopt;
  return it->get<std::string>();
}

std::string to_hex(std::span<const u8> data) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * data.size());
  for (const u8 byte : data) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::optional<std::vector<u8>> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::vector<u8> data;
  data.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    data.push_back(static_cast<u8>(high << 4 | low));
  }
  return data;
}

Result<ProcessIdentity> parse_identity(const Json& answer) {
  ProcessIdentity identity;
  identity.pci.vendor = static_cast<u16>(TRY(identity_number(answer, "vendor", 0xffff, 0x1b36)));
  identity.pci.device = static_cast<u16>(TRY(identity_number(answer, "device", 0xffff, 0)));
  identity.pci.klass =
      static_cast<u32>(TRY(identity_number(answer, "class", 0xff'ffff, 0xff'0000)));
  identity.pci.revision = static_cast<u8>(TRY(identity_number(answer, "revision", 0xff, 0)));
  identity.messages =
      static_cast<unsigned>(TRY(identity_number(answer, "messages", kMostMessages, 0)));
  if (identity.messages != 0 && !std::has_single_bit(identity.messages))
    return fail("\"messages\" is no power of two: {}", identity.messages);
  if (const auto it = answer.find("interrupt"); it != answer.end()) {
    if (!it->is_boolean()) return fail("\"interrupt\" is neither true nor false");
    identity.interrupt = it->get<bool>();
  }
  if (const auto it = answer.find("bars"); it != answer.end()) {
    if (!it->is_array()) return fail("\"bars\" is no list");
    for (const Json& bar : *it) {
      if (!bar.is_object()) return fail("\"bars\" is no list of objects");
      TRY(add_bar(bar, identity));
    }
  }
  return identity;
}

}  // namespace rhea::hw
