// SPDX-License-Identifier: GPL-2.0-or-later
// What a handler is called with, for every combination of valid and implemented sizes.
#include "rhea/softmmu/region.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

namespace rhea {
namespace {

/// Sixty-four registers of a byte; the handlers check that they are called with sizes they
/// implement.
struct ByteRegisters {
  AccessSizes impl;
  std::array<u8, 64> bytes{};
  std::array<bool, 64> touched{};
  unsigned calls{0};

  void check(u64 offset, unsigned size) {
    ++calls;
    EXPECT_GE(size, impl.min);
    EXPECT_LE(size, impl.max);
    EXPECT_TRUE(impl.unaligned || offset % size == 0) << offset << " " << size;
    EXPECT_LE(offset + size, bytes.size());
  }
  u64 read(u64 offset, unsigned size) {
    check(offset, size);
    u64 value = ~u64{0};  // a handler may leave rubbish above its size
    std::memcpy(&value, bytes.data() + offset, size);
    return value;
  }
  void write(u64 offset, u64 value, unsigned size) {
    check(offset, size);
    EXPECT_EQ(value & ~all_ones(size), 0u);
    std::memcpy(bytes.data() + offset, &value, size);
    for (unsigned i = 0; i < size; ++i) touched[offset + i] = true;
  }
  void fill() {
    for (unsigned i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<u8>(0x40 + i);
  }
};

constexpr u64 kValue = 0xf1e2d3c4b5a69788;

class AccessSizesTest : public testing::TestWithParam<std::tuple<AccessSizes, AccessSizes>> {
 protected:
  AccessSizesTest() {
    registers_.impl = impl_;
    region_.init_io(nullptr, "registers", 64,
                    io<&ByteRegisters::read, &ByteRegisters::write>(valid_, impl_), &registers_);
    registers_.fill();
  }

  bool accepted(u64 offset, unsigned size) const {
    return size >= valid_.min && size <= valid_.max && (valid_.unaligned || offset % size == 0);
  }

  void check_read(u64 offset, unsigned size) {
    Access access{.offset = offset, .size = size};
    const MemResult result = region_.dispatch(access, false);
    if (!accepted(offset, size)) {
      EXPECT_EQ(result, MemResult::Refused);
      EXPECT_EQ(access.value, all_ones(size));
      return;
    }
    u64 expected = 0;
    std::memcpy(&expected, registers_.bytes.data() + offset, size);
    EXPECT_EQ(result, MemResult::Ok);
    EXPECT_EQ(access.value, expected);
  }

  void check_write(u64 offset, unsigned size) {
    registers_.fill();
    registers_.touched = {};
    registers_.calls = 0;
    Access access{.offset = offset, .size = size, .value = kValue};
    const MemResult result = region_.dispatch(access, true);
    if (!accepted(offset, size)) {
      EXPECT_EQ(result, MemResult::Refused);
      EXPECT_EQ(registers_.calls, 0u);
      return;
    }
    EXPECT_EQ(result, MemResult::Ok);
    EXPECT_EQ(std::memcmp(registers_.bytes.data() + offset, &kValue, size), 0);
    for (u64 i = 0; i < registers_.bytes.size(); ++i) check_beside(offset, size, i);
  }

  /// Beside the written bytes, only the rest of units wider than the access is written, with
  /// zeroes.
  void check_beside(u64 offset, unsigned size, u64 at) {
    if (at >= offset && at < offset + size) return;
    const u64 first = impl_.unaligned ? offset : offset & ~u64{impl_.min - 1u};
    const u64 end = impl_.unaligned ? offset + size + impl_.min
                                    : (offset + size + impl_.min - 1) & ~u64{impl_.min - 1u};
    EXPECT_TRUE(!registers_.touched[at] || (at >= first && at < end));
    EXPECT_EQ(registers_.bytes[at], registers_.touched[at] ? 0 : 0x40 + at);
  }

