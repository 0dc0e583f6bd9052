// SPDX-License-Identifier: GPL-2.0-or-later
// Interrupts into KVM guests whose controllers, all or some, are ours.
#include "tests/accel/interrupts_fixture.h"

#include <chrono>

namespace rhea::test {
namespace {

/// 8259s of which the test is the master.
class FakePic final : public ExtIntSource {
 public:
  explicit FakePic(Machine& machine) : machine_(&machine) { machine.interrupts.pic = this; }
  bool intr() const override { return intr_; }
  u8 acknowledge() override {
    ++acknowledged;
    set(false);
    return 0x22;
  }
  void set(bool level) {
    intr_ = level;
    machine_->interrupts.intr_changed(level);
  }
  void raise() {
    const DomainGuard guard(&machine_->lock());
    set(true);
  }
  unsigned acknowledged{0};

 private:
  Machine* machine_;
  bool intr_{false};
};

struct FakeIoApic final : EoiListener {
  void end_of_interrupt(u8 vector) override { vectors.push_back(vector); }
  std::vector<u8> vectors;
};

constexpr GuestOptions kSplit{.vm = {.irqchip = kvm::Irqchip::Split}, .hidden = {}};
constexpr GuestOptions kNoChip{.vm = {.irqchip = kvm::Irqchip::None}, .hidden = {}};

class KvmPic : public testing::TestWithParam<kvm::Irqchip> {
 protected:
  void SetUp() override { SKIP_WITHOUT_KVM(); }
  /// A puppet whose local APIC lets the 8259s through, as a firmware leaves it.
  static void start(Guest& guest) {
    guest.start_puppet();
    guest.order_and_wait({2, static_cast<u32>(kLapic + 0xf0), 0x1ff});
    guest.order_and_wait({2, static_cast<u32>(kLapic + 0x350), 0x700});
  }
};
INSTANTIATE_TEST_SUITE_P(Irqchips, KvmPic, testing::Values(kvm::Irqchip::Split, kvm::Irqchip::None),
                         [](const auto& chip) {
                           return chip.param == kvm::Irqchip::Split ? "Split" : "None";
                         });

TEST_P(KvmPic, WakesASleepingGuestWithItsVector) {
  Guest guest({.vm = {.irqchip = GetParam()}, .hidden = {}});
  FakePic pic(guest.machine());
  start(guest);
  for (unsigned i = 1; i <= 20; ++i) {
    guest.order_and_wait({1, 0x3000});
    sleep_once(guest);
    pic.raise();
    ASSERT_TRUE(guest.wait([&] { return guest.written_to(0x5f8).size() == i; })) << i;
  }
  EXPECT_EQ(pic.acknowledged, 20U);
  EXPECT_EQ(guest.written_to(0x5f8).back(), 0x22U);
}

TEST_P(KvmPic, InterruptWaitsUntilTheGuestTakesInterrupts) {
  Guest guest({.vm = {.irqchip = GetParam()}, .hidden = {}});
  FakePic pic(guest.machine());
  start(guest);
  guest.order_and_wait({1, 0x3000});
  pic.raise();
  for (unsigned i = 0; i < 10; ++i) guest.order_and_wait({1, 0x3000});
  EXPECT_EQ(pic.acknowledged, 0U);
  sleep_once(guest);
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{0x22}; }));
  EXPECT_EQ(pic.acknowledged, 1U);
}

TEST_P(KvmPic, ALineThatFallsAgainIsForgotten) {
  Guest guest({.vm = {.irqchip = GetParam()}, .hidden = {}});
  FakePic pic(guest.machine());
  start(guest);
  guest.order_and_wait({1, 0x3000});
  pic.raise();
  guest.order_and_wait({1, 0x3000});
  {
    const DomainGuard guard(&guest.machine().lock());
    pic.set(false);
  }
  sleep_once(guest);
  EXPECT_FALSE(guest.wait([&] { return !guest.written_to(0x5f8).empty(); }, 50));
  pic.raise();
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{0x22}; }));
}

TEST_P(KvmPic, ASleepingGuestCanBePausedAndStillWakes) {
  Guest guest({.vm = {.irqchip = GetParam()}, .hidden = {}});
  FakePic pic(guest.machine());
  start(guest);
  sleep_once(guest);
  ASSERT_TRUE(
      guest.wait([&] { return !guest.vcpu().in_guest() || GetParam() == kvm::Irqchip::Split; }));
  for (unsigned i = 0; i < 20; ++i) {
    guest.pause();
    guest.start();
  }
  EXPECT_EQ(guest.written_to(0x5f8), (std::vector<u64>{}));
  pic.raise();
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{0x22}; }));
}

TEST_F(KvmInterrupts, NmiWakesASleeperWithoutALocalApicInTheKernel) {
  Guest guest(kNoChip);
  start_with_apic(guest);
  guest.order_and_wait({2, static_cast<u32>(kLapic + kLint1), 0x400});
  sleep_once(guest);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  nmi(guest);
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{2}; }));
}

TEST_F(KvmInterrupts, MessagesReachALocalApicOutsideTheKernel) {
  Guest guest(kNoChip);
  start_with_apic(guest);
  sleep_once(guest);
  guest.machine().interrupts.send_msi({.address = kLapic, .data = 0x41});
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{0x41}; }));
  // The handler has said that it is over, so that the next one comes.
  sleep_once(guest);
  guest.machine().interrupts.send_msi({.address = kLapic, .data = 0x40});
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{0x41, 0x40}; }));
}

