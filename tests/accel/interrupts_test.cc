// SPDX-License-Identifier: GPL-2.0-or-later
// Interrupts into KVM guests: the kernel's controllers, the split ones, messages, eventfds, NMI.
#include "rhea/softmmu/speaker_timer.h"
#include "tests/accel/guest.h"

#include <sys/eventfd.h>
#include <unistd.h>

namespace rhea::test {
namespace {

constexpr u64 kLapic = 0xfee00000;

/// The guest halts with interrupts on until one comes.
void sleep_once(Guest& guest) { guest.order({4}); }

/// The kernel's controllers with the devices that a board would make.
class KvmInterrupts : public testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_KVM(); }
  static Device& add(Guest& guest, std::string_view type) {
    const DomainGuard guard(&guest.machine().lock());
    auto device = guest.machine().add_device(std::move(*guest.machine().make(type)), nullptr);
    EXPECT_TRUE(device) << device.error().message();
    return **device;
  }
  static void set(Guest& guest, const Irq& irq, bool level) {
    const DomainGuard guard(&guest.machine().lock());
    irq.set(level);
  }
  /// A flat guest whose local APIC is on, as a firmware leaves it.
  static void start_with_apic(Guest& guest) {
    guest.start_puppet();
    guest.order_and_wait({2, static_cast<u32>(kLapic + 0xf0), 0x1ff});
  }
};

/// An eventfd that closes itself.
class EventFd {
 public:
  EventFd() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  int fd() const { return fd_.get(); }
  void signal() const { eventfd_write(fd_.get(), 1); }
  u64 take() const {
    eventfd_t value = 0;
    return eventfd_read(fd_.get(), &value) == 0 ? value : 0;
  }

 private:
  FileDescriptor fd_;
};

TEST_F(KvmInterrupts, EdgeAndLevelReachTheSleepingGuestThroughThePins) {
  Guest guest;
  add(guest, "kvm-i8259");
  const Device& ioapic = add(guest, "kvm-ioapic");
  guest.start_real(GUEST(pic));
  ASSERT_TRUE(guest.wait([&] { return !guest.written_to(0x5f4).empty(); }));
  set(guest, ioapic.gpio_in("", 1), true);
  set(guest, ioapic.gpio_in("", 1), false);
  ASSERT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{0x21}; }));
  set(guest, ioapic.gpio_in("", 11), true);
  ASSERT_TRUE(guest.wait([&] { return guest.written_to(0x5f8).size() >= 4; }));
  set(guest, ioapic.gpio_in("", 11), false);
  EXPECT_EQ(guest.written_to(0x5f8)[3], 0x2bU);
}

TEST_F(KvmInterrupts, LinesWorkWithoutTheCallThatTellsTheirFate) {
  Guest guest({.vm = {}, .hidden = {KVM_CAP_IRQ_INJECT_STATUS}});
  guest.start_real(GUEST(pic));
  ASSERT_TRUE(guest.wait([&] { return !guest.written_to(0x5f4).empty(); }));
  EXPECT_EQ(guest.vm().interrupts().set_line(1, true), 1);
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{0x21}; }));
}

TEST_F(KvmInterrupts, ThePicDevicesPinsAreSilent) {
  Guest guest;
  const Device& pic = add(guest, "kvm-i8259");
  guest.start_real(GUEST(pic));
  ASSERT_TRUE(guest.wait([&] { return !guest.written_to(0x5f4).empty(); }));
  set(guest, pic.gpio_in("", 1), true);
  EXPECT_FALSE(guest.wait([&] { return !guest.written_to(0x5f8).empty(); }, 50));
}

TEST_F(KvmInterrupts, IrqFdRaisesALine) {
  Guest guest;
  const EventFd event;
  ASSERT_TRUE(guest.vm().interrupts().add_irqfd(event.fd(), 1));
  guest.start_real(GUEST(pic));
  ASSERT_TRUE(guest.wait([&] { return !guest.written_to(0x5f4).empty(); }));
  event.signal();
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{0x21}; }));
  ASSERT_TRUE(guest.vm().interrupts().remove_irqfd(event.fd(), 1));
  event.signal();
  EXPECT_FALSE(guest.wait([&] { return guest.written_to(0x5f8).size() > 1; }, 50));
}

TEST_F(KvmInterrupts, IrqFdWithResampleFallsAtTheEndOfInterruptAndSaysSo) {
  Guest guest;
  const EventFd event, resample;
  ASSERT_TRUE(guest.vm().interrupts().add_irqfd(event.fd(), 11, resample.fd()));
  guest.start_real(GUEST(pic));
  ASSERT_TRUE(guest.wait([&] { return !guest.written_to(0x5f4).empty(); }));
  EXPECT_EQ(resample.take(), 0U);
  event.signal();
  u64 resampled = 0;
  EXPECT_TRUE(guest.wait([&] { return (resampled += resample.take()) > 0; }));
  // One signal is one interrupt: the line fell by itself.
  EXPECT_FALSE(guest.wait([&] { return guest.written_to(0x5f8).size() > 1; }, 50));
  EXPECT_EQ(guest.written_to(0x5f8), (std::vector<u64>{0x2b}));
}

