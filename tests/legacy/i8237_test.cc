// SPDX-License-Identifier: GPL-2.0-or-later
// The pair of 8237A.
#include "tests/support/bench.h"

#include <gtest/gtest.h>

#include <numeric>

namespace rhea::test {
namespace {

using Bytes = std::vector<u8>;

/// A device that has some bytes to give, or takes some.
class TestClient : public IsaDmaClient {
 public:
  explicit TestClient(Bench& bench) : bench_(&bench) {}
  u32 dma_transfer(unsigned channel, u32 position, u32 size) override {
    ++turns;
    offered = size;
    const u32 count = std::min(size, per_turn);
    IsaDma& dma = *bench_->isa().dma();
    u32 moved = 0;
    if (!to_memory.empty()) {
      const auto length = std::min<std::size_t>(count, to_memory.size());
      moved = dma.write_memory(channel, position, std::span(to_memory).first(length));
      to_memory.erase(to_memory.begin(), to_memory.begin() + moved);
    } else if (reads) {
      Bytes data(count);
      moved = dma.read_memory(channel, position, data);
      from_memory.insert(from_memory.end(), data.begin(), data.begin() + moved);
    }
    return position + moved;
  }

  Bytes to_memory;
  Bytes from_memory;
  bool reads{false};
  u32 per_turn{0x20000};
  u32 offered{0};
  int turns{0};

 private:
  Bench* bench_;
};

class I8237Test : public testing::Test {
 protected:
  I8237Test() : client_(bench_) { bench_.add("i8237"); }

  IsaDma& dma() { return *bench_.isa().dma(); }
  /// Programs channel 2: mode bits, 24-bit address, bytes.
  void program(u8 mode, u32 address, u32 bytes) {
    bench_.outb(0x0a, 0x06);
    bench_.outb(0x0c, 0x00);
    bench_.outb(0x0b, mode | 2);
    bench_.outb(0x04, static_cast<u8>(address));
    bench_.outb(0x04, static_cast<u8>(address >> 8));
    bench_.outb(0x81, static_cast<u8>(address >> 16));
    bench_.outb(0x05, static_cast<u8>(bytes - 1));
    bench_.outb(0x05, static_cast<u8>((bytes - 1) >> 8));
    bench_.outb(0x0a, 0x02);
  }
  /// The same for channel 5, in words.
  void program_words(u8 mode, u32 address, u32 words) {
    bench_.outb(0xd4, 0x05);
    bench_.outb(0xd8, 0x00);
    bench_.outb(0xd6, mode | 1);
    bench_.outb(0xc4, static_cast<u8>(address >> 1));
    bench_.outb(0xc4, static_cast<u8>(address >> 9));
    bench_.outb(0x8b, static_cast<u8>(address >> 16));
    bench_.outb(0xc6, static_cast<u8>(words - 1));
    bench_.outb(0xc6, static_cast<u8>((words - 1) >> 8));
    bench_.outb(0xd4, 0x01);
  }
  void run() {
    for (int turn = 0; turn < 100; ++turn) bench_.machine().loop().iterate(false);
  }
  u16 word_at(u16 port) {
    bench_.outb(0x0c, 0x00);
    const u8 low = bench_.inb(port);
    return static_cast<u16>(low | bench_.inb(port) << 8);
  }
  static Bytes counting(std::size_t size) {
    Bytes bytes(size);
    std::iota(bytes.begin(), bytes.end(), u8{1});
    return bytes;
  }

