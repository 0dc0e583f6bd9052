// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/qom/state.h"

#include <fmt/core.h>

#include <algorithm>

namespace rhea {

void StateWriter::number(u64 value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) data_.push_back(static_cast<u8>(value >> (8 * i)));
}

void StateWriter::bytes(std::span<const u8> data) {
  data_.insert(data_.end(), data.begin(), data.end());
}

void StateWriter::text(std::string_view text) {
  number(text.size(), 2);
  bytes({reinterpret_cast<const u8*>(text.data()), text.size()});
}

std::size_t StateWriter::begin_block() {
  number(0, 4);
  return data_.size();
}

void StateWriter::end_block(std::size_t place) {
  const std::size_t length = data_.size() - place;
  for (unsigned i = 0; i < 4; ++i) data_[place - 4 + i] = static_cast<u8>(length >> (8 * i));
}

Result<u64> StateReader::number(unsigned count) {
  const auto raw = TRY(bytes(count));
  u64 value = 0;
  for (unsigned i = 0; i < count; ++i) value |= u64{raw[i]} << (8 * i);
  return value;
}

Result<std::span<const u8>> StateReader::bytes(std::size_t count) {
  if (count > remaining()) return fail("state is truncated");
  const auto view = data_.subspan(position_, count);
  position_ += count;
  return view;
}

Result<std::string> StateReader::text() {
  const u64 length = TRY(number(2));
  const auto raw = TRY(bytes(length));
  return std::string(reinterpret_cast<const char*>(raw.data()), raw.size());
}

Result<StateReader> StateReader::block() {
  const u64 length = TRY(number(4));
  return StateReader(TRY(bytes(length)));
}

std::string bytes_text(std::span<const u8> bytes) {
  constexpr std::size_t kMost = 32;
  std::string text;
  for (const u8 byte : bytes.first(std::min(bytes.size(), kMost)))
    text += fmt::format("{:02x}", byte);
  return bytes.size() > kMost ? fmt::format("{}… ({} bytes)", text, bytes.size()) : text;
}

void FieldList::save(const void* object, StateWriter& out) const {
  for (const StateField& field : fields) {
    if (field.survives_reset && out.fields() == StateWriter::Fields::SetByReset) continue;
    out.text(field.name);
    const auto place = out.begin_block();
    field.save(object, out);
    out.end_block(place);
  }
}

Result<> FieldList::load(void* object, StateReader& in, unsigned version) const {
  for (const StateField& field : fields) {
    if (field.since > version) continue;
    const std::string name = TRY(in.text());
    if (name != field.name) return fail("state field '{}' is expected, not '{}'", field.name, name);
    StateReader block = TRY(in.block());
    TRY(field.load(object, block, field));
    if (!block.at_end()) return fail("state field '{}' is longer than known", field.name);
  }
  return {};
}

}  // namespace rhea
