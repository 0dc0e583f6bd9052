// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/conformance/state_stream.h"

#include "rhea/qom/registry.h"

#include <zlib.h>

#include <algorithm>
#include <random>
#include <span>

namespace rhea::test {
namespace {

/// Walks a section of softmmu/snapshot.cc, which is known to be sound.
class Walk {
 public:
  explicit Walk(std::vector<u8>& stream) : stream_(&stream) {}
  u64 number(unsigned bytes) {
    u64 value = 0;
    for (unsigned n = 0; n < bytes; ++n) value |= u64{(*stream_)[at_++]} << (8 * n);
    return value;
  }
  void text() { at_ += number(2); }
  void fields(const FieldList& list) {
    for (std::size_t n = 0; n < list.fields.size(); ++n) {
      text();
      const u64 length = number(4);
      bodies.push_back(std::span(*stream_).subspan(at_, length));
      at_ += length;
    }
  }
  std::vector<std::span<u8>> bodies;

 private:
  std::vector<u8>* stream_;
  std::size_t at_{0};
};

constexpr unsigned kWays = 5;

void spoil(std::span<u8> body, unsigned way, std::mt19937_64& random) {
  const std::size_t at = random() % body.size();
  switch (way) {
    case 0: std::ranges::fill(body, u8{0xff}); break;
    case 1: std::ranges::fill(body, u8{0}); break;
    case 2: body[at] ^= static_cast<u8>(1u << random() % 8); break;
    case 3: body[at] = static_cast<u8>(random()); break;
    default: std::ranges::generate(body, [&] { return static_cast<u8>(random()); });
  }
}

}  // namespace

std::vector<std::vector<u8>> spoiled(std::vector<u8> stream, const Object& object) {
  std::mt19937_64 random(1);
  Walk walk(stream);
  walk.text();
  walk.text();
  walk.number(4);
  for (const TypeInfo* type : object.type().lineage()) {
    if (type->state.fields.empty() && type->subsections.empty()) continue;
    walk.text();
    walk.number(2);
    walk.fields(type->state);
    for (const Subsection& part : type->subsections)
      if (walk.number(1) != 0) {
        walk.text();
        walk.fields(part.fields);
      }
  }
  std::vector<std::vector<u8>> all;
  const std::size_t checked = stream.size() - 4;
  for (const std::span<u8> body : walk.bodies)
    for (unsigned way = 0; way < kWays && !body.empty(); ++way) {
      const std::vector<u8> before(body.begin(), body.end());
      spoil(body, way, random);
      const auto sum = static_cast<u32>(crc32_z(0, stream.data(), checked));
      for (unsigned n = 0; n < 4; ++n) stream[checked + n] = static_cast<u8>(sum >> (8 * n));
      all.push_back(stream);
      std::ranges::copy(before, body.begin());
    }
  return all;
}

}  // namespace rhea::test
