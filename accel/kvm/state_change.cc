// SPDX-License-Identifier: GPL-2.0-or-later
// Changed parts of a processor's state.
#include "accel/kvm/state_change.h"

#include "accel/kvm/msrs.h"
#include "accel/kvm/state.h"
#include "target/x86/system/msr.h"

#include <algorithm>
#include <array>

namespace rhea::kvm {
namespace {

using x86::CpuState;

// XSAVE's standard format (SDM vol. 1, 13.4): where XSTATE_BV lies, and the components.
constexpr std::size_t kComponentsPresent = 512;
struct Piece {
  std::size_t begin, end;
  u64 component;
};
constexpr std::array kPieces = {
    Piece{.begin = 0, .end = 24, .component = 1},      // x87: control, pointers
    Piece{.begin = 24, .end = 28, .component = 2},     // MXCSR
    Piece{.begin = 32, .end = 160, .component = 1},    // x87: registers
    Piece{.begin = 160, .end = 416, .component = 2},   // XMM
    Piece{.begin = 576, .end = 832, .component = 4}};  // upper halves of YMM

bool differs(const Piece& p, const std::vector<u8>& one, const std::vector<u8>& other) {
  const auto at = [](const std::vector<u8>& area, std::size_t n) {
    return area.begin() + static_cast<std::ptrdiff_t>(n);
  };
  return p.end <= one.size() && p.end <= other.size() &&
         !std::equal(at(one, p.begin), at(one, p.end), at(other, p.begin));
}

/// `to` follows where `after` is another than `before`; whether it is.
template <class T>
bool follow(T& to, const T& before, const T& after) {
  if (before == after) return false;
  to = after;
  return true;
}

bool merge_system_registers(CpuState& to, const CpuState& before, const CpuState& after) {
  bool changed = false;
  for (std::size_t i = 0; i < to.segment.size(); ++i)
    changed |= follow(to.segment[i], before.segment[i], after.segment[i]);
  for (const auto member : {&CpuState::ldtr, &CpuState::tr})
    changed |= follow(to.*member, before.*member, after.*member);
  for (const auto member : {&CpuState::gdtr, &CpuState::idtr})
    changed |= follow(to.*member, before.*member, after.*member);
  for (const auto member : {&CpuState::cr0, &CpuState::cr2, &CpuState::cr3, &CpuState::cr4,
                            &CpuState::cr8, &CpuState::efer, &CpuState::apic_base})
    changed |= follow(to.*member, before.*member, after.*member);
  changed |= follow(to.pdpte, before.pdpte, after.pdpte);
  return changed | follow(to.pdpte_valid, before.pdpte_valid, after.pdpte_valid);
}

bool merge_debug_registers(CpuState& to, const CpuState& before, const CpuState& after) {
  bool changed = follow(to.dr, before.dr, after.dr);
  changed |= follow(to.dr6, before.dr6, after.dr6);
  return changed | follow(to.dr7, before.dr7, after.dr7);
}

std::vector<x86::Msr> changed_msrs(const StateChange& change) {
  using x86::msr::kTsc;
  std::vector<x86::Msr> list;
  if (change.tsc) list.push_back({.index = kTsc, .value = *change.tsc});
  for (const x86::Msr& now : change.after.msrs)
    if (now.index != kTsc && std::ranges::find(change.before.msrs, now) == change.before.msrs.end())
      list.push_back(now);
  return list;
}

}  // namespace

bool merge_xsave(std::vector<u8>& area, const std::vector<u8>& before,
                 const std::vector<u8>& after) {
  u64 changed = 0;
  for (const Piece& piece : kPieces)
    if (differs(piece, before, after) && piece.end <= area.size()) changed |= piece.component;
  if (changed == 0) return false;
  for (const Piece& piece : kPieces)
    if ((piece.component & changed) != 0)
      std::memcpy(&area[piece.begin], &after[piece.begin], piece.end - piece.begin);
  u64 present = 0;
  std::memcpy(&present, &area[kComponentsPresent], sizeof present);
  present |= changed;
  std::memcpy(&area[kComponentsPresent], &present, sizeof present);
  return true;
}

Result<> write_change(Vm& vm, const VcpuHandle& handle, const StateChange& change) {
  const CpuState& after = change.after;
  CpuState state = change.read;
  if (merge_system_registers(state, change.before, after))
    TRY(write_system_registers(vm, handle, state));
  const bool vectors = merge_xsave(state.xsave, change.before.xsave, after.xsave);
  if (follow(state.xcr0, change.before.xcr0, after.xcr0) || vectors)
    TRY(write_vectors(vm, handle, state));
  if (const auto msrs = changed_msrs(change); !msrs.empty()) write_msrs(vm, handle, msrs);
  if (merge_debug_registers(state, change.before, after))
    TRY(write_debug_registers(vm, handle, state));
  state.gpr = after.gpr;
  state.rip = after.rip;
  state.rflags = after.rflags;
  TRY(write_general_registers(handle, state));
  x86::Events& events = state.events;
  events.exception_injected = after.events.exception_injected;
  events.exception_pending = false;
  events.interrupt_injected = after.events.interrupt_injected;
  events.nmi_injected = after.events.nmi_injected;
  events.interrupt_shadow = after.events.interrupt_shadow;
  events.nmi_masked = after.events.nmi_masked;
  return write_events(vm, handle, state, EventsOf::Processor);
}

}  // namespace rhea::kvm
