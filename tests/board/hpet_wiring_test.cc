// SPDX-License-Identifier: GPL-2.0-or-later
// The HPET on the board: between the 8254 and the real-time clock and their lines, and what
// firmware is told of it.
#include "tests/board/firmware_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr u64 kHpetBlock = 0xfed0'0000;

struct HpetPc {
  explicit HpetPc(bool there = true)
      : pc({}, [there](Machine& machine) {
          machine.service<hw::BoardService>().properties.emplace_back("hpet", there ? "on" : "off");
        }) {}
  /// The 8259s' requests: the first eight lines, or the others.
  u64 requests(u16 port) {
    pc.machine().io().store(port, 0x0a, 1);
    return pc.machine().io().load(port, 1);
  }
  void out(u16 port, u64 value) { pc.machine().io().store(port, value, 1); }
  void hpet(u64 reg, u64 value) { pc.machine().memory().store(kHpetBlock + reg, value, 8); }
  void pass(i64 ns) {
    pc.machine().virtual_clock().advance_to(pc.machine().virtual_clock().now_ns() + ns);
  }
  /// Initialised 8259s, as firmware leaves them.
  void set_up_pics() {
    for (const u16 port : {0x20, 0xa0}) {
      out(port, 0x11);
      out(port + 1, 8);
      out(port + 1, port == 0x20 ? 4 : 2);
      out(port + 1, 1);
      out(port + 1, 0xff);
    }
  }
  std::string tables() {
    const auto bytes = fw_cfg_file(pc, "etc/acpi/tables");
    return {bytes.begin(), bytes.end()};
  }
  Pc pc;
};

TEST(HpetWiring, IsThereUnlessItIsNotWanted) {
  HpetPc with, without(false);
  EXPECT_EQ(with.pc.machine().memory().load(kHpetBlock, 4), 0x8086'a201u);
  EXPECT_EQ(without.pc.machine().memory().load(kHpetBlock, 4), 0xffff'ffffu);
}

TEST(HpetWiring, The8254ReachesLine0ThroughIt) {
  HpetPc m;
  m.set_up_pics();
  m.out(0x43, 0x34);
  m.out(0x40, 0x00);
  m.out(0x40, 0x10);
  m.pass(5'000'000);
  EXPECT_EQ(m.requests(0x20) & 1, 1u);
}

TEST(HpetWiring, TheClockReachesLine8ThroughIt) {
  HpetPc m;
  m.set_up_pics();
  m.out(0x70, 0x0b);
  m.out(0x71, 0x42);
  m.pass(5'000'000);
  EXPECT_EQ(m.requests(0xa0) & 1, 1u);
}

TEST(HpetWiring, LegacyReplacementTakesLine0From8254) {
  HpetPc m;
  m.set_up_pics();
  m.hpet(0x10, 3);
  m.out(0x43, 0x34);
  m.out(0x40, 0x00);
  m.out(0x40, 0x10);
  m.pass(5'000'000);
  EXPECT_EQ(m.requests(0x20) & 1, 0u);
  m.hpet(0x100, 4);
  m.hpet(0x108, 1'000'000);
  m.pass(5'000'000);
  EXPECT_EQ(m.requests(0x20) & 1, 1u);
}

TEST(HpetWiring, FirmwareHasATableOfIt) {
  HpetPc with, without(false);
  EXPECT_THAT(with.tables(), HasSubstr("HPET"));
  EXPECT_THAT(without.tables(), Not(HasSubstr("HPET")));
}

TEST(HpetWiring, FirmwareThatMakesItsOwnTablesIsToldOfIt) {
  HpetPc with, without(false);
  EXPECT_EQ(fw_cfg_item(with.pc, 0x8004, 1), 1u);
  EXPECT_EQ(fw_cfg_item(with.pc, 0x8004, 5) >> 8, 0x8086'a201u);
  EXPECT_EQ(fw_cfg_item(without.pc, 0x8004, 1), 0xffu);
}

}  // namespace
}  // namespace rhea::test