  Bench bench_;
  TestClient client_;
};

constexpr u8 kSingleWrite = 0x44;
constexpr u8 kSingleRead = 0x48;
constexpr u8 kSingleVerify = 0x40;
constexpr u8 kAutoInit = 0x10;
constexpr u8 kDecrement = 0x20;
constexpr u8 kBlockWrite = 0x84;

TEST_F(I8237Test, HasTheDatasheetsResetState) {
  EXPECT_EQ(bench_.inb(0x08), 0x00);
  EXPECT_EQ(bench_.inb(0xd0), 0x00);
  EXPECT_EQ(bench_.inb(0x0d), 0x00);
  EXPECT_EQ(bench_.inb(0x0f), 0xff);
  EXPECT_EQ(bench_.inb(0xde), 0xff);
}

TEST_F(I8237Test, AddressAndCountGoThroughTheFlipFlop) {
  program(kSingleWrite, 0x1234, 0x100);
  EXPECT_EQ(word_at(0x04), 0x1234);
  EXPECT_EQ(word_at(0x05), 0x00ff);
}

TEST_F(I8237Test, TheSecondControllersRegistersAreTwoPortsApart) {
  program_words(kSingleWrite, 0x2468, 0x80);
  bench_.outb(0xd8, 0x00);
  EXPECT_EQ(bench_.inb(0xc4), 0x34);
  EXPECT_EQ(bench_.inb(0xc4), 0x12);
  EXPECT_EQ(bench_.inb(0xc6), 0x7f);
}

TEST_F(I8237Test, PageRegistersReadBack) {
  bench_.outb(0x81, 0x12);
  bench_.outb(0x80, 0x34);
  bench_.outb(0x481, 0x56);
  EXPECT_EQ(bench_.inb(0x81), 0x12);
  EXPECT_EQ(bench_.inb(0x80), 0x34);
  EXPECT_EQ(bench_.inb(0x481), 0x56);
}

TEST_F(I8237Test, MasksAreSetOneByOneAndTogether) {
  bench_.outb(0x0e, 0x00);
  EXPECT_EQ(bench_.inb(0x0f), 0xf0);
  bench_.outb(0x0a, 0x05);
  EXPECT_EQ(bench_.inb(0x0f), 0xf2);
  bench_.outb(0x0f, 0x0c);
  EXPECT_EQ(bench_.inb(0x0f), 0xfc);
  bench_.outb(0x0d, 0x00);
  EXPECT_EQ(bench_.inb(0x0f), 0xff);
}

TEST_F(I8237Test, ARequestMovesDataToMemory) {
  dma().register_client(2, client_);
  client_.to_memory = counting(16);
  program(kSingleWrite, 0x12345, 16);
  dma().hold_dreq(2);
  EXPECT_EQ(client_.turns, 0);
  run();
  EXPECT_EQ(bench_.read(0x12345, 17),
            (Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0}));
}

TEST_F(I8237Test, ARequestMovesDataFromMemory) {
  dma().register_client(2, client_);
  client_.reads = true;
  bench_.write(0x2'0000, counting(8));
  program(kSingleRead, 0x2'0000, 8);
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(client_.from_memory, counting(8));
}

TEST_F(I8237Test, AtTheEndTheChannelIsMaskedAndSaysSo) {
  dma().register_client(2, client_);
  client_.to_memory = counting(16);
  program(kSingleWrite, 0x1000, 16);
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(word_at(0x04), 0x1010);
  EXPECT_EQ(word_at(0x05), 0xffff);
  EXPECT_EQ(bench_.inb(0x0f), 0xff);
  EXPECT_EQ(bench_.inb(0x08), 0x44);
  EXPECT_EQ(bench_.inb(0x08), 0x40);
  dma().release_dreq(2);
  EXPECT_EQ(bench_.inb(0x08), 0x00);
}

TEST_F(I8237Test, APartShowsInTheCurrentRegisters) {
  dma().register_client(2, client_);
  client_.to_memory = counting(6);
  program(kSingleWrite, 0x1000, 16);
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(word_at(0x04), 0x1006);
  EXPECT_EQ(word_at(0x05), 9);
  EXPECT_EQ(bench_.inb(0x08), 0x40);
  EXPECT_EQ(client_.offered, 10u);
}

TEST_F(I8237Test, ADeviceThatMovedNothingIsNotAskedAgainUntilItCalls) {
  dma().register_client(2, client_);
  program(kSingleWrite, 0x1000, 16);
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(client_.turns, 1);
  client_.to_memory = counting(16);
  dma().schedule();
  run();
  EXPECT_EQ(client_.turns, 2);
  EXPECT_EQ(bench_.inb(0x08) & 0x04, 0x04);
}

TEST_F(I8237Test, AMaskedChannelWaitsForItsMask) {
  dma().register_client(2, client_);
  client_.to_memory = counting(4);
  program(kSingleWrite, 0x1000, 4);
  bench_.outb(0x0a, 0x06);
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(client_.turns, 0);
  EXPECT_EQ(bench_.inb(0x08), 0x40);
  bench_.outb(0x0a, 0x02);
  run();
  EXPECT_EQ(bench_.read(0x1000, 4), counting(4));
}

TEST_F(I8237Test, ADisabledControllerMovesNothing) {
  dma().register_client(2, client_);
  client_.to_memory = counting(4);
  program(kSingleWrite, 0x1000, 4);
  bench_.outb(0x08, 0x04);
  dma().hold_dreq(2);
  run();
  EXPECT_EQ(client_.turns, 0);
  bench_.outb(0x08, 0x00);
  run();
  EXPECT_EQ(client_.turns, 1);
}

TEST_F(I8237Test, WithoutARequestNothingMoves) {
  dma().register_client(2, client_);
  client_.to_memory = counting(4);
  program(kSingleWrite, 0x1000, 4);
  dma().hold_dreq(2);
  dma().release_dreq(2);
  run();
  EXPECT_EQ(client_.turns, 0);
}

TEST_F(I8237Test, ASoftwareRequestNeedsNoDevicesRequestAndNoMask) {
  dma().register_client(2, client_);
  client_.to_memory = counting(4);
  program(kBlockWrite, 0x1000, 4);
  bench_.outb(0x0a, 0x06);
  bench_.outb(0x09, 0x06);
  run();
  EXPECT_EQ(bench_.read(0x1000, 4), counting(4));
  EXPECT_EQ(bench_.inb(0x08), 0x04);
}

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

TEST_F(I8237Test, TwoChannelsShareASchedule) {
  TestClient other(bench_);
  dma().register_client(2, client_);
  dma().register_client(5, other);
  client_.to_memory = counting(4);
  other.to_memory = counting(4);
  program(kSingleWrite, 0x1000, 4);
  program_words(kSingleWrite, 0x2000, 2);
  dma().hold_dreq(2);
  dma().hold_dreq(5);
  run();
  EXPECT_EQ(bench_.read(0x1000, 4), counting(4));
  EXPECT_EQ(bench_.read(0x2000, 4), counting(4));
}

TEST_F(I8237Test, ResetMasksEverything) {
  program(kSingleWrite, 0x1000, 4);
  bench_.reset();
  EXPECT_EQ(bench_.inb(0x0f), 0xff);
  EXPECT_EQ(bench_.inb(0x08), 0x00);
}

TEST_F(I8237Test, ASnapshotInTheMiddleOfATransferGoesOn) {
  dma().register_client(2, client_);
  client_.to_memory = counting(6);
  program(kSingleWrite, 0x1000, 16);
  dma().hold_dreq(2);
  run();
  bench_.outb(0x0c, 0x00);
  bench_.inb(0x04);
  const auto saved = bench_.save();
  bench_.reset();

  ASSERT_TRUE(bench_.load(saved));

  EXPECT_EQ(bench_.inb(0x04), 0x10);
  client_.to_memory = counting(10);
  run();
  EXPECT_EQ(bench_.read(0x1006, 10), counting(10));
  EXPECT_EQ(bench_.inb(0x08), 0x44);
}

}  // namespace
}  // namespace rhea::test
