// SPDX-License-Identifier: GPL-2.0-or-later
// The state of a KVM guest out and in again: vCPUs, the kernel's devices, the whole machine.
#include "rhea/softmmu/snapshot.h"
#include "tests/accel/guest.h"
#include "tests/support/cpu_state.h"

#include <gmock/gmock.h>

#include <chrono>
#include <optional>

namespace rhea::test {
namespace {

using testing::HasSubstr;

constexpr u32 kTsc = 0x10, kPat = 0x277, kSysenterEip = 0x176;

/// The state as a snapshot has it, but for the counter that nobody can hold.
std::vector<u8> steady_bytes_of(x86::CpuState state) {
  std::erase_if(state.msrs, [](const x86::Msr& msr) { return msr.index == kTsc; });
  return bytes_of(state);
}

void set_msr(x86::CpuState& state, u32 index, u64 value) {
  const auto it = std::ranges::find(state.msrs, index, &x86::Msr::index);
  ASSERT_NE(it, state.msrs.end()) << index;
  it->value = value;
}

/// Puts the state of a vCPU back and expects to find it unchanged.
void expect_round_trip(Guest& guest) {
  const x86::CpuState before = guest.state();
  ASSERT_TRUE(guest.vcpu().set_state(before));
  EXPECT_EQ(steady_bytes_of(guest.state()), steady_bytes_of(before));
}

std::vector<u8> save(Guest& guest) {
  const DomainGuard guard(&guest.machine().lock());
  return save_machine(guest.machine());
}
Result<> load(Guest& guest, std::span<const u8> stream) {
  const DomainGuard guard(&guest.machine().lock());
  return load_machine(guest.machine(), stream);
}
Device& add(Guest& guest, std::string_view type) {
  const DomainGuard guard(&guest.machine().lock());
  auto device = guest.machine().add_device(std::move(*guest.machine().make(type)), nullptr);
  EXPECT_TRUE(device) << device.error().message();
  return **device;
}
std::vector<u8> save(Guest& guest, Device& device) {
  const DomainGuard guard(&guest.machine().lock());
  StateWriter out;
  save_object(device, out);
  return out.take();
}
Result<> load(Guest& guest, Device& device, std::span<const u8> bytes) {
  const DomainGuard guard(&guest.machine().lock());
  StateReader in(bytes);
  return load_object(device, in);
}

class KvmState : public testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_KVM(); }
};

// ---- vCPUs

TEST_F(KvmState, OfAFreshVcpuIsTheSameAfterItIsSet) {
  Guest guest;
  expect_round_trip(guest);
}

TEST_F(KvmState, OfAFreshVcpuWithoutALocalApicInTheKernelToo) {
  Guest guest({.vm = {.irqchip = kvm::Irqchip::None}, .hidden = {}});
  expect_round_trip(guest);
}

TEST_F(KvmState, OfAVcpuThatHasRunIsTheSameAfterItIsSet) {
  Guest guest;
  guest.start_real(GUEST(exits));
  ASSERT_TRUE(guest.wait([&] { return guest.peek<u32>(0x3000) > 10; }));
  guest.pause();
  expect_round_trip(guest);
}

TEST_F(KvmState, OfLongModeIsTheSameAfterItIsSet) {
  Guest guest;
  guest.prepare_long(GUEST(mmio64));
  expect_round_trip(guest);
  EXPECT_EQ(guest.state().efer, 0x500U);
}

// On kernels of several ages.
class KvmStateOnKernels : public testing::TestWithParam<std::vector<int>> {
 protected:
  void SetUp() override { SKIP_WITHOUT_KVM(); }
};
const std::vector<int> kNothing, kYoung = {KVM_CAP_SREGS2, KVM_CAP_XSAVE2},
                                 kAll = {KVM_CAP_XSAVE, KVM_CAP_XSAVE2, KVM_CAP_XCRS};
