// SPDX-License-Identifier: GPL-2.0-or-later
// A processor's state as CpuState has it, and back.
#include "target/x86/system/exchange.h"

#include "target/x86/paging.h"
#include "target/x86/system/debug.h"
#include "target/x86/system/msr.h"

#include <algorithm>

namespace rhea::x86 {

Segment SegmentRegister::to_state() const {
  return {.selector = selector,
          .base = base,
          .limit = limit,
          .type = type(),
          .s = s(),
          .present = present(),
          .avl = (attributes & 0x1000) != 0,
          .l = l(),
          .db = db(),
          .g = g(),
          .unusable = unusable,
          .dpl = static_cast<u8>(dpl())};
}

SegmentRegister SegmentRegister::from_state(const Segment& segment) {
  SegmentRegister made;
  made.selector = segment.selector;
  made.base = segment.base;
  made.limit = segment.limit;
  made.attributes = static_cast<u16>((segment.type & 0xf) | unsigned{segment.s} << 4 |
                                     (segment.dpl & 3u) << 5 | unsigned{segment.present} << 7 |
                                     unsigned{segment.avl} << 12 | unsigned{segment.l} << 13 |
                                     unsigned{segment.db} << 14 | unsigned{segment.g} << 15);
  made.unusable = segment.unusable;
  made.refresh();
  return made;
}

namespace {

MpState mp_state_of(Activity activity) {
  switch (activity) {
    case Activity::Halted: return MpState::Halted;
    case Activity::WaitForSipi: return MpState::InitReceived;
    default: return MpState::Runnable;
  }
}

Activity activity_of(const CpuState& state) {
  if (state.events.triple_fault_pending) return Activity::Shutdown;
  switch (state.mp_state) {
    case MpState::Halted: return Activity::Halted;
    case MpState::Uninitialized:
    case MpState::InitReceived:
    case MpState::SipiReceived: return Activity::WaitForSipi;
    default: return Activity::Running;
  }
}

/// Events::interrupt_shadow: what cast it.
constexpr u8 kByStack = 1, kBySti = 2;

void save_events(const Cpu& cpu, Events& events) {
  events = cpu.injected;
  events.interrupt_shadow = !cpu.shadow ? u8{0} : cpu.traps_held ? kByStack : kBySti;
  events.nmi_masked = cpu.nmi_blocked;
  events.nmi_pending = cpu.nmis;
  events.smi_pending = cpu.wants(Attention::Smi);
  events.smi_latched_init = cpu.smm && cpu.wants(Attention::Init);
  events.smm = cpu.smm;
  events.smm_inside_nmi = cpu.in_nmi_before_smm;
  events.triple_fault_pending = cpu.activity == Activity::Shutdown;
}

void load_events(Cpu& cpu, const Events& events) {
  cpu.injected = {};
  cpu.injected.exception_injected = events.exception_injected || events.exception_pending;
  cpu.injected.exception_has_error_code = events.exception_has_error_code;
  cpu.injected.exception_has_payload = events.exception_has_payload;
  cpu.injected.exception_vector = events.exception_vector;
  cpu.injected.exception_error_code = events.exception_error_code;
  cpu.injected.exception_payload = events.exception_payload;
  cpu.injected.interrupt_injected = events.interrupt_injected;
  cpu.injected.interrupt_soft = events.interrupt_soft;
  cpu.injected.interrupt_vector = events.interrupt_vector;
  cpu.injected.nmi_injected = events.nmi_injected;
  cpu.shadow = events.interrupt_shadow != 0;
  cpu.shadow_next = false;
  cpu.traps_held = (events.interrupt_shadow & kByStack) != 0;
  cpu.nmi_blocked = events.nmi_masked;
  cpu.smm = events.smm;
  cpu.in_nmi_before_smm = events.smm_inside_nmi;
  cpu.nmis = events.nmi_pending;
  if (cpu.nmis != 0) cpu.need_attention(Attention::Nmi);
  if (events.smi_pending) cpu.need_attention(Attention::Smi);
  if (events.smi_latched_init) cpu.need_attention(Attention::Init);
}

void save_msrs(Cpu& cpu, std::vector<Msr>& msrs) {
  msrs.clear();
  for (const u32 index : system::saved_msrs()) {
    u64 value = 0;
    if (read_msr(cpu, index, value)) msrs.push_back({.index = index, .value = value});
  }
}

void load_msrs(Cpu& cpu, const std::vector<Msr>& msrs) {
  for (const Msr& each : msrs) {
    // These have fields of their own in CpuState.
    if (each.index == msr::kEfer || each.index == msr::kApicBase) continue;
    if (each.index == msr::kTscAdjust) {
      cpu.msrs[each.index] = each.value;
    } else if (system::has_msr(*cpu.model, each.index) &&
               system::find_plain_msr(each.index) != nullptr) {
      cpu.msrs[each.index] = each.value;
    } else {
      write_msr(cpu, each.index, each.value);
    }
  }
}

bool uses_pdptes(const Cpu& cpu) {
  return cpu.paging() && (cpu.cr4 & cr4::kPae) != 0 && !cpu.lma();
}

void load_control(Cpu& cpu, const CpuState& state) {
  cpu.cr0 = state.cr0 | cr0::kEt;
  cpu.cr2 = state.cr2;
  cpu.cr3 = state.cr3;
  cpu.cr4 = state.cr4;
  cpu.efer = state.efer;
  cpu.dr = state.dr;
  cpu.dr6 = (state.dr6 & 0xe00f) | dr6::kReset;
  cpu.dr7 = (state.dr7 & 0xffff'23ff) | 0x400;
  update_stop_pages(cpu);
  cpu.xcr0 = state.xcr0 | 1;
  cpu.bus->set_task_priority(static_cast<u8>(state.cr8 & 0xf));
  cpu.bus->write_msr(msr::kApicBase, state.apic_base);
}

}  // namespace

void Cpu::save(CpuState& state) const {
  // Reading a register may have effects on the bus, none on the processor.
  auto& self = const_cast<Cpu&>(*this);
  std::copy_n(gpr.begin(), 16, state.gpr.begin());
  state.rip = rip();
  state.rflags = rflags();
  std::ranges::transform(seg, state.segment.begin(), &SegmentRegister::to_state);
  state.ldtr = ldtr.to_state();
  state.tr = tr.to_state();
  state.gdtr = gdtr;
  state.idtr = idtr;
  state.cr0 = cr0;
  state.cr2 = cr2;
  state.cr3 = cr3;
  state.cr4 = cr4;
  state.cr8 = bus->task_priority();
  state.efer = efer;
  state.apic_base = 0;
  bus->read_msr(msr::kApicBase, state.apic_base);
  state.pdpte = pdpte;
  state.pdpte_valid = uses_pdptes(*this);
  state.dr = dr;
  state.dr6 = dr6;
  state.dr7 = dr7;
  state.xcr0 = xcr0;
  state.xsave = system::save_xsave_area(*this);
  save_msrs(self, state.msrs);
  save_events(*this, state.events);
  state.mp_state = mp_state_of(activity);
  state.tsc_khz = model->tsc_khz;
}

void Cpu::load(const CpuState& state) {
  std::copy_n(state.gpr.begin(), 16, gpr.begin());
  set_rip(state.rip);
  insn_rip = state.rip;
  std::ranges::transform(state.segment, seg.begin(), &SegmentRegister::from_state);
  ldtr = SegmentRegister::from_state(state.ldtr);
  tr = SegmentRegister::from_state(state.tr);
  gdtr = state.gdtr;
  idtr = state.idtr;
  load_control(*this, state);
  load_events(*this, state.events);
  system::load_xsave_area(*this, state.xsave);
  load_msrs(*this, state.msrs);
  activity = activity_of(state);
  pending_db = 0;
  set_rflags(state.rflags);
  const bool v86 = eflag(eflags::kVm) && !lma();
  set_cpl(!protected_mode() ? 0 : v86 ? 3 : seg[Ss].dpl());
  pdpte = state.pdpte;
  if (!state.pdpte_valid && uses_pdptes(*this)) load_pdptes(*this, cr3);
  flush_tlb();
}

}  // namespace rhea::x86
