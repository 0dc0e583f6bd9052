// SPDX-License-Identifier: GPL-2.0-or-later
// KVM's three dirty logs give one answer.
#include "tests/accel/guest.h"

namespace rhea::test {
namespace {

struct Way {
  std::string name;
  kvm::VmOptions vm;
  std::vector<int> hidden;
  kvm::DirtyLog::Way expected;
};

class KvmDirtyLog : public testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_KVM();
    if (GetParam().expected == kvm::DirtyLog::Way::Ring && offered_ring() == 0)
      GTEST_SKIP() << "this host's KVM has no dirty ring";
  }
  static int offered_ring() { return (*kvm::System::open())->extension(KVM_CAP_DIRTY_LOG_RING); }
  static GuestOptions options() {
    return {.vm = GetParam().vm, .hidden = GetParam().hidden, .ram = 8 * MiB};
  }
};
INSTANTIATE_TEST_SUITE_P(
    Ways, KvmDirtyLog,
    testing::Values(
        Way{"Fetch", {}, {KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2}, kvm::DirtyLog::Way::Fetch},
        Way{"Manual", {}, {}, kvm::DirtyLog::Way::Manual},
        Way{"Ring", {.dirty_ring_entries = 1024}, {}, kvm::DirtyLog::Way::Ring},
        Way{"OldRing",
            {.dirty_ring_entries = 1024},
            {KVM_CAP_DIRTY_LOG_RING_ACQ_REL},
            kvm::DirtyLog::Way::Ring}),
    [](const auto& way) { return way.param.name; });

/// Numbers of the dirty pages from 1 MiB on, taken for the client.
std::vector<u64> take(Guest& guest, DirtyClient client, u64 first_page = 0x100, u64 pages = 0x700) {
  const DomainGuard guard(&guest.machine().lock());
  guest.machine().memory().sync_dirty();
  const auto words = guest.machine().memory().take_dirty(guest.ram(), client, first_page, pages);
  std::vector<u64> dirty;
  for (u64 page = 0; page < pages; ++page)
    if ((words[page / 64] >> page % 64 & 1) != 0) dirty.push_back(first_page + page);
  return dirty;
}

void log(Guest& guest, DirtyClient client, bool on) {
  const DomainGuard guard(&guest.machine().lock());
  guest.ram().set_log(client, on);
}

using Pages = std::vector<u64>;

TEST_P(KvmDirtyLog, TakesTheWayItIsTold) {
  Guest guest(options());
  EXPECT_EQ(guest.vm().dirty_log().way(), GetParam().expected);
}

TEST_P(KvmDirtyLog, ReportsWrittenPagesOnceUntilTheyAreWrittenAgain) {
  Guest guest(options());
  guest.start_puppet();
  log(guest, DirtyClient::Migration, true);
  take(guest, DirtyClient::Migration);
  guest.order_and_wait({2, 0x180000, 1});
  guest.order_and_wait({3, 0x200000, 3});
  EXPECT_EQ(take(guest, DirtyClient::Migration), (Pages{0x180, 0x200, 0x201, 0x202}));
  EXPECT_EQ(take(guest, DirtyClient::Migration), (Pages{}));
  guest.order_and_wait({2, 0x201000, 1});
  EXPECT_EQ(take(guest, DirtyClient::Migration), (Pages{0x201}));
}

TEST_P(KvmDirtyLog, WhatOneClientTakesTheOtherStillSees) {
  Guest guest(options());
  guest.start_puppet();
  log(guest, DirtyClient::Migration, true);
  log(guest, DirtyClient::Display, true);
  take(guest, DirtyClient::Migration);
  take(guest, DirtyClient::Display);
  guest.order_and_wait({2, 0x300000, 1});
  EXPECT_EQ(take(guest, DirtyClient::Display), (Pages{0x300}));
  EXPECT_EQ(take(guest, DirtyClient::Migration), (Pages{0x300}));
  EXPECT_EQ(take(guest, DirtyClient::Display), (Pages{}));
}

