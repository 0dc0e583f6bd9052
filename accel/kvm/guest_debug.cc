// SPDX-License-Identifier: GPL-2.0-or-later
// A vCPU under a debugger.
#include "accel/kvm/guest_debug.h"

#include "accel/kvm/host_cpu.h"
#include "accel/kvm/state.h"
#include "accel/kvm/vcpu.h"
#include "accel/kvm/vm.h"
#include "rhea/util/log.h"
#include "target/x86/fault.h"
#include "target/x86/registers.h"

#include <algorithm>
#include <bit>

namespace rhea::kvm {
namespace {

using x86::DebugStop;

constexpr u8 kDb = static_cast<u8>(x86::Vector::Db), kBp = static_cast<u8>(x86::Vector::Bp);
constexpr u64 kEnableExact = 0x700;  // GE and LE, and the bit that is always set

/// Condition and length of DR7 for register 0.
u64 control_bits(bool reads, u64 length) {
  constexpr u64 kWrite = 1, kAccess = 3;
  const u64 code = length == 8 ? 2 : length - 1;
  return (reads ? kAccess : kWrite) << 16 | code << 18;
}

CodePatches::Translate translator(KvmVcpu& vcpu) {
  return [&vcpu](GuestVirt address) { return vcpu.translate(address); };
}

}  // namespace

GuestDebug::~GuestDebug() {
  for (const u64 address : patched_) vcpu_->vm().code_patches().remove(vcpu_->index(), address);
}

Result<> GuestDebug::set_single_step(accel::SingleStep how) {
  step_ = how;
  return tell_kvm();
}

// A register watches 1, 2, 4 or 8 bytes at a multiple of that.
Result<> GuestDebug::watch(const x86::WatchedRange& range, std::vector<Use>& uses) const {
  if (!has_hardware_virtualization())
    return fail("this host's KVM emulates its guests, and watches no memory");
  if (!range.writes) return fail("KVM cannot watch for reads alone");
  if (range.last - range.first >= 8 * kRegisters)
    return fail("KVM cannot watch {} bytes", range.last - range.first + 1);
  for (u64 at = range.first;;) {
    const u64 left = range.last - at + 1;
    const u64 aligned = at == 0 ? 8 : u64{1} << std::min(std::countr_zero(at), 3);
    const u64 piece = std::min(aligned, std::bit_floor(std::min<u64>(left, 8)));
    uses.push_back({.address = at, .control = control_bits(range.reads, piece), .watch = range});
    if (piece == left) return {};
    at += piece;
  }
}

// Registers are better: they hold where memory is loaded later, and the guest's code stays as it
// is. So code is changed when they are used up, and only where there is memory. A KVM that emulates
// guests gives them every INT3 without a word to us.
void GuestDebug::place(const std::vector<u64>& code, std::vector<Use>& uses,
                       std::vector<u64>& patched) {
  std::vector<u64> mapped;
  for (const u64 address : code) {
    if (vcpu_->translate(GuestVirt(address)) || vcpu_->vm().code_patches().has(address))
      mapped.push_back(address);
    else
      uses.push_back({.address = address, .control = 0, .watch = {}});
  }
  for (const u64 address : mapped) {
    if (uses.size() >= kRegisters && has_hardware_virtualization() &&
        vcpu_->vm().code_patches().add(vcpu_->index(), address, translator(*vcpu_)))
      patched.push_back(address);
    else
      uses.push_back({.address = address, .control = 0, .watch = {}});
  }
}

Result<> GuestDebug::set_stops(const x86::DebugStops& stops) {
  std::vector<Use> uses;
  std::vector<u64> patched;
  for (const x86::WatchedRange& range : stops.watches) TRY(watch(range, uses));
  place(stops.code, uses, patched);
  const bool fits = uses.size() <= kRegisters;
  // What was there and stays has been added again, which counts once.
  const std::vector<u64>& obsolete = fits ? patched_ : patched;
  const std::vector<u64>& kept = fits ? patched : patched_;
  for (const u64 address : obsolete)
    if (std::ranges::find(kept, address) == kept.end())
      vcpu_->vm().code_patches().remove(vcpu_->index(), address);
  if (!fits)
    return fail(
        "a processor has {} debug registers, and {} are wanted: for watchpoints, and for "
        "breakpoints where no code can be changed",
        kRegisters, uses.size());
  uses_ = std::move(uses);
  patched_ = std::move(patched);
  return tell_kvm();
}

Result<> GuestDebug::tell_kvm() {
  kvm_guest_debug debug{};
  if (steps()) debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP;
  if (step_ == accel::SingleStep::HoldingInterrupts &&
      (static_cast<u32>(vcpu_->vm().extension(KVM_CAP_SET_GUEST_DEBUG2)) & KVM_GUESTDBG_BLOCKIRQ) !=
          0)
    debug.control |= KVM_GUESTDBG_BLOCKIRQ;
  if (!patched_.empty()) debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
  if (!uses_.empty()) {
    debug.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
    debug.arch.debugreg[7] = kEnableExact;
    for (unsigned n = 0; n < uses_.size(); ++n) {
      debug.arch.debugreg[n] = uses_[n].address;
      debug.arch.debugreg[7] |= u64{2} << 2 * n | uses_[n].control << 4 * n;
    }
  }
  TRY(vcpu_->handle().try_call("KVM_SET_GUEST_DEBUG", KVM_SET_GUEST_DEBUG, &debug));
  return {};
}

std::optional<DebugStop> GuestDebug::stop_of(const kvm_debug_exit_arch& exit) {
  return exit.exception == kBp ? breakpoint(exit) : trap(exit);
}

std::optional<DebugStop> GuestDebug::breakpoint(const kvm_debug_exit_arch& exit) {
  const CodePatches& patches = vcpu_->vm().code_patches();
  if (patches.has(exit.pc)) return DebugStop{.why = DebugStop::Why::Code, .address = exit.pc};
  if (!patches.was_removed(exit.pc, translator(*vcpu_))) give_back(kBp, std::nullopt);
  return std::nullopt;
}

std::optional<DebugStop> GuestDebug::trap(const kvm_debug_exit_arch& exit) {
  for (unsigned n = 0; n < uses_.size(); ++n) {
    if ((exit.dr6 >> n & 1) == 0) continue;
    const Use& use = uses_[n];
    if (!use.watch) return DebugStop{.why = DebugStop::Why::Code, .address = use.address};
    return DebugStop{.why = DebugStop::Why::Watch, .address = use.address, .watch = *use.watch};
  }
  if (steps()) return DebugStop{};
  give_back(kDb, exit.dr6);
  return std::nullopt;
}

void GuestDebug::give_back(u8 vector, std::optional<u64> payload) {
  Vm& vm = vcpu_->vm();
  x86::CpuState state;
  auto result = read_events(vcpu_->handle(), state);
  x86::Events& events = state.events;
  events.exception_vector = vector;
  events.exception_has_error_code = false;
  events.exception_has_payload = payload && vm.exception_payload();
  events.exception_payload = payload.value_or(0);
  events.exception_pending = events.exception_has_payload;
  events.exception_injected = !events.exception_pending;
  if (result) result = write_events(vm, vcpu_->handle(), state, EventsOf::Processor);
  if (!result) report_error(result.error().message());
}

}  // namespace rhea::kvm
