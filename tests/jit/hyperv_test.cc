// SPDX-License-Identifier: GPL-2.0-or-later
// Microsoft's hypervisor interface on the software CPU, register by register (TLFS).
#include "accel/jit/hyperv.h"

#include "target/x86/hyperv.h"
#include "target/x86/system/msr.h"
#include "tests/jit/jit_guest.h"

#include <gtest/gtest.h>

#include <cstring>

namespace rhea::test {
namespace {

namespace msr = x86::hyperv_msr;

constexpr u64 kPage = 0x1'0000, kEnable = 1;

class JitHyperv : public testing::Test {
 protected:
  u64 read(u32 index, unsigned cpu = 0) {
    u64 value = 0;
    EXPECT_TRUE(guest.vcpu(cpu).read_msr(index, value)) << index;
    return value;
  }
  bool write(u32 index, u64 value, unsigned cpu = 0) {
    return guest.vcpu(cpu).write_msr(index, value);
  }
  template <class T>
  T peek(u64 address) {
    T value{};
    std::memcpy(&value, guest.memory() + address, sizeof value);
    return value;
  }
  void set_time(i64 ns) { guest.machine().virtual_clock().set_manual(ns); }
  /// As a guest computes it from the page.
  u64 time_by_page(u64 tsc) {
    const u64 scaled = static_cast<u64>(static_cast<u128>(tsc) * peek<u64>(kPage + 8) >> 64);
    return scaled + peek<u64>(kPage + 16);
  }

