// SPDX-License-Identifier: GPL-2.0-or-later
// The edu device.
#include "tests/support/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::Each;
using testing::ElementsAre;

constexpr u64 kBase = 0xfe00'0000;
constexpr u64 kBuffer = 0x40000;
constexpr i64 kLongEnough = 1'000'000;

class Edu : public testing::Test {
 protected:
  Edu() {
    bench.add("edu", {{"addr", "3"}});
    bench.config_write(3 << 3, 0x10, kBase, 4);
    bench.config_write(3 << 3, 0x04, 6, 2);
  }
  u32 read(u64 reg) { return static_cast<u32>(bench.load(kBase + reg, 4)); }
  void write(u64 reg, u64 value, unsigned size = 4) { bench.store(kBase + reg, value, size); }
  void dma(u64 source, u64 destination, u64 count, u64 command) {
    write(0x80, source, 8);
    write(0x88, destination, 8);
    write(0x90, count, 8);
    write(0x98, command, 8);
  }
  bool irq() { return bench.intx(3); }
  Bench bench;
};

TEST_F(Edu, IdentifiesItself) {
  EXPECT_EQ(bench.config_read(3 << 3, 0, 4), 0x11e8'1234u);
  EXPECT_EQ(read(0x00), 0x0100'00edu);
}

TEST_F(Edu, LivenessInverts) {
  write(0x04, 0x1234'00ff);
  EXPECT_EQ(read(0x04), 0xedcb'ff00u);
}

TEST_F(Edu, RegistersBelow0x80AreFourBytesWide) {
  write(0x04, 0, 4);
  EXPECT_EQ(bench.load(kBase, 8), ~u64{0});
  bench.store(kBase + 0x00, 0x5555'5555'5555'5555, 8);
  EXPECT_EQ(read(0x04), 0xffff'ffffu);
  EXPECT_EQ(bench.load(kBase, 1), 0xffu);
}

TEST_F(Edu, FactorialTakesTime) {
  write(0x08, 5);
  EXPECT_EQ(read(0x20) & 1, 1u);
  EXPECT_EQ(read(0x08), 5u);
  bench.advance(kLongEnough);
  EXPECT_EQ(read(0x20) & 1, 0u);
  EXPECT_EQ(read(0x08), 120u);
}

TEST_F(Edu, FactorialsWrapAt32Bits) {
  write(0x08, 13);
  bench.advance(kLongEnough);
  EXPECT_EQ(read(0x08), 1932053504u);
  write(0x08, 0xffff'ffff);
  bench.advance(kLongEnough);
  EXPECT_EQ(read(0x08), 0u);
  write(0x08, 0);
  bench.advance(kLongEnough);
  EXPECT_EQ(read(0x08), 1u);
}

TEST_F(Edu, ANumberWrittenWhileComputingIsIgnored) {
  write(0x08, 4);
  write(0x08, 3);
  bench.advance(kLongEnough);
  EXPECT_EQ(read(0x08), 24u);
}

TEST_F(Edu, FactorialInterruptsWhenAsked) {
  write(0x20, 0x80);
  write(0x08, 4);
  bench.advance(kLongEnough);
  EXPECT_EQ(read(0x24), 1u);
  EXPECT_TRUE(irq());
}

TEST_F(Edu, FactorialDoesNotInterruptUnasked) {
  write(0x08, 4);
  bench.advance(kLongEnough);
  EXPECT_FALSE(irq());
}

TEST_F(Edu, AcknowledgingTheLastBitLowersTheLine) {
  write(0x60, 0x0f);
  EXPECT_EQ(read(0x24), 0x0fu);
  EXPECT_TRUE(irq());
  write(0x64, 0x07);
  EXPECT_TRUE(irq());
  write(0x64, 0x08);
  EXPECT_FALSE(irq());
  EXPECT_EQ(read(0x24), 0u);
}

TEST_F(Edu, UsesMsiWhenEnabled) {
  bench.config_write(3 << 3, 0x44, 0xfee0'0000, 4);
  bench.config_write(3 << 3, 0x4c, 0x31, 2);
  bench.config_write(3 << 3, 0x42, 1, 2);
  write(0x60, 1);
  EXPECT_THAT(bench.messages(), ElementsAre(MsiMessage{.address = 0xfee0'0000, .data = 0x31}));
  EXPECT_FALSE(irq());
}

TEST_F(Edu, DmaCopiesToTheBufferAndBack) {
  bench.store(0x1000, 0x0807'0605'0403'0201, 8);
  dma(0x1000, kBuffer + 16, 8, 1);
  EXPECT_EQ(bench.load(kBase + 0x98, 8) & 1, 1u);
  bench.advance(kLongEnough);
  EXPECT_EQ(bench.load(kBase + 0x98, 8) & 1, 0u);
  dma(kBuffer + 16, 0x2000, 8, 3);
  bench.advance(kLongEnough);
  EXPECT_EQ(bench.load(0x2000, 8), 0x0807'0605'0403'0201u);
}

TEST_F(Edu, DmaInterruptsWhenAsked) {
  dma(0x1000, kBuffer, 4, 5);
  bench.advance(kLongEnough);
  EXPECT_EQ(read(0x24), 0x100u);
  EXPECT_TRUE(irq());
}

TEST_F(Edu, DmaRegistersAreLockedWhileItRuns) {
  dma(0x1000, kBuffer, 4, 1);
  write(0x80, 0x3000, 8);
  write(0x98, 3, 8);
  EXPECT_EQ(bench.load(kBase + 0x80, 8), 0x1000u);
  EXPECT_EQ(bench.load(kBase + 0x98, 8), 1u);
}

TEST_F(Edu, DmaCanFillTheWholeBuffer) {
  bench.write(0x1000, std::vector<u8>(4096, 0xa5));
  dma(0x1000, kBuffer, 4096, 1);
  bench.advance(kLongEnough);
  dma(kBuffer, 0x4000, 4096, 3);
  bench.advance(kLongEnough);
  EXPECT_THAT(bench.read(0x4000, 4096), Each(0xa5));
}

TEST_F(Edu, DmaOutsideOfTheBufferCopiesNothing) {
  bench.write(0x4000, std::vector<u8>(8192, 0x11));
  dma(kBuffer + 1, 0x4000, 4096, 7);
  bench.advance(kLongEnough);
  dma(kBuffer - 1, 0x4000, 1, 7);
  bench.advance(kLongEnough);
  dma(kBuffer + 4096, 0x4000, 1, 7);
  bench.advance(kLongEnough);
  dma(kBuffer, 0x4000, ~u64{0}, 7);
  bench.advance(kLongEnough);
  EXPECT_THAT(bench.read(0x4000, 8192), Each(0x11));
  EXPECT_EQ(bench.load(kBase + 0x98, 8) & 1, 0u);
  EXPECT_EQ(read(0x24), 0u);
}

TEST_F(Edu, DmaIntoTheBufferFromOutsideOfItCopiesNothing) {
  bench.write(0x1000, std::vector<u8>(16, 0x22));
  dma(0x1000, kBuffer + 4090, 16, 1);
  bench.advance(kLongEnough);
  dma(kBuffer, 0x2000, 4096, 3);
  bench.advance(kLongEnough);
  EXPECT_THAT(bench.read(0x2000, 4096), Each(0));
}

TEST_F(Edu, DmaNeedsBusMastering) {
  bench.config_write(3 << 3, 0x04, 2, 2);
  bench.store(0x4000, 0x33, 1);
  dma(kBuffer, 0x4000, 1, 3);
  bench.advance(kLongEnough);
  EXPECT_EQ(bench.load(0x4000, 1), 0x33u);
}

TEST_F(Edu, DmaAddressesAreMasked) {
  bench.store(0x1000, 0x44, 1);
  dma(0xf000'1000, kBuffer, 1, 1);
  bench.advance(kLongEnough);
  dma(kBuffer, 0x2000, 1, 3);
  bench.advance(kLongEnough);
  EXPECT_EQ(bench.load(0x2000, 1), 0x44u);
}

TEST_F(Edu, ResetStopsEverything) {
  write(0x20, 0x80);
  write(0x08, 4);
  dma(0x1000, kBuffer, 4, 5);
  write(0x60, 2);
  bench.reset();
  bench.advance(kLongEnough);
  bench.config_write(3 << 3, 0x10, kBase, 4);
  bench.config_write(3 << 3, 0x04, 6, 2);
  EXPECT_EQ(read(0x24), 0u);
  EXPECT_EQ(read(0x08), 0u);
  EXPECT_FALSE(irq());
}

TEST_F(Edu, ASnapshotHoldsWorkInProgress) {
  bench.store(0x1000, 0x55, 1);
  write(0x08, 6);
  dma(0x1000, kBuffer, 1, 5);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(bench.save(), saved);
  bench.advance(kLongEnough);
  EXPECT_EQ(read(0x08), 720u);
  EXPECT_EQ(read(0x24), 0x100u);
}

TEST(EduMask, IsAProperty) {
  Bench bench;
  bench.add("edu", {{"addr", "3"}, {"dma_mask", "0xfff"}});
  bench.config_write(3 << 3, 0x10, kBase, 4);
  bench.config_write(3 << 3, 0x04, 6, 2);
  bench.store(kBase + 0x80, kBuffer, 8);
  bench.store(kBase + 0x88, 0x1004, 8);
  bench.store(kBase + 0x90, 1, 8);
  bench.store(0x0004, 0x66, 1);
  bench.store(kBase + 0x98, 3, 8);
  bench.advance(kLongEnough);
  EXPECT_EQ(bench.load(0x0004, 1), 0u);
}

}  // namespace
}  // namespace rhea::test
