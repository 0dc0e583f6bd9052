// SPDX-License-Identifier: GPL-2.0-or-later
// What of a processor's state goes into a snapshot.
#include "target/x86/cpu_state.h"

namespace rhea::x86 {

void Segment::describe(StateFields<Segment>& f) {
  f.state("selector", &Segment::selector);
  f.state("base", &Segment::base);
  f.state("limit", &Segment::limit);
  f.state("type", &Segment::type).range(0, 15);
  f.state("s", &Segment::s);
  f.state("present", &Segment::present);
  f.state("avl", &Segment::avl);
  f.state("l", &Segment::l);
  f.state("db", &Segment::db);
  f.state("g", &Segment::g);
  f.state("unusable", &Segment::unusable);
  f.state("dpl", &Segment::dpl).range(0, 3);
}

void DescriptorTable::describe(StateFields<DescriptorTable>& f) {
  f.state("base", &DescriptorTable::base);
  f.state("limit", &DescriptorTable::limit);
}

void Msr::describe(StateFields<Msr>& f) {
  f.state("index", &Msr::index);
  f.state("value", &Msr::value);
}

void Events::describe(StateFields<Events>& f) {
  f.state("exception-injected", &Events::exception_injected);
  f.state("exception-pending", &Events::exception_pending);
  f.state("exception-has-error-code", &Events::exception_has_error_code);
  f.state("exception-has-payload", &Events::exception_has_payload);
  f.state("exception-vector", &Events::exception_vector).range(0, 31);
  f.state("exception-error-code", &Events::exception_error_code);
  f.state("exception-payload", &Events::exception_payload);
  f.state("interrupt-injected", &Events::interrupt_injected);
  f.state("interrupt-soft", &Events::interrupt_soft);
  f.state("interrupt-vector", &Events::interrupt_vector);
  f.state("interrupt-shadow", &Events::interrupt_shadow).range(0, 3);
  f.state("nmi-injected", &Events::nmi_injected);
  f.state("nmi-pending", &Events::nmi_pending).range(0, 2);
  f.state("nmi-masked", &Events::nmi_masked);
  f.state("sipi-vector", &Events::sipi_vector);
  f.state("smm", &Events::smm);
  f.state("smi-pending", &Events::smi_pending);
  f.state("smm-inside-nmi", &Events::smm_inside_nmi);
  f.state("smi-latched-init", &Events::smi_latched_init);
  f.state("triple-fault-pending", &Events::triple_fault_pending);
}

void CpuState::describe(StateFields<CpuState>& f) {
  f.state("gpr", &CpuState::gpr);
  f.state("rip", &CpuState::rip);
  f.state("rflags", &CpuState::rflags);
  f.state("segment", &CpuState::segment);
  f.state("ldtr", &CpuState::ldtr);
  f.state("tr", &CpuState::tr);
  f.state("gdtr", &CpuState::gdtr);
  f.state("idtr", &CpuState::idtr);
  f.state("cr0", &CpuState::cr0);
  f.state("cr2", &CpuState::cr2);
  f.state("cr3", &CpuState::cr3);
  f.state("cr4", &CpuState::cr4);
  f.state("cr8", &CpuState::cr8).range(0, 15);
  f.state("efer", &CpuState::efer);
  f.state("apic-base", &CpuState::apic_base);
  f.state("pdpte", &CpuState::pdpte);
  f.state("pdpte-valid", &CpuState::pdpte_valid);
  f.state("dr", &CpuState::dr);
  f.state("dr6", &CpuState::dr6);
  f.state("dr7", &CpuState::dr7);
  f.state("xcr0", &CpuState::xcr0);
  f.state("xsave", &CpuState::xsave).range(0, 65536);
  f.state("lapic", &CpuState::lapic).range(0, 4096);
  f.state("msrs", &CpuState::msrs).range(0, 4096);
  f.state("events", &CpuState::events);
  f.state("mp-state", &CpuState::mp_state).range(0, static_cast<u64>(MpState::SipiReceived));
  f.state("tsc-khz", &CpuState::tsc_khz);
}

unsigned code_bits(const CpuState& state) {
  constexpr u64 kLongModeActive = u64{1} << 10;
  const Segment& code = state.segment[Cs];
  if ((state.efer & kLongModeActive) != 0 && code.l) return 64;
  return code.db ? 32 : 16;
}

}  // namespace rhea::x86
