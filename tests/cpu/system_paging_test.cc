// SPDX-License-Identifier: GPL-2.0-or-later
// The page walker: every form of tables, rights, error codes, accessed and dirty bits.
#include "target/x86/paging.h"
#include "tests/support/cpu_bench.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using x86::AccessKind;
using x86::Privilege;
using x86::translate;
using x86::Translation;

constexpr u64 kRoot = 0x10000, kSecond = 0x11000, kThird = 0x12000, kFourth = 0x13000,
              kFifth = 0x14000;
constexpr u64 kP = 1, kRw = 2, kUs = 4, kA = 0x20, kD = 0x40, kPs = 0x80, kNx = u64{1} << 63;
constexpr u64 kAll = kP | kRw | kUs;

class Paging : public ::testing::Test {
 protected:
  Paging() {
    cpu.cr0 |= x86::cr0::kPe | x86::cr0::kPg | x86::cr0::kWp;
    cpu.cr3 = kRoot;
  }
  /// 4-level tables for the page at 0, leaf in kFourth.
  void four_levels(u64 leaf) {
    cpu.cr4 |= x86::cr4::kPae;
    cpu.efer |= x86::efer::kLme | x86::efer::kLma | x86::efer::kNxe;
    bench.poke<u64>(kRoot, kSecond | kAll);
    bench.poke<u64>(kSecond, kThird | kAll);
    bench.poke<u64>(kThird, kFourth | kAll);
    bench.poke<u64>(kFourth, leaf);
  }
  u32 error_of(u64 linear, AccessKind kind, Privilege as) {
    const auto fault = CpuBench::fault_of([&] { translate(cpu, linear, kind, as); });
    EXPECT_TRUE(fault.has_value());
    EXPECT_EQ(fault.value_or(x86::Fault{}).vector, x86::Vector::Pf);
    EXPECT_EQ(fault.value_or(x86::Fault{}).cr2, linear);
    return fault.value_or(x86::Fault{}).error;
  }
  u64 physical(u64 linear) {
    return translate(cpu, linear, AccessKind::Read, Privilege::Supervisor).physical;
  }

  CpuBench bench;
  x86::Cpu& cpu = bench.cpu;
};

TEST_F(Paging, ProtectionKeysOfUserPages) {
  four_levels(0x5000 | kAll | kD | u64{3} << 59);
  cpu.pkru = 1 << 6;
  EXPECT_EQ(physical(0x123), 0x5123u);
  cpu.cr4 |= x86::cr4::kPke;
  EXPECT_EQ(error_of(0x123, AccessKind::Read, Privilege::Supervisor), 0x21u);
  EXPECT_EQ(error_of(0x123, AccessKind::Write, Privilege::User), 0x27u);
  EXPECT_EQ(translate(cpu, 0x123, AccessKind::Fetch, Privilege::User).physical, 0x5123u);
}

TEST_F(Paging, ProtectionKeysAgainstWritesHeedWriteProtection) {
  four_levels(0x5000 | kAll | kD | u64{3} << 59);
  cpu.cr4 |= x86::cr4::kPke;
  cpu.pkru = 2 << 6;
  EXPECT_FALSE(translate(cpu, 0, AccessKind::Read, Privilege::User).writable);
  EXPECT_EQ(error_of(0, AccessKind::Write, Privilege::Supervisor), 0x23u);
  cpu.cr0 &= ~x86::cr0::kWp;
  EXPECT_TRUE(translate(cpu, 0, AccessKind::Write, Privilege::Supervisor).writable);
  EXPECT_EQ(error_of(0, AccessKind::Write, Privilege::User), 0x27u);
}

TEST_F(Paging, ProtectionKeysOfSupervisorPagesAreOthers) {
  four_levels(0x5000 | kP | kRw | kD | u64{3} << 59);
  cpu.cr4 |= x86::cr4::kPke | x86::cr4::kPks;
  cpu.pkru = ~u32{0};
  EXPECT_EQ(physical(0x123), 0x5123u);
  cpu.pkrs = 1 << 6;
  EXPECT_EQ(error_of(0x123, AccessKind::Read, Privilege::Supervisor), 0x21u);
}

TEST_F(Paging, WithoutPagingAddressesAreTheirOwn) {
  cpu.cr0 &= ~x86::cr0::kPg;
  EXPECT_EQ(physical(0x123456), 0x123456u);
}

