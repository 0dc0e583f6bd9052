// SPDX-License-Identifier: GPL-2.0-or-later
// The i440FX host bridge: configuration ports, PAM, SMRAM, where RAM lies.
#include "rhea/qom/registry.h"
#include "rhea/softmmu/smm.h"
#include "tests/pci/chipset.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using hw::split_ram;

constexpr unsigned kPam0 = 0x59, kSmram = 0x72;
constexpr u8 kRom = 0xf0;

class I440fx : public testing::Test {
 protected:
  Chipset pc;
  void pam(unsigned n, u8 value) { pc.set_config(Chipset::kBridge, kPam0 + n, value, 1); }
  void smram(u8 value) { pc.set_config(Chipset::kBridge, kSmram, value, 1); }
  u8 smram() { return static_cast<u8>(pc.config(Chipset::kBridge, kSmram, 1)); }
};

TEST_F(I440fx, HasDatasheetResetValues) {
  EXPECT_EQ(pc.config(0, 0x00), 0x1237'8086u);
  EXPECT_EQ(pc.config(0, 0x04), 0x0280'0006u);
  EXPECT_EQ(pc.config(0, 0x08), 0x0600'0002u);
  EXPECT_EQ(pc.config(0, 0x57, 1), 0x01u);
  EXPECT_EQ(pc.config(0, 0x58, 1), 0x10u);
  EXPECT_EQ(pc.config(0, 0x5c), 0u);
  EXPECT_EQ(pc.config(0, 0x71, 1), 0x10u);
  EXPECT_EQ(smram(), 0x02u);
}

TEST_F(I440fx, AddressRegisterTakesDwordsOnly) {
  pc.out(0xcf8, 0xffff'ffff, 4);
  EXPECT_EQ(pc.in(0xcf8, 4), 0x80ff'fffcu);
  pc.out(0xcf8, 0x00, 1);
  pc.out(0xcfa, 0x0000, 2);
  EXPECT_EQ(pc.in(0xcf8, 4), 0x80ff'fffcu);
  EXPECT_EQ(pc.in(0xcf8, 1), 0xffu);
  EXPECT_EQ(pc.in(0xcf8, 2), 0xffffu);
}

TEST_F(I440fx, DataRegisterTakesEverySizeAndOffset) {
  pc.out(0xcf8, 0x8000'0000, 4);
  EXPECT_EQ(pc.in(0xcfc, 4), 0x1237'8086u);
  EXPECT_EQ(pc.in(0xcfc, 2), 0x8086u);
  EXPECT_EQ(pc.in(0xcfd, 2), 0x3780u);
  EXPECT_EQ(pc.in(0xcfe, 2), 0x1237u);
  EXPECT_EQ(pc.in(0xcfd, 1), 0x80u);
  EXPECT_EQ(pc.in(0xcff, 1), 0x12u);
}

TEST_F(I440fx, DataRegisterIsDeadWhileNotEnabled) {
  pc.out(0xcf8, 0x0000'0059, 4);
  pc.out(0xcfd, 0x10, 1);
  EXPECT_EQ(pc.in(0xcfc, 4), 0xffff'ffffu);
  EXPECT_EQ(pc.config(0, kPam0, 1), 0u);
}

TEST_F(I440fx, OtherBusesAreEmpty) {
  pc.out(0xcf8, 0x8001'0000, 4);
  EXPECT_EQ(pc.in(0xcfc, 4), 0xffff'ffffu);
}

TEST_F(I440fx, RomShowsAfterReset) {
  EXPECT_EQ(pc.peek(0xc0000), kRom);
  EXPECT_EQ(pc.peek(0xfffff), kRom);
  pc.poke(0xf0000, 1);
  EXPECT_EQ(pc.peek(0xf0000), kRom);
  EXPECT_EQ(pc.host->regions().ram->host()[0xf0000], 0);
}

TEST_F(I440fx, ReadWriteSegmentIsRam) {
  pam(0, 0x30);
  EXPECT_EQ(pc.peek(0xf0000), 0);
  pc.poke(0xf0000, 0x12);
  pc.poke(0xfffff, 0x34);
  EXPECT_EQ(pc.peek(0xf0000), 0x12);
  EXPECT_EQ(pc.peek(0xfffff), 0x34);
  EXPECT_EQ(pc.peek(0xeffff), kRom);
}

TEST_F(I440fx, ReadOnlySegmentIsRamThatKeepsItsContents) {
  pam(0, 0x30);
  pc.poke(0xf0000, 0x12);
  pam(0, 0x10);
  pc.poke(0xf0000, 0x99);
  EXPECT_EQ(pc.peek(0xf0000), 0x12);
}

TEST_F(I440fx, WriteOnlySegmentReadsRomAndWritesRam) {
  pam(0, 0x20);
  pc.poke(0xf1234, 0x56);
  EXPECT_EQ(pc.peek(0xf1234), kRom);
  pam(0, 0x10);
  EXPECT_EQ(pc.peek(0xf1234), 0x56);
}

TEST_F(I440fx, RomCanBeShadowedInPlace) {
  pam(0, 0x20);
  std::vector<u8> block(4096);
  static_cast<void>(pc.machine.memory().read(0xf8000, block));
  static_cast<void>(pc.machine.memory().write(0xf8000, block));
  pam(0, 0x10);
  EXPECT_EQ(pc.peek(0xf8000), kRom);
  EXPECT_EQ(pc.peek(0xf8fff), kRom);
  EXPECT_EQ(pc.peek(0xf9000), 0);
}

TEST_F(I440fx, WriteOnlySegmentIsMemoryToReaders) {
  pam(0, 0x20);
  const auto span = pc.machine.memory().map_direct(0xf0000, 0x10000, false);
  ASSERT_TRUE(span);
  EXPECT_EQ(span->length, 0x10000u);
  EXPECT_FALSE(pc.machine.memory().map_direct(0xf0000, 0x10000, true));
}

class I440fxSegments : public I440fx, public testing::WithParamInterface<unsigned> {};

TEST_P(I440fxSegments, EachNibbleControlsItsOwn16K) {
  const unsigned segment = GetParam();
  const u64 base = 0xc0000 + segment * 0x4000;
  pam(1 + segment / 2, segment % 2 == 0 ? 0x03 : 0x30);
  EXPECT_EQ(pc.peek(base - 1), segment == 0 ? 0xff : kRom);
  EXPECT_EQ(pc.peek(base), 0);
  EXPECT_EQ(pc.peek(base + 0x3fff), 0);
  EXPECT_EQ(pc.peek(base + 0x4000), kRom);
}
INSTANTIATE_TEST_SUITE_P(Pam, I440fxSegments, testing::Range(0U, 12U));

TEST_F(I440fx, PamKeepsOnlyItsTwoBitsASegment) {
  pam(0, 0xff);
  pam(1, 0xff);
  EXPECT_EQ(pc.config(0, kPam0, 1), 0x30u);
  EXPECT_EQ(pc.config(0, kPam0 + 1, 1), 0x33u);
}

TEST_F(I440fx, ADwordChangesFourSegmentRegisters) {
  pc.set_config(0, 0x5c, 0x3333'3333);
  EXPECT_EQ(pc.peek(0xcffff), kRom);
  EXPECT_EQ(pc.peek(0xd0000), 0);
  EXPECT_EQ(pc.peek(0xeffff), 0);
  EXPECT_EQ(pc.peek(0xf0000), kRom);
}

TEST_F(I440fx, ResetShowsRomAgainAndKeepsRam) {
  pam(0, 0x30);
  pc.poke(0xf0000, 0x12);
  smram(0x4a);
  pc.poke(0xa0000, 0x13);
  pc.reset();
  EXPECT_EQ(pc.peek(0xf0000), kRom);
  EXPECT_EQ(pc.peek(0xa0000), 0xff);
  pam(0, 0x30);
  EXPECT_EQ(pc.peek(0xf0000), 0x12);
}

TEST_F(I440fx, SmramIsHiddenFromProcessorsByDefault) {
  pc.poke(0xa0000, 0x11);
  EXPECT_EQ(pc.peek(0xa0000), 0xff);
  EXPECT_EQ(pc.peek(0x9ffff), 0);
}

TEST_F(I440fx, OpenSmramIsRam) {
  smram(0x4a);
  pc.poke(0xa0000, 0x11);
  pc.poke(0xbffff, 0x22);
  EXPECT_EQ(pc.peek(0xa0000), 0x11);
  EXPECT_EQ(pc.peek(0xbffff), 0x22);
  smram(0x0a);
  EXPECT_EQ(pc.peek(0xa0000), 0xff);
}

TEST_F(I440fx, SmramOpensOnlyWhenEnabledAndNotClosed) {
  smram(0x42);
  EXPECT_EQ(pc.peek(0xa0000), 0xff);
  smram(0x6a);
  EXPECT_EQ(pc.peek(0xa0000), 0xff);
}

TEST_F(I440fx, LockingSmramClosesItForGood) {
  smram(0x5a);
  EXPECT_EQ(smram(), 0x1a);
  EXPECT_EQ(pc.peek(0xa0000), 0xff);
  smram(0x4a);
  EXPECT_EQ(smram(), 0x1a);
  smram(0x6a);
  EXPECT_EQ(smram(), 0x3a);
  pc.reset();
  smram(0x4a);
  EXPECT_EQ(smram(), 0x4a);
}

TEST_F(I440fx, SystemManagementModeSeesSmramWhenEnabled) {
  AddressSpace& smm = pc.machine.service<SystemManagement>().memory();
  pc.host->regions().ram->host()[0xa0010] = 0x77;
  EXPECT_EQ(smm.load(0xa0010, 1), 0xffu);
  smram(0x0a);
  EXPECT_EQ(smm.load(0xa0010, 1), 0x77u);
  EXPECT_EQ(pc.peek(0xa0010), 0xff);
  pc.poke(0x1234, 0x56);
  EXPECT_EQ(smm.load(0x1234, 1), 0x56u);
}

TEST_F(I440fx, PciMemoryShowsWhereThereIsNoRam) {
  Region bar;
  ASSERT_TRUE(bar.init_ram(nullptr, "bar", 0x1000));
  pc.host->bus().memory().add(0xe000'0000, bar);
  pc.poke(0xe000'0000, 0x5a);
  EXPECT_EQ(bar.host()[0], 0x5a);
  EXPECT_EQ(pc.peek(0xe000'1000), 0xff);
}

TEST_F(I440fx, TurboResetRegisterResets) {
  pc.set_config(0, 0x93, 0x06, 1);
  pc.settle();
  EXPECT_EQ(pc.resets, 1u);
}

TEST_F(I440fx, SnapshotHoldsSegmentsAndTheirContents) {
  pam(0, 0x30);
  pc.poke(0xf0000, 0x12);
  pam(0, 0x20);
  pam(1, 0x13);
  smram(0x5a);
  pc.out(0xcf8, 0x8000'0858, 4);
  const auto saved = pc.save();
  pc.reset();
  ASSERT_TRUE(pc.load(saved));
  EXPECT_EQ(pc.in(0xcf8, 4), 0x8000'0858u);
  EXPECT_EQ(pc.peek(0xf0000), kRom);
  pc.poke(0xc4000, 0x01);
  EXPECT_EQ(pc.peek(0xc4000), 0);
  EXPECT_EQ(smram(), 0x1a);
  pam(0, 0x10);
  EXPECT_EQ(pc.peek(0xf0000), 0x12);
}

TEST_F(I440fx, AFreshMachineLoadsASnapshotWithAWriteOnlySegment) {
  pam(0, 0x20);
  pc.poke(0xf0000, 0x12);
  const auto saved = pc.save();
  Chipset other;
  ASSERT_TRUE(other.load(saved));
  EXPECT_EQ(other.peek(0xf0000), kRom);
  other.set_config(0, kPam0, 0x10, 1);
  EXPECT_EQ(other.peek(0xf0000), 0x12);
}

TEST_F(I440fx, UnrealizeLeavesNothingMapped) {
  ASSERT_TRUE(pc.host->set_realized(false));
  EXPECT_EQ(pc.machine.memory().view().ranges().size(), 0u);
  EXPECT_EQ(pc.machine.io().view().ranges().size(), 0u);
}

TEST(I440fxRam, SplitsLikeAPc) {
  EXPECT_EQ(split_ram(128 * MiB).below_4g, 128 * MiB);
  EXPECT_EQ(split_ram(128 * MiB).above_4g, 0u);
  EXPECT_EQ(split_ram(0xe000'0000 - 1 * MiB).above_4g, 0u);
  EXPECT_EQ(split_ram(0xe000'0000).below_4g, 3 * GiB);
  EXPECT_EQ(split_ram(0xe000'0000).above_4g, 512 * MiB);
  EXPECT_EQ(split_ram(8 * GiB).below_4g, 3 * GiB);
  EXPECT_EQ(split_ram(8 * GiB).above_4g, 5 * GiB);
  EXPECT_EQ(split_ram(4 * GiB, 2 * GiB).below_4g, 2 * GiB);
  EXPECT_EQ(split_ram(4 * GiB, 2 * GiB).above_4g, 2 * GiB);
}

TEST(I440fxRam, TheRestLiesAbove4G) {
  Chipset pc(16 * MiB, 4 * MiB);
  pc.poke(4 * MiB - 1, 1);
  pc.poke(4 * GiB, 2);
  EXPECT_EQ(pc.peek(4 * MiB), 0xff);
  EXPECT_EQ(pc.host->regions().ram->host()[4 * MiB - 1], 1);
  EXPECT_EQ(pc.host->regions().ram->host()[4 * MiB], 2);
  EXPECT_EQ(pc.peek(4 * GiB + 12 * MiB), 0xff);
}

TEST(I440fxErrors, WithoutRegionsItIsAnError) {
  Machine machine;
  const DomainGuard lock(&machine.lock());
  const auto added = machine.add_device(std::move(*machine.make("i440FX-pcihost")), nullptr);
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().message(), "i440FX-pcihost: the board gave it no memory");
}

}  // namespace
}  // namespace rhea::test
