// SPDX-License-Identifier: GPL-2.0-or-later
// The window below 1 MiB: write and read modes against a model that works bit by bit, and the modes
// in which the window is plain memory.
#include "tests/display/vga_bench.h"

#include <gtest/gtest.h>

#include <random>

namespace rhea::test {
namespace {

/// Four planes of 64 KiB, one bit at a time, as the datasheet's block diagram reads.
class Model {
 public:
  u8 set_reset{}, enable_set_reset{}, compare{}, rotate{}, function{}, read_plane{}, write_mode{},
      read_mode{}, care{}, bit_mask{0xff}, plane_mask{0x0f};
  bool chain4{}, odd_even{};

  u8 read(u32 address) {
    const u32 unit = chain4 ? address / 4 : odd_even ? address / 2 : address;
    const unsigned plane = chain4     ? address % 4
                           : odd_even ? (read_plane & 2U) + address % 2
                                      : read_plane;
    for (unsigned p = 0; p < 4; ++p) latch_[p] = plane_[p][unit];
    if (read_mode == 0) return latch_[plane];
    u8 result = 0;
    for (unsigned bit = 0; bit < 8; ++bit) {
      bool same = true;
      for (unsigned p = 0; p < 4; ++p)
        if ((care >> p & 1) != 0 && (latch_[p] >> bit & 1) != (compare >> p & 1)) same = false;
      result = static_cast<u8>(result | (same ? 1 : 0) << bit);
    }
    return result;
  }

  void write(u32 address, u8 value) {
    const u32 unit = chain4 ? address / 4 : odd_even ? address / 2 : address;
    for (unsigned p = 0; p < 4; ++p) {
      if ((plane_mask >> p & 1) == 0) continue;
      if (chain4 && p != address % 4) continue;
      if (odd_even && p % 2 != address % 2) continue;
      u8 result = 0;
      for (unsigned bit = 0; bit < 8; ++bit)
        result = static_cast<u8>(result | written_bit(value, p, bit) << bit);
      plane_[p][unit] = result;
    }
  }

 private:
  unsigned written_bit(u8 value, unsigned p, unsigned bit) const {
    const unsigned latched = latch_[p] >> bit & 1;
    const unsigned rotated = value >> ((bit + rotate) % 8) & 1;
    const unsigned set = set_reset >> p & 1;
    unsigned data = 0;
    bool masked = (bit_mask >> bit & 1) == 0;
    if (write_mode == 0) data = (enable_set_reset >> p & 1) != 0 ? set : rotated;
    if (write_mode == 1) return latched;
    if (write_mode == 2) data = value >> p & 1;
    if (write_mode == 3) {
      data = set;
      masked |= rotated == 0;
    }
    if (function == 1) data &= latched;
    if (function == 2) data |= latched;
    if (function == 3) data ^= latched;
    return masked ? latched : data;
  }

  std::array<std::vector<u8>, 4> plane_{std::vector<u8>(0x10000), std::vector<u8>(0x10000),
                                        std::vector<u8>(0x10000), std::vector<u8>(0x10000)};
  std::array<u8, 4> latch_{};
};

/// Sets the same random registers in card and model.
class Pair {
 public:
  Pair() {
    vga_.set_mode(kMode12);
    vga_.gfx(6, 0x05);
  }

  void random_registers(std::mt19937& random, bool simple_addressing) {
    const auto pick = [&](unsigned limit) { return static_cast<u8>(random() % limit); };
    model_.set_reset = pick(16);
    model_.enable_set_reset = pick(16);
    model_.compare = pick(16);
    model_.rotate = pick(8);
    model_.function = pick(4);
    model_.read_plane = pick(4);
    model_.write_mode = pick(4);
    model_.read_mode = pick(2);
    model_.care = pick(16);
    model_.bit_mask = pick(255);
    model_.plane_mask = pick(16);
    model_.chain4 = !simple_addressing && pick(2) != 0;
    model_.odd_even = !simple_addressing && !model_.chain4 && pick(2) != 0;
    program();
  }
  bool same_read(u32 address) { return vga_->load(0xa0000 + address, 1) == model_.read(address); }
  void write(u32 address, u8 value) {
    vga_->store(0xa0000 + address, value, 1);
    model_.write(address, value);
  }

 private:
  void program() {
    vga_.seq(2, model_.plane_mask);
    vga_.seq(4, model_.chain4 ? 0x0e : model_.odd_even ? 0x02 : 0x06);
    vga_.gfx(0, model_.set_reset);
    vga_.gfx(1, model_.enable_set_reset);
    vga_.gfx(2, model_.compare);
    vga_.gfx(3, static_cast<u8>(model_.function << 3 | model_.rotate));
    vga_.gfx(4, model_.read_plane);
    vga_.gfx(5, static_cast<u8>(model_.write_mode | model_.read_mode << 3 |
                                (model_.odd_even ? 0x10 : 0)));
    vga_.gfx(7, model_.care);
    vga_.gfx(8, model_.bit_mask);
  }