TEST_F(Paging, A20MaskClearsBit20) {
  cpu.cr0 &= ~x86::cr0::kPg;
  cpu.a20_mask = ~u64{0x10'0000};
  EXPECT_EQ(physical(0x10'0123), 0x123u);
}

TEST_F(Paging, TwoLevelsOf32Bits) {
  bench.poke<u32>(kRoot + 4 * 1, kSecond | kAll);
  bench.poke<u32>(kSecond + 4 * 2, 0x5'5000 | kAll);
  EXPECT_EQ(physical(0x40'2abc), 0x5'5abcu);
}

TEST_F(Paging, FourMebibytePagesNeedPse) {
  bench.poke<u32>(kRoot, 0x0080'0000 | kAll | kPs);
  cpu.cr4 |= x86::cr4::kPse;
  EXPECT_EQ(physical(0x12'3456), 0x0092'3456u);
}

TEST_F(Paging, Pse36GivesBits32To39) {
  bench.poke<u32>(kRoot, 0x0080'0000 | kAll | kPs | 0x12 << 13);
  cpu.cr4 |= x86::cr4::kPse;
  EXPECT_EQ(physical(0x3456), 0x12'0080'3456u);
}

TEST_F(Paging, Pse36Bit21IsReserved) {
  bench.poke<u32>(kRoot, 0x0080'0000 | kAll | kPs | 1 << 21);
  cpu.cr4 |= x86::cr4::kPse;
  EXPECT_EQ(error_of(0, AccessKind::Read, Privilege::User), 0xdu);
}

TEST_F(Paging, PaeTakesThePdptesLoadedBefore) {
  cpu.cr4 |= x86::cr4::kPae;
  bench.poke<u64>(kRoot + 8, kSecond | kP);
  ASSERT_TRUE(x86::load_pdptes(cpu, kRoot));
  bench.poke<u64>(kRoot + 8, 0);
  bench.poke<u64>(kSecond, 0x20'0000 | kAll | kPs);
  EXPECT_EQ(physical(0x4001'2345), 0x21'2345u);
  EXPECT_EQ(error_of(0, AccessKind::Read, Privilege::Supervisor), 0u);
}

TEST_F(Paging, PdptesWithReservedBitsAreRefused) {
  bench.poke<u64>(kRoot, kSecond | kP | kRw);
  EXPECT_FALSE(x86::load_pdptes(cpu, kRoot));
}

TEST_F(Paging, FourLevels) {
  four_levels(0x7'7000 | kAll);
  EXPECT_EQ(physical(0xabc), 0x7'7abcu);
}

TEST_F(Paging, FiveLevels) {
  four_levels(kFifth | kAll);
  bench.poke<u64>(kFifth, 0x6'6000 | kAll);
  cpu.cr4 |= x86::cr4::kLa57;
  EXPECT_EQ(physical(0xabc), 0x6'6abcu);
}

TEST_F(Paging, GibibytePages) {
  four_levels(0);
  bench.poke<u64>(kSecond, 0x4000'0000 | kAll | kPs);
  EXPECT_EQ(physical(0x1234'5678), 0x5234'5678u);
}

TEST_F(Paging, GibibytePagesAreReservedWithoutTheFeature) {
  four_levels(0);
  bench.poke<u64>(kSecond, 0x4000'0000 | kAll | kPs);
  bench.model.set(x86::Feature::Pdpe1gb, false);
  EXPECT_EQ(error_of(0, AccessKind::Read, Privilege::Supervisor), 0x9u);
}

TEST_F(Paging, AddressesBeyondPhysicalBitsAreReserved) {
  four_levels(u64{1} << 45 | kAll);
  EXPECT_EQ(error_of(0, AccessKind::Write, Privilege::User), 0xfu);
}

TEST_F(Paging, NoExecuteIsReservedWhileOff) {
  four_levels(0x7'7000 | kAll | kNx);
  cpu.efer &= ~x86::efer::kNxe;
  EXPECT_EQ(error_of(0, AccessKind::Read, Privilege::Supervisor), 0x9u);
}

TEST_F(Paging, NoExecuteStopsFetches) {
  four_levels(0x7'7000 | kAll | kNx);
  EXPECT_EQ(error_of(0, AccessKind::Fetch, Privilege::User), 0x15u);
  EXPECT_EQ(physical(0), 0x7'7000u);
}

TEST_F(Paging, FetchIsNotToldWithoutNxAndSmep) {
  four_levels(0);
  cpu.efer &= ~x86::efer::kNxe;
  EXPECT_EQ(error_of(0, AccessKind::Fetch, Privilege::Supervisor), 0u);
}

TEST_F(Paging, UserMayNotTouchSupervisorPages) {
  four_levels(0x7'7000 | kP | kRw);
  EXPECT_EQ(error_of(0x10, AccessKind::Read, Privilege::User), 0x5u);
}

TEST_F(Paging, RightsOfUpperLevelsCount) {
  four_levels(0x7'7000 | kAll);
  bench.poke<u64>(kThird, kFourth | kP | kUs);
  EXPECT_EQ(error_of(0, AccessKind::Write, Privilege::User), 0x7u);
}

TEST_F(Paging, WriteProtectionOfSupervisorsFollowsWp) {
  four_levels(0x7'7000 | kP);
  EXPECT_EQ(error_of(0, AccessKind::Write, Privilege::Supervisor), 0x3u);
  cpu.cr0 &= ~x86::cr0::kWp;
  EXPECT_TRUE(translate(cpu, 0, AccessKind::Write, Privilege::Supervisor).writable);
}

TEST_F(Paging, SmepStopsFetchesFromUserPages) {
  four_levels(0x7'7000 | kAll);
  cpu.cr4 |= x86::cr4::kSmep;
  EXPECT_EQ(error_of(0, AccessKind::Fetch, Privilege::Supervisor), 0x11u);
}

TEST_F(Paging, SmapStopsSupervisorsUnlessAcIsSet) {
  four_levels(0x7'7000 | kAll);
  cpu.cr4 |= x86::cr4::kSmap;
  EXPECT_EQ(error_of(0, AccessKind::Read, Privilege::Supervisor), 0x1u);
  EXPECT_EQ(translate(cpu, 0, AccessKind::Read, Privilege::SupervisorAc).physical, 0x7'7000u);
}

TEST_F(Paging, AReadSetsAccessedBitsOnly) {
  four_levels(0x7'7000 | kAll);
  const Translation to = translate(cpu, 0, AccessKind::Read, Privilege::User);
  EXPECT_FALSE(to.writable);
  EXPECT_EQ(bench.peek<u64>(kRoot), kSecond | kAll | kA);
  EXPECT_EQ(bench.peek<u64>(kFourth), 0x7'7000 | kAll | kA);
}

TEST_F(Paging, AWriteSetsTheDirtyBitToo) {
  four_levels(0x7'7000 | kAll);
  EXPECT_TRUE(translate(cpu, 0, AccessKind::Write, Privilege::User).writable);
  EXPECT_EQ(bench.peek<u64>(kFourth), 0x7'7000 | kAll | kA | kD);
}

TEST_F(Paging, AFaultLeavesTheTablesAlone) {
  four_levels(0x7'7000 | kP);
  error_of(0, AccessKind::Write, Privilege::User);
  EXPECT_EQ(bench.peek<u64>(kFourth), 0x7'7000 | kP);
}

TEST_F(Paging, TheBusHearsOfBitsInWatchedTables) {
  four_levels(0x7'7000 | kAll);
  bench.watched_page = kFourth;
  translate(cpu, 0, AccessKind::Write, Privilege::User);
  EXPECT_EQ(bench.wrote_to, std::vector<u64>{kFourth});
}

TEST_F(Paging, QuietTranslationHasNoEffects) {
  four_levels(0x7'7000 | kP);
  EXPECT_EQ(x86::translate_quietly(cpu, 0x123), 0x7'7123u);
  EXPECT_EQ(bench.peek<u64>(kFourth), 0x7'7000 | kP);
  EXPECT_EQ(x86::translate_quietly(cpu, 0x1000), std::nullopt);
}

TEST_F(Paging, QuietTranslationReadsNoDevice) {
  unsigned accesses = 0;
  bench.on_device = [&] { ++accesses; };
  cpu.cr3 = 0xfec0'0000;
  EXPECT_EQ(x86::translate_quietly(cpu, 0x1000), std::nullopt);
  EXPECT_EQ(accesses, 0u);
}

TEST_F(Paging, InvlpgFindsAllPiecesOfALargePage) {
  four_levels(0);
  bench.poke<u64>(kThird, kAll | kPs);
  cpu.read_system<u32>(0x1'0000);
  ASSERT_NE(cpu.system_view.find_read(0x1'0000, 4), nullptr);
  cpu.flush_tlb_page(0x8'0000);
  EXPECT_EQ(cpu.system_view.find_read(0x1'0000, 4), nullptr);
}

TEST_F(Paging, TheViewIsOfThePrivilegeOfNow) {
  four_levels(kAll);
  cpu.set_cpl(0);
  cpu.read<u32>(x86::Ds, 0x10);
  EXPECT_NE(cpu.view.find_read(0x10, 4), nullptr);
  cpu.set_cpl(3);
  EXPECT_EQ(cpu.view.find_read(0x10, 4), nullptr);
  EXPECT_NE(cpu.system_view.find_read(0x10, 4), nullptr);
  cpu.set_cpl(0);
  EXPECT_NE(cpu.view.find_read(0x10, 4), nullptr);
}

TEST_F(Paging, TheViewHasNoWayOverAPagesEnd) {
  four_levels(kAll);
  cpu.set_cpl(0);
  cpu.read<u32>(x86::Ds, 0x10);
  EXPECT_NE(cpu.view.find_read(0xffc, 4), nullptr);
  EXPECT_EQ(cpu.view.find_read(0xffd, 4), nullptr);
}

}  // namespace
}  // namespace rhea::test