TEST_P(KvmDirtyLog, TakingAPartLeavesItsNeighboursDirty) {
  Guest guest(options());
  guest.start_puppet();
  log(guest, DirtyClient::Migration, true);
  take(guest, DirtyClient::Migration);
  guest.order_and_wait({3, 0x300000, 100});
  EXPECT_EQ(take(guest, DirtyClient::Migration, 0x301, 3), (Pages{0x301, 0x302, 0x303}));
  EXPECT_EQ(take(guest, DirtyClient::Migration, 0x300, 100).size(), 97U);
  guest.order_and_wait({3, 0x302000, 1});
  EXPECT_EQ(take(guest, DirtyClient::Migration, 0x300, 100), (Pages{0x302}));
}

TEST_P(KvmDirtyLog, MoreDirtyPagesThanARingHolds) {
  Guest guest(options());
  guest.start_puppet();
  log(guest, DirtyClient::Migration, true);
  take(guest, DirtyClient::Migration);
  guest.order_and_wait({3, 0x200000, 0x600});
  EXPECT_EQ(take(guest, DirtyClient::Migration, 0x200, 0x600).size(), 0x600U);
}

TEST_P(KvmDirtyLog, NoPageIsLostWhileRingsFillAndAreEmptied) {
  Guest guest(options());
  guest.start_puppet();
  log(guest, DirtyClient::Migration, true);
  take(guest, DirtyClient::Migration);
  // In steps with exits between them: a KVM that emulates code would not look at the ring within
  // one.
  for (u32 page = 0x200; page < 0x700; page += 16) guest.order({3, page << 12, 16});
  guest.order_and_wait({2, 0x7ff000, 1});
  const Pages pages = take(guest, DirtyClient::Migration, 0x200, 0x600);
  EXPECT_EQ(pages.size(), 0x501U);
  EXPECT_EQ(pages.front(), 0x200U);
  EXPECT_EQ(pages.back(), 0x7ffU);
}

TEST_P(KvmDirtyLog, PagesOfASlotThatGoesAreNotLost) {
  Guest guest(options());
  guest.start_puppet();
  log(guest, DirtyClient::Migration, true);
  take(guest, DirtyClient::Migration);
  guest.order_and_wait({2, 0x400000, 1});
  Region device;
  const DomainGuard guard(&guest.machine().lock());
  device.init_io(nullptr, "device", 0x1000, RegionOps{}, nullptr);
  guest.machine().system_memory().add(0x500000, device, 1);
  EXPECT_EQ(take(guest, DirtyClient::Migration), (Pages{0x400}));
  guest.machine().system_memory().remove(device);
}

TEST_P(KvmDirtyLog, NothingIsLoggedAfterTheLastClientHasGone) {
  Guest guest(options());
  guest.start_puppet();
  log(guest, DirtyClient::Migration, true);
  log(guest, DirtyClient::Migration, false);
  guest.order_and_wait({2, 0x400000, 1});
  EXPECT_EQ(guest.vm().slots().to_text().find(" log "), std::string::npos);
  log(guest, DirtyClient::Migration, true);
  take(guest, DirtyClient::Migration);
  guest.order_and_wait({2, 0x410000, 1});
  EXPECT_EQ(take(guest, DirtyClient::Migration), (Pages{0x410}));
}

class KvmDirtyRing : public testing::Test {
 protected:
  static std::string refusal(u32 entries, std::vector<int> hidden = {}) {
    Machine machine;
    const DomainGuard guard(&machine.lock());
    auto system = kvm::System::open();
    for (const int capability : hidden) (*system)->hide(capability);
    const auto vm = kvm::Vm::create(machine, std::move(*system), {.dirty_ring_entries = entries});
    return vm ? "accepted" : vm.error().message();
  }
  void SetUp() override { SKIP_WITHOUT_KVM(); }
};

TEST_F(KvmDirtyRing, RefusesBadSizesNamingThem) {
  EXPECT_EQ(refusal(1000), "dirty-ring-size=1000 is not a power of two");
  EXPECT_NE(refusal(16).find("dirty-ring-size=16 is out of range"), std::string::npos);
  EXPECT_EQ(refusal(1024, {KVM_CAP_DIRTY_LOG_RING, KVM_CAP_DIRTY_LOG_RING_ACQ_REL}),
            "dirty-ring-size=1024: this host's KVM has no dirty ring");
}

}  // namespace
}  // namespace rhea::test
