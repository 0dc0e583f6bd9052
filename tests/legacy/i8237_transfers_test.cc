// SPDX-License-Identifier: GPL-2.0-or-later
// The 8237A's kinds of transfer, and where they lead.
#include "tests/legacy/i8237_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

TEST_F(I8237Test, ABlockGoesOnWithoutTheRequest) {
  dma().register_client(2, client_);
  client_.to_memory = counting(8);
  client_.per_turn = 2;
  program(kBlockWrite, 0x1000, 8);
  dma().hold_dreq(2);
  bench_.machine().loop().iterate(false);
  dma().release_dreq(2);
  run();
  EXPECT_EQ(bench_.read(0x1000, 8), counting(8));
}

TEST_F(I8237Test, AutoInitialisationBeginsAnew) {
  dma().register_client(2, client_);
  EXPECT_FALSE(dma().auto_init(2));
  client_.to_memory = counting(12);
  program(kSingleWrite | kAutoInit, 0x1000, 8);
  EXPECT_TRUE(dma().auto_init(2));
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(bench_.read(0x1000, 8), (Bytes{9, 10, 11, 12, 5, 6, 7, 8}));
  EXPECT_EQ(word_at(0x04), 0x1004);
  EXPECT_EQ(bench_.inb(0x08), 0x44);
  EXPECT_EQ(bench_.inb(0x0f), 0xfb);
}

TEST_F(I8237Test, ADecrementingChannelFillsDownwards) {
  dma().register_client(2, client_);
  client_.to_memory = counting(4);
  program(kSingleWrite | kDecrement, 0x1003, 4);
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(bench_.read(0x1000, 4), (Bytes{4, 3, 2, 1}));
  EXPECT_EQ(word_at(0x04), 0x0fff);
}

TEST_F(I8237Test, TheAddressWrapsWithinItsPage) {
  dma().register_client(2, client_);
  client_.to_memory = counting(4);
  program(kSingleWrite, 0x1'fffe, 4);
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(bench_.read(0x1'fffe, 2), (Bytes{1, 2}));
  EXPECT_EQ(bench_.read(0x1'0000, 2), (Bytes{3, 4}));
  EXPECT_EQ(bench_.read(0x2'0000, 2), (Bytes{0, 0}));
}

TEST_F(I8237Test, AVerifyCountsAndTouchesNothing) {
  dma().register_client(2, client_);
  client_.to_memory = counting(4);
  program(kSingleVerify, 0x1000, 4);
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(bench_.read(0x1000, 4), (Bytes{0, 0, 0, 0}));
  EXPECT_EQ(bench_.inb(0x08) & 0x04, 0x04);
}

TEST_F(I8237Test, TheLongestTransferIs64KiB) {
  dma().register_client(2, client_);
  client_.to_memory = Bytes(0x1'0010, 0xaa);
  program(kSingleWrite, 0x3'0000, 0x1'0000);
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(bench_.read(0x3'0000, 0x1'0000), Bytes(0x1'0000, 0xaa));
  EXPECT_EQ(bench_.read(0x4'0000, 1), Bytes{0});
  EXPECT_EQ(client_.to_memory.size(), 0x10u);
}

TEST_F(I8237Test, WordChannelsMoveWords) {
  dma().register_client(5, client_);
  client_.to_memory = counting(8);
  program_words(kSingleWrite, 0x4'2000, 4);
  dma().hold_dreq(5);
  run();
  EXPECT_EQ(client_.offered, 8u);
  EXPECT_EQ(bench_.read(0x4'2000, 9), (Bytes{1, 2, 3, 4, 5, 6, 7, 8, 0}));
  EXPECT_EQ(bench_.inb(0xd0), 0x22);
}

TEST_F(I8237Test, WordChannelsDecrementByWords) {
  dma().register_client(5, client_);
  client_.to_memory = counting(4);
  program_words(kSingleWrite | kDecrement, 0x2002, 2);
  dma().hold_dreq(5);
  run();
  EXPECT_EQ(bench_.read(0x2000, 4), (Bytes{3, 4, 1, 2}));
}

TEST_F(I8237Test, ACascadeChannelMovesNothing) {
  dma().register_client(4, client_);
  client_.to_memory = counting(4);
  bench_.outb(0xd6, 0xc0);
  bench_.outb(0xd4, 0x00);
  dma().hold_dreq(4);
  run();
  EXPECT_EQ(client_.turns, 0);
}

TEST_F(I8237Test, HighPagesReachBeyond16MiB) {
  dma().register_client(2, client_);
  client_.to_memory = counting(4);
  bench_.outb(0x481, 0x01);
  program(kSingleWrite, 0x1000, 4);
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(bench_.read(0x1000, 4), (Bytes{0, 0, 0, 0}));
}

TEST_F(I8237Test, WritesBeyondTheTransferAreCut) {
  program(kSingleWrite, 0x1000, 4);
  EXPECT_EQ(dma().write_memory(2, 2, counting(10)), 2u);
  EXPECT_EQ(dma().write_memory(2, 4, counting(10)), 0u);
  EXPECT_EQ(bench_.read(0x1000, 6), (Bytes{0, 0, 1, 2, 0, 0}));
}

}  // namespace
}  // namespace rhea::test
