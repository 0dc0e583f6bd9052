// SPDX-License-Identifier: GPL-2.0-or-later
// fw_cfg's registers, directory and DMA.
#include "rhea/hw/fw_cfg.h"

#include "tests/support/bench.h"

#include <gtest/gtest.h>

#include <atomic>
#include <bit>
#include <mutex>
#include <thread>

namespace rhea::test {
namespace {

constexpr u16 kSelector = 0x510, kData = 0x511, kDmaHigh = 0x514, kDmaLow = 0x518;
constexpr u32 kError = 1, kRead = 2, kSkip = 4, kSelect = 8, kWrite = 16;
constexpr u64 kDescriptor = 0x1000, kBuffer = 0x2000;

class FwCfgTest : public ::testing::Test {
 protected:
  FwCfgTest() : fw_cfg(dynamic_cast<FwCfg&>(bench.add("fw_cfg_io"))) {}

  std::string read_text(u16 key, std::size_t count) {
    bench.outw(kSelector, key);
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += static_cast<char>(bench.inb(kData));
    return text;
  }
  // Runs one transfer and gives the control word that the device left.
  u32 dma(u32 control, u32 length, u64 address) {
    bench.store(kDescriptor, std::byteswap(control), 4);
    bench.store(kDescriptor + 4, std::byteswap(length), 4);
    bench.store(kDescriptor + 8, std::byteswap(address), 8);
    bench.outl(kDmaHigh, 0);
    bench.outl(kDmaLow, std::byteswap(static_cast<u32>(kDescriptor)));
    return std::byteswap(static_cast<u32>(bench.load(kDescriptor, 4)));
  }
  std::string memory(u64 address, std::size_t length) {
    const auto bytes = bench.read(address, length);
    return {bytes.begin(), bytes.end()};
  }

  Bench bench;
  FwCfg& fw_cfg;
};

TEST_F(FwCfgTest, TheSignatureIsReadByteByByte) { EXPECT_EQ(read_text(0, 4), "QEMU"); }

TEST_F(FwCfgTest, TheIdOffersDma) { EXPECT_EQ(read_text(1, 4), std::string("\x03\0\0\0", 4)); }

TEST_F(FwCfgTest, UnknownKeysAndTheEndOfItemsReadAsZero) {
  EXPECT_EQ(read_text(0x7777, 2), std::string(2, '\0'));
  EXPECT_EQ(read_text(0, 6), std::string("QEMU\0\0", 6));
}

TEST_F(FwCfgTest, FilesAreInTheDirectoryBigEndianAndSortedByName) {
  fw_cfg.add_file("z", {1, 2, 3});
  fw_cfg.add_file("etc/a", {9});
  const std::string directory = read_text(fw_cfg_key::kFileDir, 4 + 2 * 64);
  EXPECT_EQ(directory.substr(0, 4), std::string("\0\0\0\2", 4));
  EXPECT_EQ(directory.substr(4, 6), std::string("\0\0\0\1\0\x21", 6));
  EXPECT_STREQ(directory.substr(12).c_str(), "etc/a");
  EXPECT_EQ(directory.substr(68, 6), std::string("\0\0\0\3\0\x20", 6));
}

TEST_F(FwCfgTest, TheDmaSignatureIsThere) {
  EXPECT_EQ(bench.inl(kDmaHigh), std::byteswap(0x51454d55u));
  EXPECT_EQ(bench.inl(kDmaLow), std::byteswap(0x20434647u));
}

TEST_F(FwCfgTest, DmaSelectsAndReads) {
  EXPECT_EQ(dma(kSelect | kRead, 4, kBuffer), 0u);
  EXPECT_EQ(memory(kBuffer, 4), "QEMU");
}

TEST_F(FwCfgTest, DmaReadsZeroesBehindTheEnd) {
  bench.store(kBuffer, ~u64{0}, 8);
  EXPECT_EQ(dma(kSelect | kRead, 8, kBuffer), 0u);
  EXPECT_EQ(memory(kBuffer, 8), std::string("QEMU\0\0\0\0", 8));
}

TEST_F(FwCfgTest, DmaSkips) {
  dma(kSelect | kSkip, 2, 0);
  EXPECT_EQ(dma(kRead, 2, kBuffer), 0u);
  EXPECT_EQ(memory(kBuffer, 2), "MU");
}

TEST_F(FwCfgTest, DmaOutsideMemoryIsAnError) {
  EXPECT_EQ(dma(kSelect | kRead, 4, u64{1} << 40), kError);
}

TEST_F(FwCfgTest, AHugeDmaEndsAtTheEndOfMemory) {
  EXPECT_EQ(dma(kSelect | kRead, 0xffffffff, kBuffer), kError);
}

TEST(FwCfgLongDma, LetsOthersHaveTheMachine) {
  Bench bench{64 * MiB};
  bench.add("fw_cfg_io");
  bench.store(kDescriptor, std::byteswap(kSelect | kRead), 4);
  bench.store(kDescriptor + 4, std::byteswap(static_cast<u32>(60 * MiB)), 4);
  bench.store(kDescriptor + 8, std::byteswap(kBuffer), 8);
  LockDomain& lock = bench.machine().lock();
  std::atomic<bool> had{false};
  std::jthread other;
  const DomainGuard guard(&lock);
  other = std::jthread([&] {
    const std::lock_guard turn(lock);
    had = true;
  });
  // Its turn can only come within a transfer: the lock is ours all the time.
  for (int i = 0; i < 2000 && !had; ++i)
    bench.outl(kDmaLow, std::byteswap(static_cast<u32>(kDescriptor)));
  EXPECT_TRUE(had);
}

TEST_F(FwCfgTest, ReadOnlyFilesRefuseDmaWrites) {
  fw_cfg.add_file("fixed", {1, 2, 3, 4});
  EXPECT_EQ(dma(fw_cfg_key::kFileFirst << 16 | kSelect | kWrite, 4, kBuffer), kError);
}

TEST_F(FwCfgTest, WritableFilesTakeDmaWritesWithinTheirSize) {
  std::vector<u8> seen;
  fw_cfg.add_writable_file("vmgenid", std::vector<u8>(4), [&](std::span<const u8> data) {
    seen.assign(data.begin(), data.end());
  });
  bench.store(kBuffer, 0x04030201, 4);
  EXPECT_EQ(dma(fw_cfg_key::kFileFirst << 16 | kSelect | kWrite, 5, kBuffer), kError);
  EXPECT_EQ(dma(fw_cfg_key::kFileFirst << 16 | kSelect | kWrite, 4, kBuffer), 0u);
  EXPECT_EQ(seen, (std::vector<u8>{1, 2, 3, 4}));
}

TEST_F(FwCfgTest, SelectionCallsBack) {
  unsigned calls = 0;
  fw_cfg.add_file("live", {1}, [&] { ++calls; });
  read_text(fw_cfg_key::kFileFirst, 1);
  EXPECT_EQ(calls, 1u);
}

TEST_F(FwCfgTest, ResetForgetsTheSelection) {
  fw_cfg.add_file("x", {7});
  bench.outw(kSelector, fw_cfg_key::kFileFirst);
  bench.reset();
  EXPECT_EQ(bench.inb(kData), 'Q');
}

}  // namespace
}  // namespace rhea::test