  AccessSizes valid_ = std::get<0>(GetParam());
  AccessSizes impl_ = std::get<1>(GetParam());
  ByteRegisters registers_;
  Region region_;
};

TEST_P(AccessSizesTest, HandlersSeeTheirSizesAndGuestsTheirBytes) {
  for (u64 offset = 0; offset < 32; ++offset)
    for (const unsigned size : {1u, 2u, 4u, 8u}) {
      SCOPED_TRACE(testing::Message() << "offset " << offset << " size " << size);
      check_read(offset, size);
      check_write(offset, size);
      registers_.fill();
    }
}

TEST_P(AccessSizesTest, OddSizesAreRefused) {
  for (const unsigned size : {0u, 3u, 5u, 6u, 7u, 16u}) {
    Access access{.size = size};
    EXPECT_EQ(region_.dispatch(access, false), MemResult::Refused);
    EXPECT_EQ(access.value, all_ones(size));
  }
  EXPECT_EQ(registers_.calls, 0u);
}

std::vector<AccessSizes> all_sizes() {
  std::vector<AccessSizes> all;
  for (const u8 min : {1, 2, 4, 8})
    for (const u8 max : {1, 2, 4, 8})
      for (const bool unaligned : {false, true})
        if (min <= max) all.push_back({.min = min, .max = max, .unaligned = unaligned});
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, AccessSizesTest,
                         testing::Combine(testing::ValuesIn(all_sizes()),
                                          testing::ValuesIn(all_sizes())));

/// Remembers calls, for cases where the exact sequence matters.
struct Recorder {
  std::vector<std::tuple<u64, u64, unsigned>> writes;
  std::vector<std::pair<u64, unsigned>> reads;
  u64 read(u64 offset, unsigned size) {
    reads.emplace_back(offset, size);
    return 0x8877665544332211 >> (8 * (offset & 7));
  }
  void write(u64 offset, u64 value, unsigned size) { writes.emplace_back(offset, value, size); }
};

TEST(AccessSequenceTest, WideWriteReachesByteHandlerFromTheLowestByteUp) {
  Recorder recorder;
  Region region;
  region.init_io(nullptr, "bytes", 8,
                 io<&Recorder::read, &Recorder::write>({.min = 1, .max = 4}, {.min = 1, .max = 1}),
                 &recorder);
  Access access{.offset = 4, .size = 4, .value = 0x44332211};
  EXPECT_EQ(region.dispatch(access, true), MemResult::Ok);
  const std::vector<std::tuple<u64, u64, unsigned>> expected{
      {4, 0x11, 1}, {5, 0x22, 1}, {6, 0x33, 1}, {7, 0x44, 1}};
  EXPECT_EQ(recorder.writes, expected);
}

TEST(AccessSequenceTest, NarrowWriteIsShiftedIntoTheUnitWithoutARead) {
  Recorder recorder;
  Region region;
  region.init_io(nullptr, "words", 8,
                 io<&Recorder::read, &Recorder::write>({.min = 1, .max = 4}, {.min = 4, .max = 4}),
                 &recorder);
  Access access{.offset = 6, .size = 1, .value = 0xab};
  EXPECT_EQ(region.dispatch(access, true), MemResult::Ok);
  const std::vector<std::tuple<u64, u64, unsigned>> expected{{4, 0xab0000, 4}};
  EXPECT_EQ(recorder.writes, expected);
  EXPECT_TRUE(recorder.reads.empty());
}

TEST(AccessSequenceTest, NarrowReadTakesItsBytesOutOfTheUnit) {
  Recorder recorder;
  Region region;
  region.init_io(nullptr, "words", 8,
                 io<&Recorder::read, &Recorder::write>({.min = 1, .max = 4}, {.min = 4, .max = 4}),
                 &recorder);
  Access access{.offset = 2, .size = 2};
  EXPECT_EQ(region.dispatch(access, false), MemResult::Ok);
  EXPECT_EQ(access.value, 0x4433u);
  const std::vector<std::pair<u64, unsigned>> expected{{0, 4}};
  EXPECT_EQ(recorder.reads, expected);
}

struct Moody {
  MemResult access(Access& access) {
    access.value = 0;
    return access.offset == 1 ? MemResult::Refused : MemResult::Ok;
  }
};

TEST(AccessSequenceTest, OneRefusedPartRefusesTheWhole) {
  Moody moody;
  Region region;
  region.init_io(nullptr, "moody", 4,
                 io<&Moody::access, &Moody::access>({.min = 1, .max = 4}, {.min = 1, .max = 1}),
                 &moody);
  Access access{.size = 2};
  EXPECT_EQ(region.dispatch(access, false), MemResult::Refused);
  EXPECT_EQ(access.value, 0xffffu);
}

TEST(AccessSequenceTest, MissingHandlersRefuse) {
  Region region;
  region.init_io(nullptr, "none", 4, RegionOps{}, nullptr);
  Access access{.size = 4};
  EXPECT_EQ(region.dispatch(access, false), MemResult::Refused);
  EXPECT_EQ(access.value, 0xffffffffu);
  EXPECT_EQ(region.dispatch(access, true), MemResult::Refused);
}

TEST(AccessSequenceTest, AccessBeyondTheRegionIsRefused) {
  Recorder recorder;
  Region region;
  region.init_io(nullptr, "small", 6, io<&Recorder::read, &Recorder::write>(), &recorder);
  Access access{.offset = 4, .size = 4};
  EXPECT_EQ(region.dispatch(access, false), MemResult::Refused);
  EXPECT_TRUE(recorder.reads.empty());
}

}  // namespace
}  // namespace rhea
