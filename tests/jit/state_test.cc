// SPDX-License-Identifier: GPL-2.0-or-later
// The state of a software processor out and in again, by itself and with its machine.
#include "rhea/softmmu/snapshot.h"
#include "tests/jit/jit_guest.h"
#include "tests/support/cpu_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace rhea::test {
namespace {

constexpr u32 kTsc = 0x10;
constexpr unsigned kCounter = 0x6000;
/// Timers fire in the vCPUs' threads.
constexpr accel::InstructionCount::Settings kCountingAwake = {.shift = 0, .sleep = false};

u32 peek(JitGuest& guest, unsigned address) {
  u32 value = 0;
  std::memcpy(&value, guest.memory() + address, sizeof value);
  return value;
}

x86::CpuState state_of(JitGuest& guest, unsigned cpu = 0) {
  x86::CpuState state;
  EXPECT_TRUE(guest.vcpu(cpu).get_state(state));
  return state;
}

void put(x86::CpuState& state, unsigned apic_register, u32 value) {
  std::memcpy(state.lapic.data() + apic_register, &value, sizeof value);
}

std::vector<u8> save(JitGuest& guest) {
  const DomainGuard lock(&guest.machine().lock());
  return save_machine(guest.machine());
}

Result<> load(JitGuest& guest, std::span<const u8> stream) {
  const DomainGuard lock(&guest.machine().lock());
  return load_machine(guest.machine(), stream);
}

void count_for_ever(JitGuest& guest, unsigned cpu = 0) {
  guest.load({0x66, 0xff, 0x06, 0x00, 0x60,  // inc dword [0x6000]
              0x43,                          // inc bx
              0xeb, 0xf8},                   // jmp $ - 6
             cpu);
}

TEST(JitState, OfAProcessorThatHasRunIsTheSameAfterItIsSet) {
  JitGuest guest;
  count_for_ever(guest);
  guest.start();
  ASSERT_TRUE(eventually([&] { return peek(guest, kCounter) > 1000; }));
  guest.pause();
  const x86::CpuState before = state_of(guest);
  ASSERT_TRUE(guest.vcpu().set_state(before));
  EXPECT_EQ(bytes_of(state_of(guest)), bytes_of(before));
}

TEST(JitState, OfAMachineGoesOnInAnotherMachine) {
  std::vector<u8> saved;
  x86::CpuState vcpu;
  u32 counted = 0;
  {
    JitGuest guest(2);
    count_for_ever(guest);
    guest.start();
    ASSERT_TRUE(eventually([&] { return peek(guest, kCounter) > 1000; }));
    guest.pause();
    saved = save(guest);
    vcpu = state_of(guest);
    counted = peek(guest, kCounter);
  }
  JitGuest other(2);
  const auto loaded = load(other, saved);
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(save(other), saved);
  EXPECT_EQ(bytes_of(state_of(other)), bytes_of(vcpu));
  EXPECT_EQ(peek(other, kCounter), counted);
  other.start();
  EXPECT_TRUE(eventually([&] { return peek(other, kCounter) > counted; }));
}

TEST(JitState, HasItsTimeStampCounterWhateverTheTimeIsElsewhere) {
  JitGuest guest, other;
  guest.machine().virtual_clock().set_manual(1'000'000'000);
  x86::CpuState state = state_of(guest);
  EXPECT_EQ(msr_of(state, kTsc), 1'000'000'000U);
  state.tsc_khz = 2'000'000;
  ASSERT_TRUE(other.vcpu().set_state(state));
  EXPECT_EQ(msr_of(state_of(other), kTsc), 1'000'000'000U);
  other.machine().virtual_clock().set_manual(1'000'000);
  EXPECT_EQ(msr_of(state_of(other), kTsc), 1'002'000'000U);
}

TEST(JitState, KeepsAnNmiThatWaitsForItsTurn) {
  JitGuest guest;
  count_for_ever(guest);
  x86::CpuState state = state_of(guest);
  state.events.nmi_pending = 1;
  state.events.nmi_masked = true;
  ASSERT_TRUE(guest.vcpu().set_state(state));
  guest.vcpu().run_briefly(10);
  EXPECT_EQ(state_of(guest).events.nmi_pending, 1);
  state.events.nmi_pending = 0;
  state.events.nmi_masked = false;
  ASSERT_TRUE(guest.vcpu().set_state(state));
  EXPECT_EQ(state_of(guest).events.nmi_pending, 0);
}

// INIT waits until the processor leaves system management mode.
TEST(JitState, KeepsAnInitThatWaitsForItsTurn) {
  JitGuest guest;
  count_for_ever(guest);
  x86::CpuState state = state_of(guest);
  state.events.smm = state.events.smi_latched_init = true;
  ASSERT_TRUE(guest.vcpu().set_state(state));
  guest.vcpu().run_briefly(10);
  const x86::CpuState after = state_of(guest);
  EXPECT_TRUE(after.events.smi_latched_init);
  EXPECT_GT(after.gpr[x86::Rbx], 0U);
}

TEST(JitState, ThatHasReceivedAStartUpStartsThere) {
  JitGuest guest(2);
  x86::CpuState state = state_of(guest, 1);
  state.mp_state = x86::MpState::SipiReceived;
  state.events.sipi_vector = 0x12;
  ASSERT_TRUE(guest.vcpu(1).set_state(state));
  const x86::CpuState after = state_of(guest, 1);
  EXPECT_EQ(after.mp_state, x86::MpState::Runnable);
  EXPECT_EQ(after.segment[x86::Cs].base + after.rip, 0x12000U);
}

/// Interrupts on, vector 0x40 says it is done.
void wait_for_timer(JitGuest& guest, std::initializer_list<u8> code) {
  guest.load(code);
  const std::array<u8, 5> handler = {0xe6, 0x81, 0xf4, 0xeb, 0xfd};  // out 0x81, al; hlt; jmp $ - 1
  std::ranges::copy(handler, guest.memory() + 0x5000);
  const std::array<u8, 4> entry = {0x00, 0x50, 0x00, 0x00};
  std::ranges::copy(entry, guest.memory() + 4 * 0x40);
}

TEST(JitState, HasTheRestOfItsLocalApicsCount) {
  JitGuest guest(1, kCountingAwake);
  wait_for_timer(guest, {0xfb, 0xf4, 0xeb, 0xfd});  // sti; hlt; jmp $ - 1
  x86::CpuState state = state_of(guest);
  put(state, 0xf0, 0x1ff);
  put(state, 0x320, 0x40);         // one-shot, vector 0x40
  put(state, 0x3e0, 0xb);          // divided by 1
  put(state, 0x380, 0xffff'ffff);  // 4.3 s, of which
  put(state, 0x390, 1'000'000);    // are left
  ASSERT_TRUE(guest.vcpu().set_state(state));
  const x86::CpuState again = state_of(guest);
  EXPECT_EQ(again.lapic, state.lapic);
  const Clock& clock = guest.machine().virtual_clock();
  EXPECT_EQ(clock.next_expiry_ns() - clock.now_ns(), 1'000'000);
  guest.start();
  EXPECT_TRUE(guest.wait_done());
}

// The deadline is one of IA32_TSC, wherever that has been set to (SDM vol. 3, 11.5.4.1).
TEST(JitState, ItsDeadlineIsThatOfTheTimeStampCounterAsWritten) {
  JitGuest guest(1, kCountingAwake);
  wait_for_timer(guest, {0x66, 0xb9, 0x10, 0,    0,    0,     // mov ecx, IA32_TSC
                         0x66, 0x31, 0xc0,                    // xor eax, eax
                         0x66, 0xba, 0,    1,    0,    0,     // mov edx, 0x100
                         0x0f, 0x30,                          // wrmsr
                         0x0f, 0x31,                          // rdtsc
                         0x66, 0x05, 0x40, 0x42, 0x0f, 0x00,  // add eax, 1000000
                         0x66, 0xb9, 0xe0, 0x06, 0,    0,     // mov ecx, IA32_TSC_DEADLINE
                         0x0f, 0x30,                          // wrmsr
                         0xfb, 0xf4, 0xeb, 0xfd});            // sti; hlt; jmp $ - 1
  x86::CpuState state = state_of(guest);
  put(state, 0xf0, 0x1ff);
  put(state, 0x320, 0x4'0040);  // TSC-deadline mode
  ASSERT_TRUE(guest.vcpu().set_state(state));
  guest.start();
  EXPECT_TRUE(guest.wait_done());
}

TEST(JitState, ADeadlineComesWhenTheTimeStampCounterIsSetBeyondIt) {
  JitGuest guest;
  wait_for_timer(guest, {0x66, 0xb9, 0xe0, 0x06, 0, 0,  // mov ecx, IA32_TSC_DEADLINE
                         0x66, 0x31, 0xc0,              // xor eax, eax
                         0x66, 0xba, 0,    1,    0, 0,  // mov edx, 0x100
                         0x0f, 0x30,                    // wrmsr
                         0x66, 0xb9, 0x10, 0,    0, 0,  // mov ecx, IA32_TSC
                         0x0f, 0x30,                    // wrmsr
                         0xfb, 0xf4, 0xeb, 0xfd});      // sti; hlt; jmp $ - 1
  x86::CpuState state = state_of(guest);
  put(state, 0xf0, 0x1ff);
  put(state, 0x320, 0x4'0040);
  ASSERT_TRUE(guest.vcpu().set_state(state));
  guest.start();
  EXPECT_TRUE(guest.wait_done());
}

}  // namespace
}  // namespace rhea::test
