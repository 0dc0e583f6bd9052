// SPDX-License-Identifier: GPL-2.0-or-later
// Interrupts into KVM guests by the kernel's controllers: pins, eventfds, messages, NMI.
#include "rhea/softmmu/speaker_timer.h"
#include "tests/accel/interrupts_fixture.h"

#include <unistd.h>

namespace rhea::test {
namespace {

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

TEST_F(KvmInterrupts, AnEventFdSendsItsMessageUntilItsRouteIsRemoved) {
  Guest guest;
  start_with_apic(guest);
  MessageRoutes* const routes = guest.machine().interrupts.routes;
  ASSERT_NE(routes, nullptr);
  const EventFd event;
  event.signal();  // one that waits
  const auto route = routes->add(event.fd(), {.address = kLapic, .data = 0x51});
  ASSERT_TRUE(route);
  guest.order_and_wait({1, 0x3000});
  sleep_once(guest);
  EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x5f8) == std::vector<u64>{0x51}; }));
  routes->change(*route, {.address = kLapic, .data = 0x52});
  sleep_once(guest);
  event.signal();
  EXPECT_TRUE(
      guest.wait([&] { return guest.written_to(0x5f8) == (std::vector<u64>{0x51, 0x52}); }));
  routes->remove(*route, event.fd());
  event.signal();
  EXPECT_FALSE(guest.wait([&] { return guest.written_to(0x5f8).size() > 2; }, 50));
  EXPECT_EQ(event.take(), 1U) << "it waits in the descriptor";
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

// There is no SMRAM: SMBASE + 0x8000 is ordinary memory. A host without SMM loses the interrupt.
TEST_F(KvmInterrupts, NmiIsASystemManagementInterruptWhenLint1SaysSo) {
  Guest guest;
  constexpr std::array<u8, 8> handler = {0xba, 0x00, 0x05,   // mov dx, 0x500
                                         0xb0, 0x5a,         // mov al, 0x5a
                                         0xee, 0x0f, 0xaa};  // out dx, al; rsm
  std::ranges::copy(handler, guest.memory() + 0x38000);
  start_with_apic(guest);
  guest.order_and_wait({2, static_cast<u32>(kLapic + kLint1), 0x200});
  nmi(guest);
  if (guest.vm().extension(KVM_CAP_X86_SMM) != 0) {
    EXPECT_TRUE(guest.wait([&] { return guest.written_to(0x500) == std::vector<u64>{0x5a}; }));
  }
  guest.order_and_wait({1, 0x3000});
  EXPECT_FALSE(guest.state().events.smm);
}

}  // namespace
}  // namespace rhea::test
