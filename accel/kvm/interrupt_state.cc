// SPDX-License-Identifier: GPL-2.0-or-later
// The local APIC and events on their way: KVM_GET/SET_LAPIC, VCPU_EVENTS.
#include "accel/kvm/state.h"
#include "accel/kvm/vm.h"

#include <algorithm>

namespace rhea::kvm {

Result<> read_lapic(Vm& vm, const VcpuHandle& handle, x86::CpuState& state) {
  state.lapic.clear();
  if (!vm.has_local_apics()) return {};
  kvm_lapic_state lapic{};
  TRY(handle.try_call("KVM_GET_LAPIC", KVM_GET_LAPIC, &lapic));
  state.lapic.resize(sizeof lapic.regs);
  std::memcpy(state.lapic.data(), lapic.regs, sizeof lapic.regs);
  return {};
}

Result<> write_lapic(Vm& vm, const VcpuHandle& handle, const x86::CpuState& state) {
  if (!vm.has_local_apics() || state.lapic.empty()) return {};
  kvm_lapic_state lapic{};
  if (state.lapic.size() != sizeof lapic.regs)
    return fail("the local APIC's state has {} bytes", state.lapic.size());
  std::memcpy(lapic.regs, state.lapic.data(), sizeof lapic.regs);
  TRY(handle.try_call("KVM_SET_LAPIC", KVM_SET_LAPIC, &lapic));
  return {};
}

Result<> read_events(const VcpuHandle& handle, x86::CpuState& state) {
  kvm_vcpu_events in{};
  TRY(handle.try_call("KVM_GET_VCPU_EVENTS", KVM_GET_VCPU_EVENTS, &in));
  x86::Events& e = state.events;
  e.exception_injected = in.exception.injected != 0;
  e.exception_pending = in.exception.pending != 0;
  e.exception_has_error_code = in.exception.has_error_code != 0;
  e.exception_vector = in.exception.nr;
  e.exception_error_code = in.exception.error_code;
  e.exception_has_payload = in.exception_has_payload != 0;
  e.exception_payload = in.exception_payload;
  e.interrupt_injected = in.interrupt.injected != 0;
  e.interrupt_soft = in.interrupt.soft != 0;
  e.interrupt_vector = in.interrupt.nr;
  e.interrupt_shadow = in.interrupt.shadow;
  e.nmi_injected = in.nmi.injected != 0;
  e.nmi_pending = in.nmi.pending;
  e.nmi_masked = in.nmi.masked != 0;
  e.sipi_vector = in.sipi_vector;
  e.smm = in.smi.smm != 0;
  e.smi_pending = in.smi.pending != 0;
  e.smm_inside_nmi = in.smi.smm_inside_nmi != 0;
  e.smi_latched_init = in.smi.latched_init != 0;
  e.triple_fault_pending = in.triple_fault.pending != 0;
  return {};
}

Result<> write_events(Vm& vm, const VcpuHandle& handle, const x86::CpuState& state,
                      EventsOf which) {
  const x86::Events& e = state.events;
  kvm_vcpu_events out{};
  out.exception.injected = e.exception_injected;
  out.exception.nr = e.exception_vector;
  out.exception.has_error_code = e.exception_has_error_code;
  out.exception.error_code = e.exception_error_code;
  out.interrupt.injected = e.interrupt_injected;
  out.interrupt.nr = e.interrupt_vector;
  out.interrupt.soft = e.interrupt_soft;
  out.interrupt.shadow = e.interrupt_shadow;
  out.nmi.injected = e.nmi_injected;
  out.nmi.pending = e.nmi_pending;
  out.nmi.masked = e.nmi_masked;
  out.sipi_vector = e.sipi_vector;
  const bool all = which == EventsOf::All;
  if (all) out.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR;
  if (vm.extension(KVM_CAP_INTR_SHADOW) != 0) out.flags |= KVM_VCPUEVENT_VALID_SHADOW;
  if (all && vm.extension(KVM_CAP_X86_SMM) != 0) {
    out.flags |= KVM_VCPUEVENT_VALID_SMM;
    out.smi.smm = e.smm;
    out.smi.pending = e.smi_pending;
    out.smi.smm_inside_nmi = e.smm_inside_nmi;
    out.smi.latched_init = e.smi_latched_init;
  }
  if (vm.exception_payload()) {
    out.flags |= KVM_VCPUEVENT_VALID_PAYLOAD;
    out.exception.pending = e.exception_pending;
    out.exception_has_payload = e.exception_has_payload;
    out.exception_payload = e.exception_payload;
  } else if (e.exception_pending) {
    out.exception.injected = 1;
  }
  if (all && vm.triple_fault_event()) {
    out.flags |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
    out.triple_fault.pending = e.triple_fault_pending;
  }
  TRY(handle.try_call("KVM_SET_VCPU_EVENTS", KVM_SET_VCPU_EVENTS, &out));
  return {};
}

}  // namespace rhea::kvm