  VgaBench vga_;
  Model model_;
};

/// Number of reads that differ from the model's.
unsigned differences(bool simple_addressing, unsigned seed) {
  std::mt19937 random(seed);
  Pair pair;
  unsigned wrong = 0;
  for (unsigned round = 0; round < 300; ++round) {
    pair.random_registers(random, simple_addressing);
    for (unsigned i = 0; i < 40; ++i) {
      // A small area, so that accesses meet.
      const u32 address = random() % 64 + (i % 2 != 0 ? 0xffc0 : 0);
      wrong += pair.same_read(address) ? 0 : 1;
      pair.write(random() % 64 + (i % 2 != 0 ? 0xffc0 : 0), static_cast<u8>(random()));
    }
  }
  return wrong;
}

TEST(VgaMemory, PlanarReadAndWriteModesAgreeWithTheModel) { EXPECT_EQ(differences(true, 1), 0U); }
TEST(VgaMemory, ChainedReadAndWriteModesAgreeWithTheModel) { EXPECT_EQ(differences(false, 2), 0U); }

TEST(VgaMemory, WindowMovesWithTheMapSelect) {
  VgaBench vga;
  vga.set_mode(kMode12);
  vga.gfx(6, 0x05);
  vga->store(0xa0000, 0x5a, 1);
  EXPECT_EQ(vga->load(0xa0000, 1), 0x5aU);
  EXPECT_EQ(vga->load(0xb8000, 1), 0xffU);
  vga.gfx(6, 0x0d);
  EXPECT_EQ(vga->load(0xb8000, 1), 0x5aU);
  EXPECT_EQ(vga->load(0xa0000, 1), 0xffU);
  vga.gfx(6, 0x09);
  EXPECT_EQ(vga->load(0xb0000, 1), 0x5aU);
  vga.gfx(6, 0x01);
  EXPECT_EQ(vga->load(0xa0000, 1), 0x5aU);
}

TEST(VgaMemory, WideAccessesAreBytesInOrder) {
  VgaBench vga;
  vga.set_mode(kMode12);
  vga->store(0xa0001, 0x44332211, 4);
  EXPECT_EQ(vga->load(0xa0001, 1), 0x11U);
  EXPECT_EQ(vga->load(0xa0004, 1), 0x44U);
  EXPECT_EQ(vga->load(0xa0001, 4), 0x44332211U);
}

bool is_plain(VgaBench& vga, u64 address) {
  const RcuGuard guard;
  return vga->machine().memory().map_direct(address, 1, true).has_value();
}

TEST(VgaMemory, Mode13IsPlainMemoryOfTheFrameBuffer) {
  VgaBench vga;
  vga.map_bars();
  vga.set_mode(kMode13);
  EXPECT_TRUE(is_plain(vga, 0xa0000));
  vga->store(0xa1234, 0x99, 1);
  EXPECT_EQ(vga->load(VgaBench::kFrameBuffer + 0x1234, 1), 0x99U);
}

TEST(VgaMemory, LeavingChain4GivesThePlanesOfThePixels) {
  VgaBench vga;
  vga.set_mode(kMode13);
  vga->store(0xa0000, 0x44332211, 4);
  vga.seq(4, 0x06);
  vga.gfx(4, 2);
  EXPECT_FALSE(is_plain(vga, 0xa0000));
  EXPECT_EQ(vga->load(0xa0000, 1), 0x33U);
}

TEST(VgaMemory, TextIsPlainMemory) {
  VgaBench vga;
  vga.set_mode(kMode3);
  EXPECT_TRUE(is_plain(vga, 0xb8000));
  EXPECT_TRUE(is_plain(vga, 0xbffff));
  EXPECT_FALSE(is_plain(vga, 0xb7fff));
}

TEST(VgaMemory, TextIsInPlanesZeroAndOneWhenTheModeIsLeft) {
  VgaBench vga;
  vga.set_mode(kMode3);
  vga->store(0xb8004, 0x1f41, 2);
  vga.seq(4, 0x06);
  vga.gfx(5, 0x00);
  vga.gfx(6, 0x05);
  vga.gfx(4, 0);
  EXPECT_EQ(vga->load(0xa0002, 1), 0x41U);
  vga.gfx(4, 1);
  EXPECT_EQ(vga->load(0xa0002, 1), 0x1fU);
}

TEST(VgaMemory, TextComesFromThePlanesWhenTheModeIsEntered) {
  VgaBench vga;
  vga.set_mode(kMode12);
  vga.seq(2, 1);
  vga->store(0xa0003, 'x', 1);
  vga.seq(2, 2);
  vga->store(0xa0003, 0x70, 1);
  vga.set_mode(kMode3);
  EXPECT_EQ(vga->load(0xb8006, 2), 0x7000U + 'x');
}

TEST(VgaMemory, LoadingAFontLeavesTheText) {
  VgaBench vga;
  vga.set_mode(kMode3);
  vga.put_text(3, 2, 'A', 0x07);
  vga.set_glyph('A', std::array<u8, 2>{0x80, 0x01});
  EXPECT_EQ(vga->load(0xb8000 + (2 * 80 + 3) * 2, 2), 0x0741U);
}

TEST(VgaMemory, PlanarAccessesWrapAt64Ki) {
  VgaBench vga;
  vga.set_mode(kMode12);
  vga.gfx(6, 0x01);
  vga->store(0xb0010, 0x77, 1);
  EXPECT_EQ(vga->load(0xa0010, 1), 0x77U);
}

}  // namespace
}  // namespace rhea::test
