// SPDX-License-Identifier: GPL-2.0-or-later
// What becomes of a guest that leaves for other reasons than ports and memory: on the host's KVM
// where it gives the exit, else with the shared area filled in by hand.
#include "rhea/util/log.h"
#include "tests/accel/guest.h"

#include <cpuid.h>
#include <gmock/gmock.h>

namespace rhea::test {
namespace {

using testing::HasSubstr;
using Fill = std::function<void(kvm_run&)>;

// movw $0xd000, %ax; mov %ax, %es; paddb %es:(0), %mm0; then: incl 0x3000 for ever.
constexpr std::array<u8, 18> kUnemulated = {0xb8, 0x00, 0xd0, 0x8e, 0xc0, 0x26, 0x0f, 0xfc, 0x06,
                                            0x00, 0x00, 0x66, 0xff, 0x06, 0x00, 0x30, 0xeb, 0xf9};
constexpr std::size_t kMm0 = 32, kComponents = 512;  // in the XSAVE area

// Long mode: lidt (0x3000), where all is zero; ud2. (In real mode a KVM that emulates looks at no
// limit.)
constexpr std::array<u8, 10> kTripleFault = {0x0f, 0x01, 0x1c, 0x25, 0x00,
                                             0x30, 0x00, 0x00, 0x0f, 0x0b};

/// Whether the host's processor has VT-x or AMD-V; without them KVM emulates guests.
bool runs_on_hardware() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  const bool vmx = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & 1U << 5) != 0;
  return vmx || (__get_cpuid(0x80000001, &a, &b, &c, &d) != 0 && (c & 1U << 2) != 0);
}

class KvmExits : public testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_KVM(); }

  /// Runs the machine's main loop until it is in this state.
  static bool reaches(Guest& guest, RunState state) {
    return guest.wait([&] { return guest.machine().run_state() == state; });
  }
  /// Handles an exit that no guest made, before the vCPU has a thread. Returns handle_exit()'s
  /// answer.
  static bool leave(Guest& guest, u32 reason, const Fill& fill = [](kvm_run&) {}) {
    kvm_run& run = *guest.vcpu().handle().run;
    run.exit_reason = reason;
    fill(run);
    return guest.vcpu().handle_exit();
  }
  static bool system_event(Guest& guest, u32 type) {
    return leave(guest, KVM_EXIT_SYSTEM_EVENT, [=](kvm_run& r) { r.system_event.type = type; });
  }
  /// The error that a guest stuck on this exit is shown with, once it is paused for it.
  static std::string stuck_text(u32 reason, const Fill& fill = [](kvm_run&) {}) {
    Guest guest;
    guest.prepare_real(GUEST(loop));
    testing::internal::CaptureStderr();
    EXPECT_FALSE(leave(guest, reason, fill));
    std::string text = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(reaches(guest, RunState::InternalError));
    return text;
  }
};

// ---- Exits that the host's KVM gives

TEST_F(KvmExits, TripleFaultResetsTheMachine) {
  Guest guest;
  guest.prepare_long(kTripleFault);
  guest.start();
  EXPECT_TRUE(guest.wait([&] { return guest.resets() > 0; }));
}

TEST_F(KvmExits, SingleStepStopsAfterEachInstructionWithRunStateDebug) {
  Guest guest;
  guest.prepare_real(GUEST(loop));
  ASSERT_TRUE(guest.vcpu().set_single_step(accel::SingleStep::HoldingInterrupts));
  guest.start();
  ASSERT_TRUE(reaches(guest, RunState::Debug));
  EXPECT_EQ(guest.state().rip, Guest::kCode + 5);
  EXPECT_EQ(guest.peek<u32>(0x3000), 1U);
  guest.start();
  ASSERT_TRUE(reaches(guest, RunState::Debug));
  EXPECT_EQ(guest.state().rip, Guest::kCode);
  ASSERT_TRUE(guest.vcpu().set_single_step(accel::SingleStep::Off));
  guest.start();
  EXPECT_TRUE(guest.wait([&] { return guest.peek<u32>(0x3000) > 1000; }));
  EXPECT_TRUE(guest.machine().running());
}

TEST_F(KvmExits, AnUnknownMsrIsAGeneralProtectionFaultOfTheGuest) {
  Guest guest;
  guest.start_puppet();
  guest.order_and_wait({7, 0x12345});
  EXPECT_EQ(guest.written_to(0x5f8), (std::vector<u64>{13}));
  guest.order_and_wait({6, 0x12345, 1});
  EXPECT_EQ(guest.written_to(0x5f8), (std::vector<u64>{13, 13}));
}

