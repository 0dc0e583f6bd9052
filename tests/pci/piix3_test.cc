// SPDX-License-Identifier: GPL-2.0-or-later
// The PIIX3 ISA bridge: interrupt routing and reset control.
#include "tests/pci/chipset.h"
#include "tests/pci/test_device.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr unsigned kRoute = 0x60;

class Piix3 : public testing::Test {
 protected:
  Chipset pc;
  // Slot 3's INTA# is link 2, slot 4's link 3.
  TestPciDevice& device = add("3.0");
  void route(unsigned link, u8 value) { pc.set_config(Chipset::kIsa, kRoute + link, value, 1); }
  TestPciDevice& add(std::string_view addr) {
    auto object = *pc.machine.make("test-pci");
    EXPECT_TRUE(object->set("addr", std::string(addr)));
    return static_cast<TestPciDevice&>(**pc.machine.add_device(std::move(object), &pc.host->bus()));
  }
};

TEST_F(Piix3, HasDatasheetResetValues) {
  EXPECT_EQ(pc.config(Chipset::kIsa, 0x00), 0x7000'8086u);
  EXPECT_EQ(pc.config(Chipset::kIsa, 0x04), 0x0280'0007u);
  EXPECT_EQ(pc.config(Chipset::kIsa, 0x08), 0x0601'0000u);
  EXPECT_EQ(pc.config(Chipset::kIsa, 0x0e, 1), 0x80u);
  EXPECT_EQ(pc.config(Chipset::kIsa, 0x4c, 1), 0x4du);
  EXPECT_EQ(pc.config(Chipset::kIsa, 0x4e, 2), 0x0003u);
  EXPECT_EQ(pc.config(Chipset::kIsa, 0x60), 0x8080'8080u);
  EXPECT_EQ(pc.config(Chipset::kIsa, 0x69, 1), 0x02u);
  EXPECT_EQ(pc.config(Chipset::kIsa, 0x70, 1), 0x80u);
  EXPECT_EQ(pc.config(Chipset::kIsa, 0x76, 2), 0x0c0cu);
  EXPECT_EQ(pc.config(Chipset::kIsa, 0x78, 2), 0x0002u);
  EXPECT_EQ(pc.config(Chipset::kIsa, 0xa0, 1), 0x08u);
  EXPECT_EQ(pc.config(Chipset::kIsa, 0xa8, 1), 0x0fu);
}

TEST_F(Piix3, RouteRegistersKeepTheirBits) {
  pc.set_config(Chipset::kIsa, kRoute, 0xffff'ffff);
  EXPECT_EQ(pc.config(Chipset::kIsa, kRoute), 0x8f8f'8f8fu);
}

TEST_F(Piix3, LinksGoNowhereAfterReset) {
  device.set_intx(true);
  EXPECT_EQ(pc.irq, (std::array<bool, 16>{}));
}

TEST_F(Piix3, ALinkGoesToTheLineThatItIsRoutedTo) {
  route(2, 11);
  device.set_intx(true);
  EXPECT_TRUE(pc.irq[11]);
  device.set_intx(false);
  EXPECT_FALSE(pc.irq[11]);
}

TEST_F(Piix3, RoutingMovesARaisedLink) {
  route(2, 11);
  device.set_intx(true);
  route(2, 10);
  EXPECT_FALSE(pc.irq[11]);
  EXPECT_TRUE(pc.irq[10]);
  route(2, 0x8a);
  EXPECT_FALSE(pc.irq[10]);
}

TEST_F(Piix3, LinksOnOneLineAreWiredOr) {
  TestPciDevice& other = add("4.0");
  pc.set_config(Chipset::kIsa, kRoute, 0x0b0b'0b0b);
  device.set_intx(true);
  other.set_intx(true);
  device.set_intx(false);
  EXPECT_TRUE(pc.irq[11]);
  other.set_intx(false);
  EXPECT_FALSE(pc.irq[11]);
}

TEST_F(Piix3, SlotsAndPinsAreSwizzled) {
  route(3, 9);
  TestPciDevice& other = add("8.0");
  other.set_intx(true);
  EXPECT_TRUE(pc.irq[9]);
}

TEST_F(Piix3, ReservedLinesAreNotDriven) {
  route(2, 8);
  device.set_intx(true);
  EXPECT_FALSE(pc.irq[8]);
  route(2, 0);
  EXPECT_FALSE(pc.irq[0]);
}

TEST_F(Piix3, ResetTurnsRoutingOff) {
  route(2, 11);
  device.set_intx(true);
  pc.reset();
  EXPECT_FALSE(pc.irq[11]);
  EXPECT_EQ(pc.config(Chipset::kIsa, kRoute), 0x8080'8080u);
}

TEST_F(Piix3, SnapshotHoldsRoutingAndLevels) {
  route(2, 11);
  device.set_intx(true);
  const auto saved = pc.save();
  pc.reset();
  ASSERT_TRUE(pc.load(saved));
  EXPECT_TRUE(pc.irq[11]);
  device.set_intx(false);
  EXPECT_FALSE(pc.irq[11]);
}

TEST_F(Piix3, LoadingAQuietSnapshotLowersTheLine) {
  route(2, 11);
  const auto saved = pc.save();
  device.set_intx(true);
  ASSERT_TRUE(pc.load(saved));
  EXPECT_FALSE(pc.irq[11]);
}

TEST_F(Piix3, ResetControlResets) {
  pc.out(0xcf9, 0x02, 1);
  pc.settle();
  EXPECT_EQ(pc.resets, 0u);
  EXPECT_EQ(pc.in(0xcf9, 1), 0x02u);
  pc.out(0xcf9, 0x06, 1);
  pc.settle();
  EXPECT_EQ(pc.resets, 1u);
  EXPECT_EQ(pc.in(0xcf9, 1), 0x00u);
}

TEST_F(Piix3, ResetControlAndTheAddressRegisterAreApart) {
  pc.out(0xcf8, 0x8000'0600, 4);
  pc.settle();
  EXPECT_EQ(pc.resets, 0u);
  EXPECT_EQ(pc.in(0xcf9, 1), 0u);
  pc.out(0xcf9, 0x02, 1);
  EXPECT_EQ(pc.in(0xcf8, 4), 0x8000'0600u);
}

TEST_F(Piix3, ProvidesAnIsaBus) {
  Bus* bus = pc.machine.find_bus("ISA", "isa.0");
  ASSERT_NE(bus, nullptr);
  EXPECT_EQ(bus->parent(), pc.piix3);
}

}  // namespace
}  // namespace rhea::test
