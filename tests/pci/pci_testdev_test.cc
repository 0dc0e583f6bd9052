// SPDX-License-Identifier: GPL-2.0-or-later
// The PCI device of kvm-unit-tests.
#include "tests/support/bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr u64 kMemory = 0xfe00'0000;
constexpr u16 kPorts = 0xc000;

class PciTestdev : public testing::Test {
 protected:
  PciTestdev() {
    bench.add("pci-testdev", {{"addr", "3"}});
    bench.config_write(3 << 3, 0x10, kMemory, 4);
    bench.config_write(3 << 3, 0x14, kPorts, 4);
    bench.config_write(3 << 3, 0x04, 3, 2);
  }
  u32 read(u64 field, unsigned size = 4) {
    return static_cast<u32>(bench.load(kMemory + field, size));
  }
  void write_data(unsigned times) {
    for (unsigned i = 0; i < times; ++i) bench.store(kMemory + read(4), read(8), 1);
  }
  std::string name() {
    std::string text;
    while (const char c = static_cast<char>(read(16 + text.size(), 1))) text += c;
    return text;
  }
  Bench bench;
};

TEST_F(PciTestdev, IdentifiesItself) {
  EXPECT_EQ(bench.config_read(3 << 3, 0, 4), 0x0005'1b36u);
  EXPECT_EQ(bench.config_read(3 << 3, 8, 4), 0x00ff'0000u);
}

TEST_F(PciTestdev, CountsWritesOfTheDataToTheOffset) {
  bench.store(kMemory, 0, 1);
  EXPECT_EQ(read(1, 1), 1u);
  EXPECT_EQ(name(), "mmio-no-eventfd");
  EXPECT_EQ(read(4), 2048u);
  write_data(16);
  bench.store(kMemory + read(4), read(8) + 1, 1);
  EXPECT_EQ(read(12), 16u);
}

TEST_F(PciTestdev, EventsSwallowTheWrites) {
  bench.store(kMemory, 1, 1);
  EXPECT_EQ(name(), "mmio-wildcard-eventfd");
  write_data(3);
  EXPECT_EQ(read(12), 0u);
  bench.store(kMemory, 2, 1);
  EXPECT_EQ(name(), "mmio-datamatch-eventfd");
  write_data(3);
  EXPECT_EQ(read(12), 0u);
}

TEST_F(PciTestdev, AnUnknownTestHasNoWidth) {
  bench.store(kMemory, 3, 1);
  EXPECT_EQ(read(1, 1), 0u);
  EXPECT_EQ(read(4), 0u);
}

TEST_F(PciTestdev, PortsHaveTestsOfTheirOwn) {
  bench.outb(kPorts, 0);
  EXPECT_EQ(bench.inb(kPorts + 1), 1u);
  const auto target = static_cast<u16>(kPorts + bench.inl(kPorts + 4));
  EXPECT_EQ(target, kPorts + 128 + 3);
  bench.outb(target, bench.inb(kPorts + 8));
  EXPECT_EQ(bench.inl(kPorts + 12), 1u);
}

TEST_F(PciTestdev, ARunningTestSurvivesASnapshot) {
  bench.store(kMemory, 0, 1);
  write_data(5);
  const auto stream = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(stream));
  write_data(1);
  EXPECT_EQ(read(12), 6u);
}

TEST(PciTestdevMembar, IsAnEmptyBarOfTheSizeAskedFor) {
  Bench bench;
  bench.add("pci-testdev", {{"addr", "3"}, {"membar", "16M"}});
  bench.config_write(3 << 3, 0x18, 0xffffffff, 4);
  EXPECT_EQ(bench.config_read(3 << 3, 0x18, 4), 0xff00'000cu);
  EXPECT_FALSE(bench.try_add("pci-testdev", {{"membar", "3M"}}));
}

}  // namespace
}  // namespace rhea::test