TEST_F(KvmExits, AnUnknownHypercallAnswersSo) {
  if (!runs_on_hardware())
    GTEST_SKIP() << "a host without hardware virtualisation repeats VMCALL for ever";
  Guest guest;
  guest.start_puppet();
  guest.order_and_wait({8, 99});
  EXPECT_EQ(guest.written_to(0x5f4), (std::vector<u64>{static_cast<u32>(-1000)}));
}

TEST_F(KvmExits, AnInstructionThatKvmCannotEmulateIsDoneByTheSoftwareCpu) {
  Guest guest;
  guest.answer({0x8877665544332211});
  guest.prepare_real(kUnemulated);
  x86::CpuState state = guest.state();
  state.xsave[kComponents] |= 1;
  state.xsave[kMm0] = 0xff;
  ASSERT_TRUE(guest.vcpu().set_state(state));
  guest.start();
  ASSERT_TRUE(guest.wait([&] { return guest.peek<u32>(0x3000) > 1000; }));
  guest.pause();
  EXPECT_EQ(guest.log(), (std::vector<Seen>{mem_read(0xd0000, 8, 0x8877665544332211)}));
  const std::vector<u8> area = guest.state().xsave;
  EXPECT_EQ(std::vector<u8>(area.begin() + kMm0, area.begin() + kMm0 + 8),
            (std::vector<u8>{0x10, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}));
}

TEST_F(KvmExits, WhatTheSoftwareCpuCannotDoEitherIsShownAndPausesTheGuest) {
  Guest guest;
  guest.answer({0x0f, 0x01, 0xfd});  // RDPRU, in a device's registers, where KVM does not fetch
  guest.start_puppet();
  testing::internal::CaptureStderr();
  guest.order({9, 0xd0000});
  const bool stopped = reaches(guest, RunState::InternalError);
  const std::string text = testing::internal::GetCapturedStderr();
  ASSERT_TRUE(stopped) << text;
  EXPECT_THAT(text, HasSubstr("KVM internal error 1 (it cannot emulate this instruction); the "
                              "software CPU cannot do it either"));
  EXPECT_THAT(text, HasSubstr("EIP=00000000"));
  // Nothing is lost: whoever knows how may put the guest elsewhere and let it go on.
  guest.prepare_real(GUEST(loop));
  guest.start();
  EXPECT_TRUE(guest.wait([&] { return guest.peek<u32>(0x3000) > 1000; }));
}

TEST_F(KvmExits, AnInstructionThatNobodyHasIsUndefined) {
  Guest guest;
  guest.answer({0xff, 0xff});
  guest.start_puppet();
  guest.order({9, 0xd0000});
  ASSERT_TRUE(guest.wait([&] { return !guest.written_to(0x5f8).empty(); }));
  EXPECT_EQ(guest.written_to(0x5f8).front(), 6U);
}

TEST_F(KvmExits, AKickIsNoticedAndTheGuestGoesOn) {
  Guest guest;
  guest.start_real(GUEST(loop));
  ASSERT_TRUE(guest.wait([&] { return guest.peek<u32>(0x3000) > 0; }));
  guest.vcpu().kick();
  const u32 before = guest.peek<u32>(0x3000);
  EXPECT_TRUE(guest.wait([&] { return guest.peek<u32>(0x3000) != before; }));
}

// ---- Exits by hand

TEST_F(KvmExits, NmiInterruptAndTaskPriorityExitsGoOn) {
  Guest guest;
  EXPECT_TRUE(leave(guest, KVM_EXIT_NMI));
  EXPECT_TRUE(leave(guest, KVM_EXIT_INTR));
  EXPECT_TRUE(leave(guest, KVM_EXIT_SET_TPR));
  EXPECT_TRUE(leave(guest, KVM_EXIT_DIRTY_RING_FULL));
  EXPECT_FALSE(guest.wait([&] { return guest.machine().run_state() != RunState::Prelaunch; }, 20));
}

TEST_F(KvmExits, MsrExitsAreRefused) {
  Guest guest;
  const Fill fill = [](kvm_run& run) {
    run.msr.error = 0;
    run.msr.index = 0x12345;
  };
  EXPECT_TRUE(leave(guest, KVM_EXIT_X86_RDMSR, fill));
  EXPECT_EQ(guest.vcpu().handle().run->msr.error, 1);
  EXPECT_TRUE(leave(guest, KVM_EXIT_X86_WRMSR, fill));
  EXPECT_EQ(guest.vcpu().handle().run->msr.error, 1);
}

TEST_F(KvmExits, MsrExitsAreLoggedAsGuestErrors) {
  Guest guest;
  ASSERT_TRUE(log_enable("guest_errors"));
  testing::internal::CaptureStderr();
  leave(guest, KVM_EXIT_X86_WRMSR, [](kvm_run& run) {
    run.msr.index = 0x12345;
    run.msr.data = 0x77;
  });
  log_mask = 0;
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("CPU 0 writes MSR 0x12345 (value 0x77)"));
}

