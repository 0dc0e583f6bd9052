// SPDX-License-Identifier: GPL-2.0-or-later
// Address spaces that are left and come back: what may stay of them, and what must not.
#include "target/x86/paging.h"
#include "target/x86/system/control.h"
#include "target/x86/system/functions.h"
#include "target/x86/system/protection_keys.h"
#include "tests/support/cpu_bench.h"

#include <gtest/gtest.h>

#include <random>

namespace rhea::test {
namespace {

using x86::AccessKind;
using x86::Privilege;
using x86::system::write_cr3;
using x86::system::write_cr4;

constexpr u64 kP = 1, kRw = 2, kUs = 4, kA = 0x20, kD = 0x40, kPs = 0x80, kG = 0x100;
constexpr u64 kAll = kP | kRw | kUs;
constexpr u64 kKeep = u64{1} << 63;
/// Two spaces, whose tables follow their roots page by page.
constexpr u64 kFirst = 0x2'0000, kSecond = 0x3'0000;
constexpr u64 kBase = 0x8000'0000;  // what their leaf tables map
constexpr u64 kData = 0x10'0000, kOther = 0x20'0000;

constexpr u64 at(u64 page) { return kBase + page * 0x1000; }

class TlbSets : public ::testing::Test {
 protected:
  TlbSets() {
    bench.enter_long();
    for (const u64 root : {kFirst, kSecond}) {
      bench.poke<u64>(root, (root + 0x1000) | kAll);
      bench.poke<u64>(root + 0x1000,
                      (CpuBench::kTables + 0x2000) | kAll);  // as enter_long() has it
      bench.poke<u64>(root + 0x1010, (root + 0x2000) | kAll);
      bench.poke<u64>(root + 0x2000, (root + 0x3000) | kAll);
      map(root, 0, kData | kAll);
    }
    bench.poke<u64>(kData, 0x1111);
    bench.poke<u64>(kOther, 0x2222);
    write_cr3(cpu, kFirst);
  }
  void map(u64 root, u64 page, u64 entry) { bench.poke<u64>(root + 0x3000 + 8 * page, entry); }
  u64 entry(u64 root, u64 page) { return bench.peek<u64>(root + 0x3000 + 8 * page); }
  u64 read(u64 page) { return cpu.read<u64>(x86::Ds, at(page)); }
  void write(u64 page) { cpu.write<u64>(x86::Ds, at(page), 0x1111); }
  bool has(u64 page) const { return cpu.view.find_read(at(page), 8) != nullptr; }
  bool has_write(u64 page) const { return cpu.view.find_write(at(page), 8) != nullptr; }
  void fetch(u64 page) { translate(cpu, at(page), AccessKind::Fetch, Privilege::Supervisor); }
  void invpcid(u64 type, u64 pcid, u64 linear) {
    bench.poke<u64>(0x6000, pcid);
    bench.poke<u64>(0x6008, linear);
    cpu.gpr[x86::Rax] = type;
    x86::Insn insn = CpuBench::memory(0x6000, 1, 16);
    insn.op[0] = CpuBench::gpr(x86::Rax, 8);
    EXPECT_FALSE(bench.execute(x86::system::invpcid, insn));
  }
  /// Two pages that push each other out, until the tables have twice their least size; then empties
  /// them.
  void grow() {
    for (const u64 number : {2, 4}) bench.poke<u64>(kFirst + 0x2000 + 8 * number, kAll | kPs);
    for (u64 i = 0; i < 1100; ++i)
      cpu.read<u64>(x86::Ds, kBase + (2 + i % 2 * 2) * 0x20'0000 + kData);
    cpu.flush_tlb();
  }
  /// What is in the TLBs of the running space and a walk would not find now.
  u64 wrong_entries() {
    u64 count = 0;
    cpu.tlb.visit_running([&](const x86::TlbEntry& each, bool) {
      const auto physical = x86::translate_quietly(cpu, each.page);
      const u8* host = physical ? bench.page(*physical).read : nullptr;
      count += reinterpret_cast<u64>(host) != each.page + each.addend;
    });
    return count;
  }

  CpuBench bench;
  x86::Cpu& cpu = bench.cpu;
};

TEST_F(TlbSets, ASpaceThatComesBackHasItsEntries) {
  write(0);
  write_cr3(cpu, kSecond);
  EXPECT_FALSE(has(0));
  write_cr3(cpu, kFirst);
  EXPECT_TRUE(has(0));
  EXPECT_TRUE(has_write(0));
}

TEST_F(TlbSets, ALoadOfTheSameRootKeepsThemToo) {
  write(0);
  write_cr3(cpu, kFirst);
  EXPECT_TRUE(has_write(0));
}

TEST_F(TlbSets, WhoeverStoresToALeafIsObeyedAtTheNextLoad) {
  ASSERT_EQ(read(0), 0x1111u);
  map(kFirst, 0, kOther | kAll);
  write_cr3(cpu, kFirst);
  EXPECT_EQ(read(0), 0x2222u);
}

TEST_F(TlbSets, AStoreWhileAnotherSpaceRunsIsSeenToo) {
  read(0);
  write_cr3(cpu, kSecond);
  map(kFirst, 0, kOther | kAll);
  write_cr3(cpu, kFirst);
  EXPECT_EQ(read(0), 0x2222u);
}

TEST_F(TlbSets, TablesThatShrinkInTheMiddleOfAWalkAreNotReadAnyMore) {
  grow();
  read(0);
  ASSERT_EQ(cpu.view.mask, 2047u);
  bench.poke<u64>(kFirst + 0x2000, (kSecond + 0x3000) | kAll);
  map(kSecond, 1, kOther | kAll);
  EXPECT_EQ(read(1), 0x2222u);
  EXPECT_EQ(cpu.view.mask, 1023u);
  EXPECT_EQ(cpu.view.read, cpu.tlb.view(cpu.privilege).read);
  EXPECT_EQ(cpu.system_view.read, cpu.tlb.view(Privilege::Supervisor).read);
}

TEST_F(TlbSets, AStoreToAnUpperTableIsSeen) {
  read(0);
  bench.poke<u64>(kFirst + 0x2000, (kSecond + 0x3000) | kAll);
  map(kSecond, 0, kOther | kAll);
  write_cr3(cpu, kFirst);
  EXPECT_EQ(read(0), 0x2222u);
}

TEST_F(TlbSets, AnUpperTableThatChangesBetweenTwoWalksVoidsTheFirst) {
  map(kSecond, 0, kOther | kAll);
  read(0);
  bench.poke<u64>(kFirst + 0x2000, (kSecond + 0x3000) | kAll);
  map(kSecond, 1, kData | kAll);
  read(1);
  write_cr3(cpu, kFirst);
  EXPECT_EQ(read(0), 0x2222u);
}

TEST_F(TlbSets, APageThatIsUnmappedFaults) {
  read(0);
  map(kFirst, 0, 0);
  write_cr3(cpu, kFirst);
  EXPECT_TRUE(CpuBench::fault_of([&] { read(0); }));
}

TEST_F(TlbSets, RightsThatAreTakenAreGone) {
  write(0);
  map(kFirst, 0, kData | kP | kUs | kA | kD);
  cpu.cr0 |= x86::cr0::kWp;
  write_cr3(cpu, kFirst);
  EXPECT_TRUE(CpuBench::fault_of([&] { write(0); }));
}

TEST_F(TlbSets, ClearedMarksAreSetAgain) {
  write(0);
  map(kFirst, 0, kData | kAll);
  write_cr3(cpu, kFirst);
  read(0);
  EXPECT_EQ(entry(kFirst, 0), kData | kAll | kA);
  write(0);
  EXPECT_EQ(entry(kFirst, 0), kData | kAll | kA | kD);
}

TEST_F(TlbSets, AnotherProcessorsDirtyMarkVoidsNothing) {
  read(0);
  map(kFirst, 0, kData | kAll | kA | kD);
  write_cr3(cpu, kFirst);
  EXPECT_TRUE(has(0));
}

TEST_F(TlbSets, OneEntryForTwoPagesVoidsBoth) {
  bench.poke<u64>(kFirst + 0x2008, (kFirst + 0x3000) | kAll);
  read(0);
  read(512);
  map(kFirst, 0, kOther | kAll);
  write_cr3(cpu, kFirst);
  EXPECT_EQ(read(0), 0x2222u);
  EXPECT_EQ(read(512), 0x2222u);
}

TEST_F(TlbSets, LargePagesAreKeptAndSeenToChange) {
  bench.poke<u64>(kFirst + 0x2000, kAll | kPs);
  bench.poke<u64>(0x3000, 0x3333);
  ASSERT_EQ(read(3), 0x3333u);
  write_cr3(cpu, kFirst);
  EXPECT_TRUE(has(3));
  bench.poke<u64>(kFirst + 0x2000, 0x20'0000 | kAll | kPs);
  write_cr3(cpu, kFirst);
  EXPECT_EQ(read(0), 0x2222u);
}

TEST_F(TlbSets, InvlpgVoidsAPageInOtherSpacesToo) {
  write_cr4(cpu, cpu.cr4 | x86::cr4::kPge | x86::cr4::kPcide);
  map(kFirst, 0, kData | kAll | kG);
  write_cr3(cpu, kFirst | 1);
  read(0);
  write_cr3(cpu, kSecond | 2);
  map(kFirst, 0, kOther | kAll | kG);
  cpu.flush_tlb_page(at(0));
  write_cr3(cpu, kFirst | 1 | kKeep);
  EXPECT_EQ(read(0), 0x2222u);
}

TEST_F(TlbSets, InvpcidOfAnotherContextIsObeyed) {
  write_cr4(cpu, cpu.cr4 | x86::cr4::kPcide);
  write_cr3(cpu, kFirst | 1);
  read(0);
  write_cr3(cpu, kSecond | 2);
  map(kFirst, 0, kOther | kAll);
  invpcid(1, 1, 0);
  write_cr3(cpu, kFirst | 1 | kKeep);
  EXPECT_EQ(read(0), 0x2222u);
}

TEST_F(TlbSets, InvpcidOfOnePageOfAnotherContextIsObeyed) {
  write_cr4(cpu, cpu.cr4 | x86::cr4::kPcide);
  write_cr3(cpu, kFirst | 1);
  read(0);
  write_cr3(cpu, kSecond | 2);
  map(kFirst, 0, kOther | kAll);
  invpcid(0, 1, at(0));
  write_cr3(cpu, kFirst | 1 | kKeep);
  EXPECT_EQ(read(0), 0x2222u);
}

TEST_F(TlbSets, InvpcidOfEverythingIsObeyed) {
  read(0);
  map(kFirst, 0, kOther | kAll);
  invpcid(2, 0, 0);
  EXPECT_EQ(read(0), 0x2222u);
}

TEST_F(TlbSets, AContextsLoadVoidsItUnderOtherRoots) {
  write_cr4(cpu, cpu.cr4 | x86::cr4::kPcide);
  write_cr3(cpu, kFirst | 1);
  read(0);
  map(kFirst, 0, kOther | kAll);
  write_cr3(cpu, kSecond | 1);
  write_cr3(cpu, kFirst | 1 | kKeep);
  EXPECT_EQ(read(0), 0x2222u);
}

TEST_F(TlbSets, TogglingGlobalPagesVoidsWhatHasChanged) {
  read(0);
  map(kFirst, 0, kOther | kAll);
  write_cr4(cpu, cpu.cr4 ^ x86::cr4::kPge);
  EXPECT_EQ(read(0), 0x2222u);
}

TEST_F(TlbSets, RightsOfKeysAreThoseOfNow) {
  write_cr4(cpu, cpu.cr4 | x86::cr4::kPke);
  map(kFirst, 0, kData | kAll | u64{3} << 59);
  read(0);
  write_cr3(cpu, kSecond);
  x86::system::set_pkru(cpu, 1 << 6);
  write_cr3(cpu, kFirst);
  EXPECT_TRUE(CpuBench::fault_of([&] { read(0); }));
}

TEST_F(TlbSets, WaysToWriteGoFromAllSpaces) {
  write(0);
  write_cr3(cpu, kSecond);
  cpu.tlb.drop_writes_to(bench.page(kData).write);
  write_cr3(cpu, kFirst);
  EXPECT_TRUE(has(0));
  EXPECT_FALSE(has_write(0));
}

TEST_F(TlbSets, AFullFlushForgetsTheSpacesLeft) {
  read(0);
  write_cr3(cpu, kSecond);
  bench.move_memory();
  write_cr3(cpu, kFirst);
  EXPECT_FALSE(has(0));
  EXPECT_EQ(read(0), 0x1111u);
}

TEST_F(TlbSets, TablesOnADeviceAreNotTrusted) {
  bench.poke<u64>(kFirst + 0x2000, u64{0xfec0'0000} | kAll);
  static_cast<void>(CpuBench::fault_of([&] { read(0); }));
  bench.poke<u64>(kFirst + 0x2000, (kFirst + 0x3000) | kAll);
  write_cr3(cpu, kFirst);
  EXPECT_EQ(read(0), 0x1111u);
}

TEST_F(TlbSets, CodeIsWhereItWasWhenItsSpaceComesBack) {
  fetch(0);
  const u64 epoch = cpu.code_epoch();
  write_cr3(cpu, kSecond);
  EXPECT_NE(cpu.code_epoch(), epoch);
  write_cr3(cpu, kFirst);
  EXPECT_EQ(cpu.code_epoch(), epoch);
}

TEST_F(TlbSets, CodeIsLookedForAnewWhenItsPageHasChanged) {
  fetch(0);
  const u64 epoch = cpu.code_epoch();
  map(kFirst, 0, kOther | kAll);
  write_cr3(cpu, kFirst);
  EXPECT_NE(cpu.code_epoch(), epoch);
}

TEST_F(TlbSets, CodeStaysWhenAPageOfDataChanges) {
  map(kFirst, 1, kData | kAll);
  fetch(0);
  read(1);
  const u64 epoch = cpu.code_epoch();
  map(kFirst, 1, kOther | kAll);
  write_cr3(cpu, kFirst);
  EXPECT_EQ(cpu.code_epoch(), epoch);
}

TEST_F(TlbSets, InvlpgOfDataLeavesCodeAndOfCodeDoesNot) {
  fetch(0);
  read(0);
  const u64 epoch = cpu.code_epoch();
  cpu.flush_tlb_page(at(7));
  EXPECT_EQ(cpu.code_epoch(), epoch);
  cpu.flush_tlb_page(at(0));
  EXPECT_NE(cpu.code_epoch(), epoch);
}

TEST_F(TlbSets, InvlpgBesideALargePageLeavesItsCode) {
  bench.poke<u64>(kFirst + 0x2008, kAll | kPs);
  fetch(512);
  read(512);
  const u64 epoch = cpu.code_epoch();
  cpu.flush_tlb_page(at(0));
  EXPECT_EQ(cpu.code_epoch(), epoch);
  EXPECT_TRUE(has(512));
  cpu.flush_tlb_page(at(513));
  EXPECT_NE(cpu.code_epoch(), epoch);
  EXPECT_FALSE(has(512));
}

TEST_F(TlbSets, CodeOnGlobalPagesIsThereInEverySpace) {
  write_cr4(cpu, cpu.cr4 | x86::cr4::kPge);
  map(kFirst, 0, kData | kAll | kG);
  fetch(0);
  const u64 epoch = cpu.tlb.epochs().global;
  write_cr3(cpu, kSecond);
  EXPECT_EQ(cpu.tlb.epochs().global, epoch);
  cpu.flush_tlb_page(at(0));
  EXPECT_NE(cpu.tlb.epochs().global, epoch);
}

TEST_F(TlbSets, AChangedTableOfOtherPagesLeavesGlobalCode) {
  write_cr4(cpu, cpu.cr4 | x86::cr4::kPge);
  map(kFirst, 0, kData | kAll | kG);
  bench.poke<u64>(kFirst + 0x2008, (kSecond + 0x3000) | kAll);
  fetch(0);
  read(512);
  const u64 global = cpu.tlb.epochs().global, here = cpu.code_epoch();
  bench.poke<u64>(kFirst + 0x2008, (kSecond + 0x4000) | kAll);
  write_cr3(cpu, kFirst);
  EXPECT_EQ(cpu.tlb.epochs().global, global);
  EXPECT_NE(cpu.code_epoch(), here);
}

TEST_F(TlbSets, AChangedTableOfGlobalCodeVoidsIt) {
  write_cr4(cpu, cpu.cr4 | x86::cr4::kPge);
  map(kFirst, 0, kData | kAll | kG);
  fetch(0);
  const u64 global = cpu.tlb.epochs().global;
  bench.poke<u64>(kFirst + 0x2000, (kSecond + 0x3000) | kAll);
  write_cr3(cpu, kFirst);
  EXPECT_NE(cpu.tlb.epochs().global, global);
}

TEST_F(TlbSets, ThereAreNoMoreThanSoMany) {
  for (u64 i = 0; i < 64; ++i) {
    bench.poke<u64>(0x8'0000 + i * 0x1000, (kFirst + 0x1000) | kAll);
    write_cr3(cpu, 0x8'0000 + i * 0x1000);
    read(0);
  }
  EXPECT_EQ(cpu.tlb.count(), x86::TlbSets::kMost);
}

TEST_F(TlbSets, MorePagesThanAreRememberedAreStillRight) {
  // Eight leaf tables with the same content.
  for (u64 i = 1; i < 8; ++i) {
    bench.poke<u64>(kFirst + 0x2000 + 8 * i, (0x8'0000 + i * 0x1000) | kAll);
    for (u64 page = 0; page < 512; ++page)
      bench.poke<u64>(0x8'0000 + i * 0x1000 + 8 * page, kData | kAll);
  }
  for (u64 page = 512; page < 4096; ++page) read(page);
  bench.poke<u64>(0x8'7000 + 8 * 511, kOther | kAll);
  write_cr3(cpu, kFirst);
  EXPECT_EQ(wrong_entries(), 0u);
  EXPECT_EQ(read(4095), 0x2222u);
}

TEST_F(TlbSets, TablesGrowWhileEntriesPushEachOtherOut) {
  for (u64 i = 0; i < 8; ++i) bench.poke<u64>(kFirst + 0x2000 + 8 * i, kAll | kPs);
  for (unsigned round = 0; round < 3; ++round)
    for (u64 page = 0; page < 4096; ++page) read(page);
  EXPECT_GE(cpu.view.mask + 1, 4096u);
  EXPECT_TRUE(has(0));
  EXPECT_TRUE(has(4095));
}

TEST_F(TlbSets, EveryEntryIsAsAWalkWouldFindItAfterALoad) {
  std::mt19937_64 random(14);
  u64 wrong = 0;
  for (unsigned round = 0; round < 20'000; ++round) {
    const u64 page = random() % 64, root = random() % 2 != 0 ? kFirst : kSecond;
    const u64 to = kData + (random() % 16) * 0x1000;
    switch (random() % 8) {
      case 0: map(root, page, random() % 4 == 0 ? 0 : to | kAll); break;
      case 1: map(root, page, entry(root, page) ^ kRw); break;
      case 2: map(root, page, entry(root, page) & ~(kA | kD)); break;
      case 3:
        bench.poke<u64>(root + 0x2000, ((random() % 2 != 0 ? kFirst : kSecond) + 0x3000) | kAll);
        break;
      case 4: cpu.flush_tlb_page(at(page)); break;
      case 5:
        write_cr3(cpu, root);
        wrong += wrong_entries();
        break;
      case 6: static_cast<void>(CpuBench::fault_of([&] { write(page); })); break;
      default: static_cast<void>(CpuBench::fault_of([&] { read(page); })); break;
    }
  }
  EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace rhea::test