std::string kernel_name(const testing::TestParamInfo<std::vector<int>>& lacking) {
  if (lacking.param == kNothing) return "Nothing";
  return lacking.param == kYoung ? "Sregs2AndXsave2" : "Xsave";
}
INSTANTIATE_TEST_SUITE_P(Lacking, KvmStateOnKernels, testing::Values(kNothing, kYoung, kAll),
                         kernel_name);

TEST_P(KvmStateOnKernels, ChangedRegistersArriveAndComeBack) {
  Guest guest({.vm = {}, .hidden = GetParam()});
  x86::CpuState state = guest.state();
  for (unsigned i = 0; i < 16; ++i) state.gpr[i] = 0x1111111111111111U * i;
  state.rip = 0x1234;
  state.rflags = 0xad7;
  state.cr2 = 0x5678;
  state.cr3 = 0x9000;
  state.segment[x86::Gs] = state.segment[x86::Ds];
  state.segment[x86::Gs].selector = 0x4321;
  state.segment[x86::Gs].base = 0x43210;
  state.gdtr = {.base = 0x2000, .limit = 0x37};
  state.idtr = {.base = 0x2100, .limit = 0x3ff};
  state.dr[0] = 0x7777;
  state.events.nmi_pending = 1;
  const std::array<u8, 2> x87_control = {0x40, 0x03};
  std::ranges::copy(x87_control, state.xsave.begin());
  std::fill_n(state.xsave.begin() + 160, 16, u8{0x5a});  // XMM0
  state.xsave[512] |= 3;                                 // x87 and SSE are there
  set_msr(state, kSysenterEip, 0xabcdef);
  set_msr(state, kPat, 0x0007040600070406 ^ 0x0001000000000000);
  ASSERT_TRUE(guest.vcpu().set_state(state));
  const x86::CpuState after = guest.state();
  EXPECT_EQ(after.gpr, state.gpr);
  EXPECT_EQ(after.rip, 0x1234U);
  EXPECT_EQ(after.rflags, 0xad7U);
  EXPECT_EQ(after.segment[x86::Gs].base, 0x43210U);
  EXPECT_EQ(after.xsave[160], 0x5a);
  EXPECT_EQ(after.xsave[0], 0x40);
  EXPECT_EQ(msr_of(after, kSysenterEip), 0xabcdefU);
  EXPECT_EQ(after.events.nmi_pending, 1);
  EXPECT_EQ(steady_bytes_of(after), steady_bytes_of(state));
}

TEST_F(KvmState, OfVectorRegistersHasTheLeastSizeWithoutXsave) {
  Guest guest({.vm = {}, .hidden = {KVM_CAP_XSAVE, KVM_CAP_XSAVE2}});
  EXPECT_EQ(guest.state().xsave.size(), 576U);
}

TEST_F(KvmState, WithTooFewBytesIsRefused) {
  Guest guest;
  x86::CpuState state = guest.state();
  state.xsave.resize(100);
  EXPECT_FALSE(guest.vcpu().set_state(state));
  state = guest.state();
  state.lapic.resize(100);
  EXPECT_FALSE(guest.vcpu().set_state(state));
}

TEST_F(KvmState, AMsrThatTheHostRefusesIsOneWarningAndTheRestArrives) {
  Guest guest;
  x86::CpuState state = guest.state();
  state.msrs.insert(state.msrs.begin(), {.index = 0xdead, .value = 1});
  set_msr(state, kSysenterEip, 0x1357);
  testing::internal::CaptureStderr();
  ASSERT_TRUE(guest.vcpu().set_state(state));
  ASSERT_TRUE(guest.vcpu().set_state(state));
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr("does not let MSR 0xdead be set: the guest goes without it"));
  EXPECT_EQ(text.find("0xdead"), text.rfind("0xdead"));
  EXPECT_EQ(msr_of(guest.state(), kSysenterEip), 0x1357U);
}

