// SPDX-License-Identifier: GPL-2.0-or-later
// A software vCPU between its thread, the machine and its processor.
#include "accel/jit/vcpu.h"

#include "accel/jit/vm.h"
#include "rhea/util/log.h"
#include "target/x86/paging.h"

namespace rhea::jit {

JitVcpu::JitVcpu(Vm& vm, unsigned index, x86::CpuModel model)
    : vm_(&vm),
      index_(index),
      model_(std::move(model)),
      bus_(*this),
      cpu_(bus_, model_),
      cache_(model_.features) {
  vm.add(*this);
  reset(ResetKind::Cold);
}

JitVcpu::~JitVcpu() { vm_->remove(*this); }

void JitVcpu::attend_to(x86::Attention what) {
  cpu_.need_attention(what);
  cpu_.attention.notify_all();
}

void JitVcpu::kick() { attend_to(x86::Attention::Exit); }

void JitVcpu::enter() {
  for (;;) {
    guard_.emplace();
    if (!vm_->closed_to(*this)) break;
    guard_.reset();
    vm_->wait_open();
  }
  // What was seen of the map before may be gone: not even the rest of this instruction may use it.
  if (cpu_.wants(x86::Attention::FlushTlb)) flush();
}

void JitVcpu::flush() {
  cpu_.clear_attention(x86::Attention::FlushTlb);
  cpu_.flush_tlb();
  cache_.forget_addresses();
  cpu_.leave_block = true;
}

Result<> JitVcpu::get_state(x86::CpuState& state) {
  cpu_.save(state);
  state.tsc_khz = model_.tsc_khz;
  return {};
}

Result<> JitVcpu::set_state(const x86::CpuState& state) {
  cpu_.load(state);
  flush();
  return {};
}

void JitVcpu::reset(ResetKind) {
  cpu_.reset(false);
  if (index_ != 0) cpu_.activity = x86::Activity::WaitForSipi;
  tpr_ = 0;
  held_ = 0;
  flush();
}

void JitVcpu::inject_nmi() { attend_to(x86::Attention::Nmi); }

std::optional<GuestPhys> JitVcpu::translate(GuestVirt address) {
  const RcuGuard guard;
  const auto physical = x86::translate_quietly(cpu_, address.value);
  if (!physical) return std::nullopt;
  return GuestPhys(*physical);
}

Result<> JitVcpu::set_single_step(bool on) {
  single_step_ = on;
  return {};
}

u64 JitVcpu::time_stamp() const {
  const auto now = static_cast<u128>(vm_->machine().virtual_clock().now_ns());
  return static_cast<u64>(now * model_.tsc_khz / 1'000'000);
}

u64 JitVcpu::read_apic(u64, unsigned) { return 0; }
void JitVcpu::write_apic(u64, u64, unsigned) {}
bool JitVcpu::read_msr(u32, u64&) { return false; }
bool JitVcpu::write_msr(u32, u64) { return false; }

}  // namespace rhea::jit
