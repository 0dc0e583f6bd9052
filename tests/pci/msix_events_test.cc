// SPDX-License-Identifier: GPL-2.0-or-later
// MSI-X messages that eventfds send, with an accelerator that can route them and without.
#include "rhea/util/file_descriptor.h"
#include "tests/pci/test_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

namespace rhea::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr unsigned kEventDevfn = 3 << 3;
constexpr u64 kEventBar = 0xe000'0000, kEventTable = kEventBar + TestPciDevice::kMsixTable;
constexpr u64 kEventPending = kEventTable + 16 * TestPciDevice::kMsixVectors;
constexpr u16 kOnUnmasked = 0x8000, kOnMasked = 0xc000;
constexpr MsiMessage kHello{.address = 0xfee0'0000, .data = 0x41};

/// What an accelerator would do, written down.
class FakeRoutes final : public MessageRoutes {
 public:
  struct Route {
    int fd;
    MsiMessage message;
  };
  Result<u32> add(int fd, const MsiMessage& message) override {
    if (full) return fail("full");
    routes[++last] = {fd, message};
    return last;
  }
  void change(u32 route, const MsiMessage& message) override {
    routes.at(route).message = message;
    ++changes;
  }
  void remove(u32 route, int fd) override {
    EXPECT_EQ(routes.at(route).fd, fd);
    routes.erase(route);
  }
  std::vector<MsiMessage> messages() const {
    std::vector<MsiMessage> all;
    for (const auto& [number, route] : routes) all.push_back(route.message);
    return all;
  }
  bool full{false};
  unsigned changes{0};
  u32 last{0};
  std::map<u32, Route> routes;
};

class MsixEvents : public testing::Test {
 protected:
  MsixEvents() { map(); }
  void map() {
    bench.config_write(kEventDevfn, kMemoryBar, kEventBar, 4);
    bench.config_write(kEventDevfn, 4, pci::kCommandMemory | pci::kCommandMaster, 2);
  }
  void control(u16 bits) { bench.config_write(kEventDevfn, kMsix + 2, bits, 2); }
  void set_entry(unsigned vector, const MsiMessage& message, u32 masked) {
    const u64 entry = kEventTable + u64{vector} * 16;
    bench.store(entry, message.address, 8);
    bench.store(entry + 8, message.data, 4);
    bench.store(entry + 12, masked, 4);
  }
  void signal() const { ASSERT_EQ(eventfd_write(event.get(), 1), 0); }
  bool arrives() {
    return bench.run_until([&] { return !bench.messages().empty(); });
  }
  u32 pending() { return static_cast<u32>(bench.load(kEventPending, 4)); }

  FakeRoutes routes;
  Bench bench;
  TestPciDevice& device = add_test_device(bench, {{"addr", "3"}});
  FileDescriptor event{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
};

TEST_F(MsixEvents, TheMainLoopSendsThem) {
  set_entry(5, kHello, 0);
  control(kOnUnmasked);
  device.route_msix(5, event.get());
  signal();
  EXPECT_TRUE(arrives());
  EXPECT_THAT(bench.messages(), ElementsAre(kHello));
}

TEST_F(MsixEvents, OfAMaskedVectorTheyWaitAsPendingBits) {
  set_entry(5, kHello, 1);
  control(kOnUnmasked);
  device.route_msix(5, event.get());
  signal();
  EXPECT_TRUE(bench.run_until([&] { return pending() == 1U << 5; }));
  EXPECT_THAT(bench.messages(), IsEmpty());
  set_entry(5, kHello, 0);
  EXPECT_THAT(bench.messages(), ElementsAre(kHello));
}

TEST_F(MsixEvents, OfADeviceWithoutMsixTheyAreNothing) {
  device.route_msix(5, event.get());
  signal();
  bench.machine().loop().iterate(false);
  control(kOnUnmasked);
  set_entry(5, kHello, 0);
  EXPECT_THAT(bench.messages(), IsEmpty());
  EXPECT_EQ(pending(), 0U);
}

TEST_F(MsixEvents, NobodyReadsOneThatIsRoutedNoMore) {
  set_entry(5, kHello, 0);
  control(kOnUnmasked);
  device.route_msix(5, event.get());
  device.unroute_msix(5);
  signal();
  bench.machine().loop().iterate(false);
  EXPECT_THAT(bench.messages(), IsEmpty());
}

TEST_F(MsixEvents, WhatWasSignalledIsSaved) {
  set_entry(5, kHello, 1);
  control(kOnUnmasked);
  device.route_msix(5, event.get());
  signal();
  const std::vector<u8> saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(pending(), 1U << 5);
}

class RoutedMsixEvents : public MsixEvents {
 protected:
  RoutedMsixEvents() {
    bench.machine().interrupts.routes = &routes;
    set_entry(5, kHello, 0);
    control(kOnUnmasked);
    device.route_msix(5, event.get());
  }
};

TEST_F(RoutedMsixEvents, TheAcceleratorHasTheMessage) {
  EXPECT_THAT(routes.messages(), ElementsAre(kHello));
}

TEST_F(RoutedMsixEvents, ItHearsOfChangesOfTheTable) {
  const MsiMessage other{.address = 0xfee0'1000, .data = 0x42};
  set_entry(5, other, 0);
  EXPECT_THAT(routes.messages(), ElementsAre(other));
}

TEST_F(RoutedMsixEvents, ItHearsNothingOfWritesThatChangeNothing) {
  set_entry(5, kHello, 0);
  EXPECT_EQ(routes.changes, 0U);
}

TEST_F(RoutedMsixEvents, AMaskTakesItBack) {
  set_entry(5, kHello, 1);
  EXPECT_THAT(routes.routes, IsEmpty());
  signal();
  EXPECT_TRUE(bench.run_until([&] { return pending() != 0; }));
  set_entry(5, kHello, 0);
  EXPECT_THAT(routes.messages(), ElementsAre(kHello));
  EXPECT_THAT(bench.messages(), ElementsAre(kHello)) << "the one that waited";
}

TEST_F(RoutedMsixEvents, TheMaskOfTheFunctionTakesItBack) {
  control(kOnMasked);
  EXPECT_THAT(routes.routes, IsEmpty());
  control(kOnUnmasked);
  EXPECT_THAT(routes.messages(), ElementsAre(kHello));
}

TEST_F(RoutedMsixEvents, WithoutBusMasteringThereIsNone) {
  bench.config_write(kEventDevfn, 4, pci::kCommandMemory, 2);
  EXPECT_THAT(routes.routes, IsEmpty());
}

TEST_F(RoutedMsixEvents, WithFaultsTheyComeThroughTheDevice) {
  ASSERT_TRUE(device.set("x-fault", Value(std::string("drop-irq@1"))));
  EXPECT_THAT(routes.routes, IsEmpty());
}

TEST_F(RoutedMsixEvents, ResetTakesItBack) {
  bench.reset();
  EXPECT_THAT(routes.routes, IsEmpty());
}

TEST_F(RoutedMsixEvents, UnplugTakesItBack) {
  ASSERT_TRUE(bench.machine().unplug(device));
  EXPECT_THAT(routes.routes, IsEmpty());
}

TEST_F(RoutedMsixEvents, ALoadedDeviceIsRoutedAgain) {
  const std::vector<u8> saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_THAT(routes.messages(), ElementsAre(kHello));
}

TEST_F(RoutedMsixEvents, WhereTheAcceleratorHasNoMoreTheMainLoopSendsThem) {
  routes.full = true;
  const FileDescriptor second(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  set_entry(6, kHello, 0);
  device.route_msix(6, second.get());
  ASSERT_EQ(eventfd_write(second.get(), 1), 0);
  EXPECT_TRUE(arrives());
}

TEST_F(RoutedMsixEvents, NoMoreThanAGuestMayCostAreRouted) {
  set_entry(69, kHello, 0);
  const FileDescriptor last(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  device.route_msix(69, last.get());
  EXPECT_EQ(routes.routes.size(), 1U);
}

}  // namespace
}  // namespace rhea::test