TEST_F(KvmState, AnotherClockRateIsTakenOrWarnedOf) {
  Guest guest;
  x86::CpuState state = guest.state();
  const u32 rate = state.tsc_khz;
  ASSERT_NE(rate, 0U);
  state.tsc_khz = rate + rate / 2;
  testing::internal::CaptureStderr();
  ASSERT_TRUE(guest.vcpu().set_state(state));
  const std::string text = testing::internal::GetCapturedStderr();
  const bool warned = text.find("time stamp counter") != std::string::npos;
  EXPECT_EQ(guest.state().tsc_khz, warned ? rate : state.tsc_khz);
}

TEST_F(KvmState, AddressesAreTranslatedThroughTheGuestsPageTables) {
  Guest guest;
  guest.prepare_long(GUEST(mmio64));
  EXPECT_EQ(guest.vcpu().translate(GuestVirt(0x12345)), GuestPhys(0x12345));
  EXPECT_EQ(guest.vcpu().translate(GuestVirt(0x40000000)), std::nullopt);
}

TEST_F(KvmState, AnUnpluggedVcpusDescriptorIsUsedAgainAndStartsAnew) {
  Guest guest({.vm = {}, .hidden = {}, .cpus = 2});
  const int descriptor = guest.vcpu(1).handle().fd.get();
  const std::vector<u8> power_on = steady_bytes_of(guest.state(1));
  x86::CpuState state = guest.state(1);
  state.gpr[x86::Rbx] = 99;
  ASSERT_TRUE(guest.vcpu(1).set_state(state));
  guest.unplug_last_vcpu();
  EXPECT_EQ(guest.vm().parked(), 1U);
  guest.plug_vcpu();
  EXPECT_EQ(guest.vm().parked(), 0U);
  EXPECT_EQ(guest.vcpu(1).handle().fd.get(), descriptor);
  EXPECT_EQ(steady_bytes_of(guest.state(1)), power_on);
}

// ---- The kernel's devices

class KvmDeviceState : public KvmState, public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Devices, KvmDeviceState,
                         testing::Values("kvm-i8259", "kvm-ioapic", "kvm-pit"),
                         [](const auto& type) { return std::string(type.param).substr(4); });

// The guest programs all of them: 8259s, channel 2 of the timer, an I/O APIC entry.
constexpr std::array<u8, 37> kProgramAll = {
    0xb0, 0x11, 0xe6, 0x20, 0xb0, 0x48, 0xe6, 0x21, 0xb0, 0x04, 0xe6, 0x21,
    0xb0, 0x01, 0xe6, 0x21, 0xb0, 0xaa, 0xe6, 0x21,  // 8259: vectors 0x48, mask 0xaa
    0xb0, 0xb4, 0xe6, 0x43, 0xb0, 0x34, 0xe6, 0x42, 0xb0, 0x12, 0xe6, 0x42,  // 8254: 0x1234
    0xba, 0x00, 0x06, 0xee, 0xf4};

TEST_P(KvmDeviceState, ComesBackAfterAReset) {
  Guest guest;
  Device& device = add(guest, GetParam());
  guest.prepare_puppet();
  guest.start();
  guest.order_and_wait({2, 0xfec00000, 0x16, 2, 0xfec00010, 0x1005a});
  guest.pause();
  guest.prepare_real(kProgramAll);
  guest.start();
  ASSERT_TRUE(guest.wait_done());
  guest.pause();
  const std::vector<u8> programmed = save(guest, device);
  device.reset_tree(ResetKind::Cold);
  EXPECT_NE(save(guest, device), programmed);
  ASSERT_TRUE(load(guest, device, programmed));
  EXPECT_EQ(save(guest, device), programmed);
}

TEST_F(KvmState, OfThe8259IsWhatTheGuestProgrammed) {
  Guest guest;
  Device& device = add(guest, "kvm-i8259");
  guest.start_real(kProgramAll);
  ASSERT_TRUE(guest.wait_done());
  guest.pause();
  const std::vector<u8> programmed = save(guest, device);
  device.reset_tree(ResetKind::Cold);
  ASSERT_TRUE(load(guest, device, programmed));
  kvm_irqchip chip{};
  chip.chip_id = KVM_IRQCHIP_PIC_MASTER;
  ASSERT_EQ(kvm::call(guest.vm().fd(), KVM_GET_IRQCHIP, &chip), 0);
  EXPECT_EQ(chip.chip.pic.irq_base, 0x48);
  EXPECT_EQ(chip.chip.pic.imr, 0xaa);
}

