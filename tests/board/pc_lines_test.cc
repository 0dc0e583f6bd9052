// SPDX-License-Identifier: GPL-2.0-or-later
// Interrupt lines that several devices of the pc board share.
#include "rhea/hw/pci.h"
#include "rhea/softmmu/snapshot.h"
#include "tests/conformance/fixture.h"
#include "tests/support/pc.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr u16 kSlavePic = 0xa0, kSlaveElcr = 0x4d1;
constexpr unsigned kBridge = 1 << 3, kPm = 1 << 3 | 3;
constexpr u16 kPmBase = 0x600, kApmPort = 0xb2;
constexpr u16 kPowerButton = 0x0100;

/// IRQ 9 with both of its usual sources: an "edu" whose link is routed there, and the SCI with the
/// power button enabled.
class PcIrq9 : public ::testing::Test {
 protected:
  PcIrq9() {
    auto& bus = *static_cast<PciBus*>(machine.find_bus("PCI"));
    edu = static_cast<PciDevice*>(*machine.add_device(*machine.make("edu"), &bus));
    map_bars(*edu);
    bus.config_write(kBridge, 0x60, 0x09090909, 4);
    bus.config_write(kPm, 0x40, kPmBase | 1, 4);
    bus.config_write(kPm, 0x80, 1, 1);
    machine.io().store(kApmPort, 0xf1, 1);
    machine.io().store(kPmBase + 2, kPowerButton, 2);
    machine.io().store(kSlaveElcr, 0x02, 1);
  }

  /// The interrupt request register of the slave 8259, which follows level-triggered lines.
  bool irq9() {
    machine.io().store(kSlavePic, 0x0a, 1);
    return (machine.io().load(kSlavePic, 1) & 0x02) != 0;
  }
  void raise_edu() { machine.memory().store(edu_register(0x60), 1, 4); }
  void lower_edu() { machine.memory().store(edu_register(0x64), 1, 4); }
  void raise_sci() {
    machine.request_powerdown();
    machine.loop().iterate(false);
  }
  void lower_sci() { machine.io().store(kPmBase, kPowerButton, 2); }

  Pc pc;
  Machine& machine{pc.machine()};
  PciDevice* edu{};

 private:
  u64 edu_register(u64 offset) { return (edu->config_read(pci::kBar0, 4) & ~0xfU) + offset; }
};

TEST_F(PcIrq9, IsLowWithoutASource) { EXPECT_FALSE(irq9()); }

TEST_F(PcIrq9, FollowsEachSource) {
  raise_edu();
  EXPECT_TRUE(irq9());
  lower_edu();
  EXPECT_FALSE(irq9());
  raise_sci();
  EXPECT_TRUE(irq9());
  lower_sci();
  EXPECT_FALSE(irq9());
}

TEST_F(PcIrq9, StaysHighWhenTheLinkGoesBeforeTheSci) {
  raise_edu();
  raise_sci();
  lower_edu();
  EXPECT_TRUE(irq9());
  lower_sci();
  EXPECT_FALSE(irq9());
}

TEST_F(PcIrq9, StaysHighWhenTheSciGoesBeforeTheLink) {
  raise_edu();
  raise_sci();
  lower_sci();
  EXPECT_TRUE(irq9());
  lower_edu();
  EXPECT_FALSE(irq9());
}

TEST_F(PcIrq9, RemembersItsSourcesInASnapshot) {
  raise_edu();
  raise_sci();
  const auto stream = save_machine(machine);
  lower_edu();
  lower_sci();
  ASSERT_TRUE(load_machine(machine, stream));
  EXPECT_TRUE(irq9());
  lower_edu();
  EXPECT_TRUE(irq9());
  lower_sci();
  EXPECT_FALSE(irq9());
}

TEST_F(PcIrq9, GoesLowWithTheMachineReset) {
  raise_edu();
  raise_sci();
  machine.reset_now(ShutdownCause::SubsystemReset, ResetKind::Cold);
  machine.io().store(kSlaveElcr, 0x02, 1);
  EXPECT_FALSE(irq9());
}

}  // namespace
}  // namespace rhea::test
