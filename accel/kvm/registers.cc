// SPDX-License-Identifier: GPL-2.0-or-later
// General, segment, control and debug registers: KVM_GET/SET_REGS, SREGS, SREGS2, DEBUGREGS.
#include "accel/kvm/state.h"
#include "accel/kvm/vm.h"

#include <algorithm>

namespace rhea::kvm {
namespace {

x86::Segment from_kvm(const kvm_segment& s) {
  return {.selector = s.selector,
          .base = s.base,
          .limit = s.limit,
          .type = s.type,
          .s = s.s != 0,
          .present = s.present != 0,
          .avl = s.avl != 0,
          .l = s.l != 0,
          .db = s.db != 0,
          .g = s.g != 0,
          .unusable = s.unusable != 0,
          .dpl = s.dpl};
}

kvm_segment to_kvm(const x86::Segment& s) {
  kvm_segment out{};
  out.base = s.base;
  out.limit = s.limit;
  out.selector = s.selector;
  out.type = static_cast<u8>(s.type);
  out.present = s.present;
  out.dpl = s.dpl;
  out.db = s.db;
  out.s = s.s;
  out.l = s.l;
  out.g = s.g;
  out.avl = s.avl;
  out.unusable = s.unusable;
  return out;
}

// kvm_sregs and kvm_sregs2 agree in these.
template <class Sregs>
void take(const Sregs& in, x86::CpuState& state) {
  const std::array<const kvm_segment*, 6> segments = {&in.es, &in.cs, &in.ss,
                                                      &in.ds, &in.fs, &in.gs};
  std::ranges::transform(segments, state.segment.begin(),
                         [](const kvm_segment* s) { return from_kvm(*s); });
  state.ldtr = from_kvm(in.ldt);
  state.tr = from_kvm(in.tr);
  state.gdtr = {.base = in.gdt.base, .limit = in.gdt.limit};
  state.idtr = {.base = in.idt.base, .limit = in.idt.limit};
  state.cr0 = in.cr0;
  state.cr2 = in.cr2;
  state.cr3 = in.cr3;
  state.cr4 = in.cr4;
  state.cr8 = in.cr8;
  state.efer = in.efer;
  state.apic_base = in.apic_base;
}

template <class Sregs>
void give(const x86::CpuState& state, Sregs& out) {
  const std::array<kvm_segment*, 6> segments = {&out.es, &out.cs, &out.ss,
                                                &out.ds, &out.fs, &out.gs};
  for (unsigned i = 0; i < segments.size(); ++i) *segments[i] = to_kvm(state.segment[i]);
  out.ldt = to_kvm(state.ldtr);
  out.tr = to_kvm(state.tr);
  out.gdt.base = state.gdtr.base;
  out.gdt.limit = state.gdtr.limit;
  out.idt.base = state.idtr.base;
  out.idt.limit = state.idtr.limit;
  out.cr0 = state.cr0;
  out.cr2 = state.cr2;
  out.cr3 = state.cr3;
  out.cr4 = state.cr4;
  out.cr8 = state.cr8;
  out.efer = state.efer;
  out.apic_base = state.apic_base;
}

// KVM's order of the general registers is by name, ours by encoding.
template <class Regs>
auto in_encoding_order(Regs& r) {
  return std::array{&r.rax, &r.rcx, &r.rdx, &r.rbx, &r.rsp, &r.rbp, &r.rsi, &r.rdi,
                    &r.r8,  &r.r9,  &r.r10, &r.r11, &r.r12, &r.r13, &r.r14, &r.r15};
}

Result<> read_debug_registers(Vm& vm, const VcpuHandle& handle, x86::CpuState& state) {
  if (vm.extension(KVM_CAP_DEBUGREGS) == 0) return {};
  kvm_debugregs debug{};
  TRY(handle.try_call("KVM_GET_DEBUGREGS", KVM_GET_DEBUGREGS, &debug));
  std::ranges::copy(debug.db, state.dr.begin());
  state.dr6 = debug.dr6;
  state.dr7 = debug.dr7;
  return {};
}

}  // namespace

Result<> read_registers(Vm& vm, const VcpuHandle& handle, x86::CpuState& state) {
  kvm_regs regs{};
  TRY(handle.try_call("KVM_GET_REGS", KVM_GET_REGS, &regs));
  std::ranges::transform(in_encoding_order(regs), state.gpr.begin(),
                         [](const auto* r) { return *r; });
  state.rip = regs.rip;
  state.rflags = regs.rflags;
  if (vm.extension(KVM_CAP_SREGS2) != 0) {
    kvm_sregs2 sregs{};
    TRY(handle.try_call("KVM_GET_SREGS2", KVM_GET_SREGS2, &sregs));
    take(sregs, state);
    state.pdpte_valid = (sregs.flags & KVM_SREGS2_FLAGS_PDPTRS_VALID) != 0;
    std::ranges::copy(sregs.pdptrs, state.pdpte.begin());
  } else {
    kvm_sregs sregs{};
    TRY(handle.try_call("KVM_GET_SREGS", KVM_GET_SREGS, &sregs));
    take(sregs, state);
    state.pdpte_valid = false;
  }
  return read_debug_registers(vm, handle, state);
}

Result<> write_system_registers(Vm& vm, const VcpuHandle& handle, const x86::CpuState& state) {
  if (vm.extension(KVM_CAP_SREGS2) != 0) {
    kvm_sregs2 sregs{};
    give(state, sregs);
    sregs.flags = state.pdpte_valid ? KVM_SREGS2_FLAGS_PDPTRS_VALID : 0;
    std::ranges::copy(state.pdpte, sregs.pdptrs);
    TRY(handle.try_call("KVM_SET_SREGS2", KVM_SET_SREGS2, &sregs));
    return {};
  }
  kvm_sregs sregs{};
  give(state, sregs);
  TRY(handle.try_call("KVM_SET_SREGS", KVM_SET_SREGS, &sregs));
  return {};
}

Result<> write_general_registers(const VcpuHandle& handle, const x86::CpuState& state) {
  kvm_regs regs{};
  const auto order = in_encoding_order(regs);
  for (unsigned i = 0; i < order.size(); ++i) *order[i] = state.gpr[i];
  regs.rip = state.rip;
  regs.rflags = state.rflags;
  TRY(handle.try_call("KVM_SET_REGS", KVM_SET_REGS, &regs));
  return {};
}

Result<> write_debug_registers(Vm& vm, const VcpuHandle& handle, const x86::CpuState& state) {
  if (vm.extension(KVM_CAP_DEBUGREGS) == 0) return {};
  kvm_debugregs debug{};
  std::ranges::copy(state.dr, debug.db);
  debug.dr6 = state.dr6;
  debug.dr7 = state.dr7;
  TRY(handle.try_call("KVM_SET_DEBUGREGS", KVM_SET_DEBUGREGS, &debug));
  return {};
}

}  // namespace rhea::kvm
