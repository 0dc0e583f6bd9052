// SPDX-License-Identifier: GPL-2.0-or-later
// The parts of a vCPU's state in the order that KVM wants them.
#include "accel/kvm/state.h"

#include "accel/kvm/msrs.h"
#include "accel/kvm/vm.h"

#include <cstdlib>

namespace rhea::kvm {
namespace {

static_assert(KVM_MP_STATE_RUNNABLE == static_cast<int>(x86::MpState::Runnable));
static_assert(KVM_MP_STATE_UNINITIALIZED == static_cast<int>(x86::MpState::Uninitialized));
static_assert(KVM_MP_STATE_INIT_RECEIVED == static_cast<int>(x86::MpState::InitReceived));
static_assert(KVM_MP_STATE_HALTED == static_cast<int>(x86::MpState::Halted));
static_assert(KVM_MP_STATE_SIPI_RECEIVED == static_cast<int>(x86::MpState::SipiReceived));

Result<> read_mp_state(const VcpuHandle& handle, x86::CpuState& state) {
  kvm_mp_state mp{};
  TRY(handle.try_call("KVM_GET_MP_STATE", KVM_GET_MP_STATE, &mp));
  if (mp.mp_state > KVM_MP_STATE_SIPI_RECEIVED)
    return fail("KVM_GET_MP_STATE: unknown state {}", mp.mp_state);
  state.mp_state = static_cast<x86::MpState>(mp.mp_state);
  return {};
}

u32 tsc_khz(const VcpuHandle& handle) {
  const int khz = handle.call(KVM_GET_TSC_KHZ);
  return khz > 0 ? static_cast<u32>(khz) : 0;
}

// A state from elsewhere may count at another rate; what is within the crystal's tolerance stays.
void write_tsc_khz(Vm& vm, const VcpuHandle& handle, u32 wanted) {
  const u32 now = tsc_khz(handle);
  const u64 difference = wanted > now ? wanted - now : now - wanted;
  if (wanted == 0 || difference * 4000 <= now) return;
  if (handle.call(KVM_SET_TSC_KHZ, static_cast<unsigned long>(wanted)) >= 0) return;
  vm.warn_once(
      "tsc-khz",
      fmt::format("this host's KVM cannot run the time stamp counter at {} kHz: it goes at {}",
                  wanted, now));
}

}  // namespace

Result<> write_mp_state(const VcpuHandle& handle, x86::MpState state) {
  kvm_mp_state mp{};
  mp.mp_state = static_cast<u32>(state);
  TRY(handle.try_call("KVM_SET_MP_STATE", KVM_SET_MP_STATE, &mp));
  return {};
}

Result<> read_state(Vm& vm, const VcpuHandle& handle, x86::CpuState& state) {
  // First, because it makes KVM act on a pending INIT or SIPI, which changes the rest.
  TRY(read_mp_state(handle, state));
  TRY(read_registers(vm, handle, state));
  TRY(read_vectors(vm, handle, state));
  read_msrs(vm, handle, handle.msrs, state.msrs);
  TRY(read_lapic(vm, handle, state));
  TRY(read_events(handle, state));
  state.tsc_khz = tsc_khz(handle);
  return {};
}

Result<> write_state(Vm& vm, const VcpuHandle& handle, const x86::CpuState& state) {
  write_tsc_khz(vm, handle, state.tsc_khz);
  // The APIC base before the APIC, the APIC before the deadline among the MSRs; setting the general
  // registers drops pending exceptions, so events come last.
  TRY(write_system_registers(vm, handle, state));
  TRY(write_vectors(vm, handle, state));
  TRY(write_lapic(vm, handle, state));
  write_msrs(vm, handle, state.msrs);
  TRY(write_debug_registers(vm, handle, state));
  TRY(write_mp_state(handle, state.mp_state));
  TRY(write_general_registers(handle, state));
  return write_events(vm, handle, state);
}

}  // namespace rhea::kvm
