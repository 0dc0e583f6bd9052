// SPDX-License-Identifier: GPL-2.0-or-later
// The pair of 8237A on the bench, with a device that moves data.
#pragma once

#include "tests/support/bench.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace rhea::test {

/// A device that has some bytes to give, or takes some.
class DmaTestClient : public IsaDmaClient {
 public:
  explicit DmaTestClient(Bench& bench) : bench_(&bench) {}
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
      std::vector<u8> data(count);
      moved = dma.read_memory(channel, position, data);
      from_memory.insert(from_memory.end(), data.begin(), data.begin() + moved);
    }
    return position + moved;
  }

  std::vector<u8> to_memory;
  std::vector<u8> from_memory;
  bool reads{false};
  u32 per_turn{0x20000};
  u32 offered{0};
  int turns{0};

 private:
  Bench* bench_;
};

class I8237Test : public testing::Test {
 protected:
  using Bytes = std::vector<u8>;
  static constexpr u8 kSingleWrite = 0x44;
  static constexpr u8 kSingleRead = 0x48;
  static constexpr u8 kSingleVerify = 0x40;
  static constexpr u8 kAutoInit = 0x10;
  static constexpr u8 kDecrement = 0x20;
  static constexpr u8 kBlockWrite = 0x84;

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
  DmaTestClient client_;
};

}  // namespace rhea::test