TEST_F(KvmInterrupts, AnInitToItselfIsTakenWhenTheAccessIsOver) {
  Guest guest(kNoChip);
  start_with_apic(guest);
  guest.order({2, static_cast<u32>(kLapic + 0x300), 0x44500});
  // There is nothing at the reset vector, and the interrupt table is where it was.
  ASSERT_TRUE(guest.wait([&] { return !guest.written_to(0x5f8).empty(); }));
  EXPECT_EQ(guest.written_to(0x5f8).front(), 6U);
}

TEST_F(KvmInterrupts, TaskPriorityHoldsInterruptsBackOutsideTheKernelToo) {
  Guest guest(kNoChip);
  start_with_apic(guest);
  guest.order_and_wait({2, static_cast<u32>(kLapic + 0x80), 0x50});
  guest.machine().interrupts.send_msi({.address = kLapic, .data = 0x41});
  sleep_once(guest);
  EXPECT_FALSE(guest.wait([&] { return !guest.written_to(0x5f8).empty(); }, 50));
  guest.machine().interrupts.send_msi({.address = kLapic, .data = 0x61});
  ASSERT_TRUE(guest.wait([&] { return !guest.written_to(0x5f8).empty(); }));
  EXPECT_EQ(guest.written_to(0x5f8), std::vector<u64>{0x61});
  guest.order_and_wait({2, static_cast<u32>(kLapic + 0x80), 0});
  sleep_once(guest);
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{0x61, 0x41}; }));
}

TEST_F(KvmInterrupts, EndOfALevelInterruptComesBackToOurIoApic) {
  Guest guest(kSplit);
  FakeIoApic ioapic;
  guest.machine().interrupts.ioapic = &ioapic;
  start_with_apic(guest);
  const MsiMessage message{.address = kLapic, .data = 0xc041};
  {
    const DomainGuard guard(&guest.machine().lock());
    guest.machine().interrupts.route_changed(5, message, false, true);
  }
  sleep_once(guest);
  guest.machine().interrupts.send_msi(message);
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{0x41}; }));
  EXPECT_TRUE(guest.wait([&] { return ioapic.vectors == std::vector<u8>{0x41}; }));
}

TEST_F(KvmInterrupts, EndOfAnEdgeInterruptStaysInTheKernel) {
  Guest guest(kSplit);
  FakeIoApic ioapic;
  guest.machine().interrupts.ioapic = &ioapic;
  start_with_apic(guest);
  {
    const DomainGuard guard(&guest.machine().lock());
    guest.machine().interrupts.route_changed(5, {.address = kLapic, .data = 0x43}, false, false);
  }
  sleep_once(guest);
  guest.machine().interrupts.send_msi({.address = kLapic, .data = 0x43});
  ASSERT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{0x43}; }));
  guest.order_and_wait({1, 0x3000});
  EXPECT_TRUE(ioapic.vectors.empty());
}

TEST_F(KvmInterrupts, MaskedRoutesAndUnknownPinsAreNoRoutes) {
  Guest guest(kSplit);
  const DomainGuard guard(&guest.machine().lock());
  guest.machine().interrupts.route_changed(5, {.address = kLapic, .data = 0x43}, true, false);
  guest.machine().interrupts.route_changed(24, {.address = kLapic, .data = 0x43}, false, false);
  EXPECT_EQ(guest.vm().interrupts().routing().size(), 0U);
}

TEST_F(KvmInterrupts, ResampleNeedsTheKernelsControllers) {
  Guest guest(kSplit);
  const EventFd event, resample;
  EXPECT_FALSE(guest.vm().interrupts().add_irqfd(event.fd(), 11, resample.fd()));
  Guest old({.vm = {}, .hidden = {KVM_CAP_IRQFD_RESAMPLE}});
  const auto refused = old.vm().interrupts().add_irqfd(event.fd(), 11, resample.fd());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(), "this host's KVM has no resampling interrupt eventfds");
}

TEST_F(KvmInterrupts, SplitIsRefusedWhereKvmCannot) {
  Machine machine;
  const DomainGuard guard(&machine.lock());
  auto system = kvm::System::open();
  (*system)->hide(KVM_CAP_SPLIT_IRQCHIP);
  const auto vm = kvm::Vm::create(machine, std::move(*system), {.irqchip = kvm::Irqchip::Split});
  ASSERT_FALSE(vm);
  EXPECT_NE(vm.error().message().find("kernel-irqchip=split"), std::string::npos);
}

TEST_F(KvmInterrupts, BoardsTakeTheKernelsPartsOnlyWhenTheyAreThere) {
  Guest kernel;
  EXPECT_EQ(kernel.vm().parts().pic, "kvm-i8259");
  EXPECT_EQ(kernel.vm().parts().ioapic, "kvm-ioapic");
  EXPECT_EQ(kernel.vm().parts().pit, "kvm-pit");
  Guest split(kSplit);
  EXPECT_EQ(split.vm().parts().pic, "isa-i8259");
  for (const char* type : {"kvm-i8259", "kvm-ioapic", "kvm-pit"}) {
    const DomainGuard guard(&split.machine().lock());
    EXPECT_FALSE(split.machine().add_device(std::move(*split.machine().make(type)), nullptr))
        << type;
  }
}

}  // namespace
}  // namespace rhea::test