u64 kvm_clock(Guest& guest) {
  kvm_clock_data data{};
  EXPECT_EQ(kvm::call(guest.vm().fd(), KVM_GET_CLOCK, &data), 0);
  return data.clock;
}

TEST_F(KvmState, OfTheClockStandsStillWhileTheMachineDoes) {
  Guest guest;
  guest.start_real(GUEST(loop));
  guest.pause();
  const u64 before = kvm_clock(guest);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  guest.start();
  const u64 after = kvm_clock(guest);
  EXPECT_LT(after - before, 150'000'000U);
}

// By this flag the guest's watchdogs know that they were not late of their own (kernel
// documentation, virt/kvm/api.rst, KVM_KVMCLOCK_CTRL).
TEST_F(KvmState, TheClockSaysThatTheMachineHasStood) {
  Guest guest;
  add(guest, "kvmclock");
  constexpr unsigned kTimeInfo = 0x5000, kFlags = kTimeInfo + 29;
  constexpr u8 kGuestStopped = 2;
  constexpr std::array<u8, 23> use_clock = {0x66, 0xb9, 0x01, 0x4d, 0x56, 0x4b,  // mov ecx, MSR
                                            0x66, 0xb8, 0x01, 0x50, 0x00, 0x00,  // mov eax, 0x5001
                                            0x66, 0x31, 0xd2, 0x0f, 0x30,        // wrmsr
                                            0xba, 0x00, 0x06, 0xee,              // out 0x600, al
                                            0xeb, 0xfe};                         // jmp $
  guest.start_real(use_clock);
  ASSERT_TRUE(guest.wait_done());
  ASSERT_TRUE(guest.wait([&] { return guest.peek<u64>(kTimeInfo + 16) != 0; }));
  EXPECT_EQ(guest.peek<u8>(kFlags) & kGuestStopped, 0);
  guest.pause();
  guest.start();
  EXPECT_TRUE(guest.wait([&] { return (guest.peek<u8>(kFlags) & kGuestStopped) != 0; }));
}

// ---- The whole machine

void add_all(Guest& guest) {
  for (const char* type : {"kvm-i8259", "kvm-ioapic", "kvm-pit"}) add(guest, type);
}

TEST_F(KvmState, OfAMachineIsTheSameByteForByteWhenItIsSavedAgain) {
  Guest guest;
  add_all(guest);
  guest.start_real(GUEST(exits));
  ASSERT_TRUE(guest.wait([&] { return guest.peek<u32>(0x3000) > 10; }));
  guest.pause();
  const std::vector<u8> saved = save(guest);
  ASSERT_TRUE(load(guest, saved));
  EXPECT_EQ(save(guest), saved);
}

TEST_F(KvmState, OfAMachineGoesOnInAnotherMachine) {
  std::vector<u8> saved, vcpu;
  u32 counted = 0;
  {
    Guest guest;
    add_all(guest);
    guest.start_real(GUEST(loop));
    ASSERT_TRUE(guest.wait([&] { return guest.peek<u32>(0x3000) > 1000; }));
    guest.pause();
    saved = save(guest);
    vcpu = steady_bytes_of(guest.state());
    counted = guest.peek<u32>(0x3000);
  }
  Guest other;
  add_all(other);
  const auto loaded = load(other, saved);
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(save(other), saved);
  EXPECT_EQ(steady_bytes_of(other.state()), vcpu);
  EXPECT_EQ(other.peek<u32>(0x3000), counted);
  other.start();
  EXPECT_TRUE(other.wait([&] { return other.peek<u32>(0x3000) > counted; }));
}

}  // namespace
}  // namespace rhea::test