  JitGuest guest{2, {}, "qemu64,hv-time,hv-vapic,hv-vpindex,hv-reset,hv-frequencies"};
};

TEST_F(JitHyperv, IsNotThereUnlessAskedFor) {
  JitGuest plain;
  u64 value = 0;
  EXPECT_FALSE(plain.vcpu().read_msr(msr::kGuestOsId, value));
  EXPECT_FALSE(plain.vcpu().write_msr(msr::kGuestOsId, 1));
}

TEST_F(JitHyperv, OnlyWhatWasAskedForIsThere) {
  JitGuest relaxed(1, {}, "qemu64,hv-relaxed");
  u64 value = 0;
  EXPECT_TRUE(relaxed.vcpu().read_msr(msr::kGuestOsId, value));
  for (const u32 index : {msr::kVpIndex, msr::kReset, msr::kTimeRefCount, msr::kReferenceTsc,
                          msr::kTscFrequency, msr::kIcr, msr::kVpAssistPage})
    EXPECT_FALSE(relaxed.vcpu().read_msr(index, value)) << index;
}

TEST_F(JitHyperv, ProcessorsAreNumberedAndShareOnePartition) {
  EXPECT_EQ(read(msr::kVpIndex, 1), 1U);
  EXPECT_FALSE(write(msr::kVpIndex, 0));
  EXPECT_TRUE(write(msr::kGuestOsId, 0x8100'0000'0000'0000));
  EXPECT_EQ(read(msr::kGuestOsId, 1), 0x8100'0000'0000'0000U);
}

TEST_F(JitHyperv, HypercallsAreAPageThatSaysThatThereAreNone) {
  EXPECT_TRUE(write(msr::kHypercall, kPage | kEnable));
  EXPECT_EQ(read(msr::kHypercall), kPage) << "before the guest has said who it is";
  write(msr::kGuestOsId, 1);
  EXPECT_TRUE(write(msr::kHypercall, kPage | kEnable));
  EXPECT_EQ(read(msr::kHypercall), kPage | kEnable);
  EXPECT_EQ(peek<u64>(kPage), 0xc300'0000'02b8'd231U);  // xor edx, edx; mov eax, 2; ret
  write(msr::kGuestOsId, 0);
  EXPECT_EQ(read(msr::kHypercall), kPage);
}

TEST_F(JitHyperv, ALockedHypercallPageStays) {
  constexpr u64 kLocked = 2;
  write(msr::kGuestOsId, 1);
  write(msr::kHypercall, kPage | kLocked | kEnable);
  EXPECT_TRUE(write(msr::kHypercall, 0));
  EXPECT_EQ(read(msr::kHypercall), kPage | kLocked | kEnable);
}

TEST_F(JitHyperv, TheReferenceCounterCountsHundredsOfNanoseconds) {
  set_time(123'456'700);
  EXPECT_EQ(read(msr::kTimeRefCount), 1'234'567U);
  EXPECT_FALSE(write(msr::kTimeRefCount, 0));
}

TEST_F(JitHyperv, TheReferencePageGivesTheSameTime) {
  constexpr u32 kTsc = 0x10;
  set_time(5'000'000'000);
  x86::write_msr(guest.vcpu().cpu(), kTsc, 77'000'000'000);
  EXPECT_TRUE(write(msr::kReferenceTsc, kPage | kEnable));
  EXPECT_NE(peek<u32>(kPage), 0U);
  set_time(9'000'000'000);
  const u64 tsc = guest.vcpu().time_stamp();
  EXPECT_EQ(tsc, 81'000'000'000U);
  EXPECT_NEAR(static_cast<double>(time_by_page(tsc)), 90'000'000.0, 1.0);
}

TEST_F(JitHyperv, TheReferencePageIsInvalidOnceTheCounterIsWritten) {
  constexpr u32 kTsc = 0x10;
  write(msr::kReferenceTsc, kPage | kEnable);
  ASSERT_NE(peek<u32>(kPage), 0U);
  x86::write_msr(guest.vcpu().cpu(), kTsc, 0);
  EXPECT_EQ(peek<u32>(kPage), 0U);
}

TEST_F(JitHyperv, TellsTheFrequencies) {
  EXPECT_EQ(read(msr::kTscFrequency), 1'000'000'000U);
  EXPECT_EQ(read(msr::kApicFrequency), 1'000'000'000U);
}

TEST_F(JitHyperv, IsAnotherWayToTheLocalApic) {
  EXPECT_TRUE(write(msr::kTpr, 0x50));
  EXPECT_EQ(guest.vcpu().apic().read_page(0x80, 4), 0x50U);
  EXPECT_EQ(read(msr::kTpr), 0x50U);
  EXPECT_TRUE(write(msr::kIcr, 0x0100'0000'0004'0041));
  EXPECT_EQ(read(msr::kIcr) & 0xff00'0000'000f'ffffU, 0x0100'0000'0004'0041U);
  u64 value = 0;
  EXPECT_FALSE(guest.vcpu().read_msr(msr::kEoi, value));
  EXPECT_TRUE(write(msr::kEoi, 0));
}

TEST_F(JitHyperv, EachProcessorHasAnAssistPageThatAsksForEachEnd) {
  guest.memory()[kPage] = 0xff;
  EXPECT_TRUE(write(msr::kVpAssistPage, kPage | kEnable, 1));
  EXPECT_EQ(peek<u32>(kPage), 0U);
  EXPECT_EQ(read(msr::kVpAssistPage, 1), kPage | kEnable);
  EXPECT_EQ(read(msr::kVpAssistPage, 0), 0U);
}

TEST_F(JitHyperv, AResetForgetsThePartition) {
  write(msr::kGuestOsId, 1);
  write(msr::kReferenceTsc, kPage | kEnable);
  guest.vcpu().reset(ResetKind::Cold);
  EXPECT_EQ(read(msr::kGuestOsId), 0U);
  EXPECT_EQ(read(msr::kReferenceTsc), 0U);
}

TEST_F(JitHyperv, IsPartOfTheState) {
  write(msr::kGuestOsId, 1);
  write(msr::kHypercall, kPage | kEnable);
  write(msr::kReferenceTsc, (kPage + 0x1000) | kEnable);
  write(msr::kVpAssistPage, (kPage + 0x2000) | kEnable);
  x86::CpuState state;
  ASSERT_TRUE(guest.vcpu().get_state(state));
  JitGuest other(2, {}, "qemu64,hv-time,hv-vapic,hv-vpindex,hv-reset,hv-frequencies");
  ASSERT_TRUE(other.vcpu().set_state(state));
  x86::CpuState again;
  ASSERT_TRUE(other.vcpu().get_state(again));
  EXPECT_EQ(again.msrs, state.msrs);
  u64 value = 0;
  EXPECT_TRUE(other.vcpu().read_msr(msr::kReferenceTsc, value));
  EXPECT_EQ(value, (kPage + 0x1000) | kEnable);
  EXPECT_NE(other.memory()[kPage + 0x1000], 0);
}

}  // namespace
}  // namespace rhea::test