TEST_F(KvmInterrupts, MessagesReachTheLocalApic) {
  Guest guest;
  start_with_apic(guest);
  sleep_once(guest);
  EXPECT_TRUE(guest.wait(
      [&] { return guest.vm().interrupts().send_message({.address = kLapic, .data = 0x45}); }));
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{0x45}; }));
}

TEST_F(KvmInterrupts, TheHubsMessagesGoTheSameWay) {
  Guest guest;
  start_with_apic(guest);
  sleep_once(guest);
  guest.machine().interrupts.send_msi({.address = kLapic, .data = 0x46});
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{0x46}; }));
}

TEST_F(KvmInterrupts, ARoutedMessageIsSentByItsNumberUntilItIsRemoved) {
  Guest guest;
  start_with_apic(guest);
  auto& routing = guest.vm().interrupts().routing();
  const EventFd event;
  const auto gsi = routing.add_message({.address = kLapic, .data = 0x47});
  ASSERT_TRUE(gsi);
  EXPECT_GE(*gsi, 24U);
  ASSERT_TRUE(routing.commit());
  ASSERT_TRUE(guest.vm().interrupts().add_irqfd(event.fd(), *gsi));
  sleep_once(guest);
  event.signal();
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{0x47}; }));
  EXPECT_TRUE(routing.set_message(*gsi, {.address = kLapic, .data = 0x48}));
  EXPECT_FALSE(routing.set_message(*gsi, {.address = kLapic, .data = 0x48}));
  ASSERT_TRUE(routing.commit());
  sleep_once(guest);
  event.signal();
  EXPECT_TRUE(
      guest.wait([&] { return guest.written_to(0x5f8) == (std::vector<u64>{0x47, 0x48}); }));
  ASSERT_TRUE(guest.vm().interrupts().remove_irqfd(event.fd(), *gsi));
  routing.remove(*gsi);
  ASSERT_TRUE(routing.commit());
  EXPECT_EQ(*routing.add_message({.address = kLapic, .data = 0x49}), *gsi);
}

TEST_F(KvmInterrupts, NumbersForMessagesRunOut) {
  Guest guest;
  auto& routing = guest.vm().interrupts().routing();
  Result<u32> last;
  do last = routing.add_message({.address = kLapic, .data = 0x40});
  while (last && *last < 100000);
  ASSERT_FALSE(last);
  EXPECT_NE(last.error().message().find("all are taken"), std::string::npos);
}

// ---- NMI
// -----------------------------------------------------------------------------------------------------

constexpr u32 kLint1 = 0x360;

void nmi(Guest& guest) {
  const DomainGuard guard(&guest.machine().lock());
  guest.machine().vcpus()[0]->run_on([&] { guest.vcpu().inject_nmi(); });
}

TEST_F(KvmInterrupts, NmiComesThroughLint1WhenItIsProgrammedSo) {
  Guest guest;
  start_with_apic(guest);
  guest.order_and_wait({2, static_cast<u32>(kLapic + kLint1), 0x400});
  nmi(guest);
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{2}; }));
}

TEST_F(KvmInterrupts, NmiIsMaskedWithLint1) {
  Guest guest;
  start_with_apic(guest);
  guest.order_and_wait({2, static_cast<u32>(kLapic + kLint1), 0x10400});
  nmi(guest);
  guest.order_and_wait({1, 0x3000});
  EXPECT_EQ(guest.written_to(0x5f8), (std::vector<u64>{}));
}

TEST_F(KvmInterrupts, NmiIsAnOrdinaryInterruptWhenLint1SaysFixed) {
  Guest guest;
  start_with_apic(guest);
  guest.order_and_wait({2, static_cast<u32>(kLapic + kLint1), 0x55});
  sleep_once(guest);
  nmi(guest);
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{0x55}; }));
}

TEST_F(KvmInterrupts, NmiGoesStraightInWhenTheLocalApicIsOff) {
  Guest guest;
  guest.prepare_puppet();
  x86::CpuState state = guest.state();
  state.apic_base &= ~(u64{1} << 11);
  ASSERT_TRUE(guest.vcpu().set_state(state));
  guest.start();
  guest.order_and_wait({1, 0x3000});
  nmi(guest);
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{2}; }));
}

// ---- Split controllers
// ---------------------------------------------------------------------------------------

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
};
INSTANTIATE_TEST_SUITE_P(Irqchips, KvmPic, testing::Values(kvm::Irqchip::Split, kvm::Irqchip::None),
                         [](const auto& chip) {
                           return chip.param == kvm::Irqchip::Split ? "Split" : "None";
                         });

TEST_P(KvmPic, WakesASleepingGuestWithItsVector) {
  Guest guest({.vm = {.irqchip = GetParam()}, .hidden = {}});
  FakePic pic(guest.machine());
  guest.start_puppet();
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
  guest.start_puppet();
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
  guest.start_puppet();
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
  guest.start_puppet();
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

TEST_F(KvmInterrupts, NmiWakesASleeperWithoutALocalApic) {
  Guest guest(kNoChip);
  guest.start_puppet();
  guest.order_and_wait({1, 0x3000});
  sleep_once(guest);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  nmi(guest);
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{2}; }));
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
