// SPDX-License-Identifier: GPL-2.0-or-later
// Serial ports on ISA: places, lines, what is refused.
#include "tests/support/bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

TEST(IsaSerial, PortsTakeTheirUsualPlacesInTurn) {
  Bench bench;
  bench.add("isa-serial");
  bench.add("isa-serial");
  bench.add("isa-serial");
  bench.add("isa-serial");
  EXPECT_EQ(bench.inb(0x3fd), 0x60);
  EXPECT_EQ(bench.inb(0x2fd), 0x60);
  EXPECT_EQ(bench.inb(0x3ed), 0x60);
  EXPECT_EQ(bench.inb(0x2ed), 0x60);
  bench.outb(0x2f9, 0x02);
  EXPECT_TRUE(bench.irq(3));
  EXPECT_FALSE(bench.irq(4));
}

TEST(IsaSerial, AFifthPortIsRefused) {
  Bench bench;
  const auto result = bench.try_add("isa-serial", {{"index", "4"}});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message().find("index"), std::string::npos);
}

TEST(IsaSerial, PlaceAndLineCanBeChosen) {
  Bench bench;
  bench.add("isa-serial", {{"iobase", "0x1000"}, {"irq", "7"}});
  bench.outb(0x1001, 0x02);
  EXPECT_TRUE(bench.irq(7));
}

TEST(IsaSerial, AWrongLineIsRefused) {
  Bench bench;
  EXPECT_FALSE(bench.try_add("isa-serial", {{"irq", "16"}}));
  EXPECT_EQ(bench.inb(0x3fd), 0xff);
}

TEST(IsaSerial, AnUnknownChardevIsRefused) {
  Bench bench;
  const auto result = bench.try_add("isa-serial", {{"chardev", "nobody"}});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message().find("nobody"), std::string::npos);
}

TEST(IsaSerial, ABaudBaseOfZeroIsRefused) {
  Bench bench;
  EXPECT_FALSE(bench.try_add("isa-serial", {{"baudbase", "0"}}));
}

TEST(IsaSerial, AChardevIsFreeAgainWhenThePortIsGone) {
  Bench bench;
  FakeChardev& chardev = FakeChardev::make(bench, "fake0");
  Device& port = bench.add("isa-serial", {{"chardev", "fake0"}});
  EXPECT_TRUE(chardev.attached());
  ASSERT_TRUE(port.set_realized(false));
  EXPECT_FALSE(chardev.attached());
  EXPECT_EQ(bench.inb(0x3fd), 0xff);
}

}  // namespace
}  // namespace rhea::test
