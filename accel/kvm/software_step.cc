// SPDX-License-Identifier: GPL-2.0-or-later
// From KVM's state to the software CPU's, one instruction, and back.
#include "accel/kvm/software_step.h"

#include "accel/kvm/cpu_model.h"
#include "accel/kvm/host_cpu.h"
#include "accel/kvm/msrs.h"
#include "accel/kvm/state.h"
#include "accel/kvm/state_change.h"
#include "accel/kvm/trace_events.h"
#include "accel/kvm/vcpu.h"
#include "accel/kvm/vm.h"
#include "target/x86/host_features.h"
#include "target/x86/interp/bind.h"
#include "target/x86/isa/row.h"
#include "target/x86/system/events.h"
#include "target/x86/system/msr.h"

#include <algorithm>

namespace rhea::kvm {
namespace {

constexpr u64 kKnownComponents = 7;  // x87, SSE, AVX
constexpr u8 kUndefinedOpcode = static_cast<u8>(x86::Vector::Ud);

bool any_injected(const x86::Events& events) {
  return events.exception_injected || events.interrupt_injected || events.nmi_injected;
}

/// Registers of the core, but for the counter, which goes on while we look.
std::vector<u32> core_msrs(const VcpuHandle& handle) {
  std::vector<u32> list;
  for (const u32 index : x86::system::saved_msrs())
    if (index != x86::msr::kTsc && index != x86::msr::kTscDeadline &&
        std::ranges::find(handle.msrs, index) != handle.msrs.end())
      list.push_back(index);
  return list;
}

/// Without VT-x and AMD-V, CPUID does not trap in 64-bit code: the guest is told of the host's
/// processor, whatever its leaves say.
void add_what_host_tells(x86::CpuModel& model) {
  if (has_hardware_virtualization()) return;
  for (const x86::FeatureRow& row : x86::feature_rows())
    if (x86::host_has(row)) model.set(row.feature);
}

x86::CpuModel model_of(const VcpuHandle& handle) {
  x86::CpuModel model = software_model(handle.cpuid);
  add_what_host_tells(model);
  return model;
}

}  // namespace

SoftwareStep::SoftwareStep(KvmVcpu& vcpu)
    : vcpu_(&vcpu),
      model_(model_of(vcpu.handle())),
      offered_(model_.features),
      bus_(vcpu),
      cpu_(bus_, model_),
      msrs_(core_msrs(vcpu.handle())),
      reported_(x86::isa::rows().size()) {
  model_.features &= x86::software_features();
}

Result<SoftwareStep::Outcome> SoftwareStep::run(bool only_events) {
  x86::CpuState state, before, after;
  TRY(read(state));
  cpu_.attention.store(0, std::memory_order_seq_cst);
  bus_.load(state);
  cpu_.load(state);
  cpu_.tsc_offset = 0;
  cpu_.save(before);
  bus_.begin(cpu_);
  vcpu_->set_stepping(this);
  const bool done = execute(only_events);
  vcpu_->set_stepping(nullptr);
  std::optional<u64> counter;
  if (cpu_.tsc_offset != 0) counter = bus_.tsc() + cpu_.tsc_offset;
  bus_.end();
  if (!done) return Outcome::Unable;
  if (cpu_.activity == x86::Activity::Shutdown) return Outcome::Shutdown;
  cpu_.save(after);
  TRY(write_change(vcpu_->vm(), vcpu_->handle(),
                   {.read = state, .before = before, .after = after, .tsc = counter}));
  vcpu_->handle().run->if_flag = cpu_.eflag(x86::eflags::kIf) ? 1 : 0;
  if (cpu_.activity == x86::Activity::Halted) TRY(vcpu_->halt());
  return Outcome::Done;
}

// What the core wants to know. The local APIC and what comes to it stay KVM's: interrupts may
// arrive at any time.
Result<> SoftwareStep::read(x86::CpuState& state) {
  Vm& vm = vcpu_->vm();
  const VcpuHandle& handle = vcpu_->handle();
  TRY(read_registers(vm, handle, state));
  TRY(read_vectors(vm, handle, state));
  TRY(read_events(handle, state));
  read_msrs(vm, handle, msrs_, state.msrs);
  // Where KVM does not ask first, it has already decided for #UD.
  x86::Events& e = state.events;
  if (!vm.asks_before_undefined() && e.exception_vector == kUndefinedOpcode)
    e.exception_pending = e.exception_injected = false;
  return {};
}

bool SoftwareStep::unable(std::string why) {
  why_ = std::move(why);
  return false;
}

bool SoftwareStep::execute(bool only_events) {
  try {
    if (any_injected(cpu_.injected)) {
      x86::deliver_injected(cpu_);
      return true;
    }
    return only_events ? unable("there is nothing to deliver") : execute_instruction();
  } catch (const CannotStep& cannot) {
    return unable(cannot.why);
  }
}

bool SoftwareStep::execute_instruction() {
  try {
    x86::Fetched fetched;
    x86::fetch(cpu_, fetched);
    if (beyond(fetched)) return unable("the software CPU cannot do it either");
    if (fetched.status == x86::DecodeStatus::Ok) report(fetched.insn);
    x86::execute_alone(cpu_, fetched.insn);
  } catch (const x86::Fault& fault) {
    x86::deliver_step_fault(cpu_, fault);
  }
  return true;
}

// An instruction that neither of us has, though the guest may have been told that it is there, must
// not look undefined to it.
bool SoftwareStep::beyond(x86::Fetched& fetched) {
  if (fetched.status == x86::DecodeStatus::Ok) {
    const x86::isa::Row& row = x86::isa::rows()[fetched.insn.row];
    const bool whole_area = row.mnemonic.starts_with("xsave") || row.mnemonic.starts_with("xrstor");
    return !x86::interp::is_bound(fetched.insn.row) || row.mnemonic == "cpuid" ||
           (whole_area && (cpu_.xcr0 & ~kKnownComponents) != 0);
  }
  if (fetched.status != x86::DecodeStatus::Invalid) return false;
  x86::fetch_rest(cpu_, fetched);
  const std::span<const u8> bytes(fetched.bytes.data(), fetched.count);
  x86::DecodeMode how{.code_bits = cpu_.code_bits,
                      .real_or_v86 = cpu_.mode <= x86::Mode::Virtual8086,
                      .features = &offered_,
                      .amd = cpu_.model->is_amd()};
  x86::Insn insn;
  if (x86::decode(bytes, how, insn) == x86::DecodeStatus::Ok) return true;
  how.features = nullptr;
  if (x86::decode(bytes, how, insn) == x86::DecodeStatus::Ok) return false;
  return x86::is_instruction(bytes, cpu_.code_bits);
}

void SoftwareStep::report(const x86::Insn& insn) {
  if (reported_[insn.row]) return;
  reported_[insn.row] = true;
  kvm_software_step(vcpu_->index(), cpu_.insn_rip,
                    std::string(x86::isa::rows()[insn.row].mnemonic));
}

}  // namespace rhea::kvm