TEST_F(KvmExits, HypercallExitsAnswerThatThereIsNoSuchCall) {
  Guest guest;
  EXPECT_TRUE(leave(guest, KVM_EXIT_HYPERCALL, [](kvm_run& run) { run.hypercall.nr = 12; }));
  EXPECT_EQ(static_cast<i64>(guest.vcpu().handle().run->hypercall.ret), -1000);
}

TEST_F(KvmExits, SystemEventShutdownEndsTheProcess) {
  Guest guest;
  EXPECT_FALSE(system_event(guest, KVM_SYSTEM_EVENT_SHUTDOWN));
  EXPECT_TRUE(guest.wait([&] { return guest.machine().exit_code() == 0; }));
}

TEST_F(KvmExits, SystemEventResetResets) {
  Guest guest;
  EXPECT_FALSE(system_event(guest, KVM_SYSTEM_EVENT_RESET));
  EXPECT_TRUE(guest.wait([&] { return guest.resets() == 1; }));
}

TEST_F(KvmExits, SystemEventCrashIsAPanic) {
  Guest guest;
  EXPECT_FALSE(system_event(guest, KVM_SYSTEM_EVENT_CRASH));
  EXPECT_TRUE(reaches(guest, RunState::GuestPanicked));
}

TEST_F(KvmExits, SystemEventSuspendSuspendsAndWakeupGoesOn) {
  Guest guest;
  EXPECT_TRUE(system_event(guest, KVM_SYSTEM_EVENT_WAKEUP));
  EXPECT_FALSE(system_event(guest, KVM_SYSTEM_EVENT_SUSPEND));
  EXPECT_TRUE(reaches(guest, RunState::Suspended));
}

TEST_F(KvmExits, OtherSystemEventsLeaveTheGuestStuck) {
  EXPECT_THAT(stuck_text(KVM_EXIT_SYSTEM_EVENT, [](kvm_run& r) { r.system_event.type = 99; }),
              HasSubstr("KVM reports system event 99"));
}

TEST_F(KvmExits, StuckGuestsAreShownWithRegistersAndCode) {
  const std::string text = stuck_text(
      KVM_EXIT_FAIL_ENTRY, [](kvm_run& r) { r.fail_entry.hardware_entry_failure_reason = 0x21; });
  EXPECT_THAT(text, HasSubstr("CPU 0: the processor refused to enter the guest, reason 0x21; the "
                              "guest is paused"));
  EXPECT_THAT(text, HasSubstr("EIP=00001000"));
  EXPECT_THAT(text, HasSubstr("inc"));
}

TEST_F(KvmExits, ReasonsThatNobodyKnowsLeaveTheGuestStuck) {
  EXPECT_THAT(stuck_text(KVM_EXIT_UNKNOWN, [](kvm_run& r) { r.hw.hardware_exit_reason = 0x42; }),
              HasSubstr("for a reason unknown to KVM, 0x42"));
  EXPECT_THAT(stuck_text(999), HasSubstr("for a reason unknown to Rhea, 999"));
}

TEST_F(KvmExits, MemoryFaultsSayWhere) {
  const std::string text = stuck_text(KVM_EXIT_MEMORY_FAULT, [](kvm_run& run) {
    const kvm::MemoryFault fault{.flags = 8, .gpa = 0x5000, .size = 0x1000};
    std::memcpy(&run.hw, &fault, sizeof fault);
  });
  EXPECT_THAT(text, HasSubstr("KVM cannot reach guest memory 0x5000, 4096 bytes, flags 0x8"));
}

TEST_F(KvmExits, InternalErrorsShowTheirDataButNoMoreThanThereIs) {
  const std::string text = stuck_text(KVM_EXIT_INTERNAL_ERROR, [](kvm_run& run) {
    run.internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
    run.internal.ndata = 0xffffffff;
    std::ranges::fill(run.internal.data, 0);
    run.internal.data[0] = 0xabc;
  });
  EXPECT_THAT(text, HasSubstr("KVM internal error 3 0xabc 0x0"));
}

TEST_F(KvmExits, AMemoryAccessThatClaimsMoreBytesThanThereAreIsCutOff) {
  Guest guest;
  EXPECT_TRUE(leave(guest, KVM_EXIT_MMIO, [](kvm_run& run) {
    run.mmio.phys_addr = 0xd0010;
    run.mmio.len = 200;
    run.mmio.is_write = 1;
    std::ranges::fill(run.mmio.data, u8{0x11});
  }));
  EXPECT_EQ(guest.log(), (std::vector<Seen>{mem_write(0xd0010, 8, 0x1111111111111111)}));
}

}  // namespace
}  // namespace rhea::test
