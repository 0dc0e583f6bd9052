// SPDX-License-Identifier: GPL-2.0-or-later
// What a processor does between its blocks: interrupts, start-up, HLT.
#include "accel/jit/turns.h"
#include "accel/jit/vcpu.h"
#include "accel/jit/vm.h"
#include "rhea/util/log.h"
#include "target/x86/system/events.h"
#include "target/x86/system/smm.h"

#include <algorithm>
#include <utility>

namespace rhea::jit {

using accel::SingleStep;
using x86::Activity;
using x86::Attention;

// Something wants the processor, or it does nothing.
JitVcpu::Next JitVcpu::attend() {
  {
    const Outside outside(*this);
  }
  if (cpu_.wants(Attention::Exit)) {
    cpu_.clear_attention(Attention::Exit);
    return Next::Leave;
  }
  static_cast<void>(take(Attention::Code));
  if (take(Attention::Forget)) forget_code();
  if (can_take(held_)) release_held();  // the shadow of STI ends with HLT
  take_requests();
  if (cpu_.activity == Activity::Shutdown) {
    log_guest("cpu", "CPU {}: triple fault", index_);
    vm_->machine().request_reset(ShutdownCause::GuestReset);
    return Next::Leave;
  }
  return cpu_.activity == Activity::Running ? Next::GoOn : wait_while_halted();
}

// Whether any of these requests, which could not be taken when they came, can be now.
bool JitVcpu::can_take(u32 requests) const {
  const auto has = [requests](Attention what) { return (requests & static_cast<u32>(what)) != 0; };
  if (cpu_.shadow || holds_interrupts()) return false;
  return (has(Attention::Interrupt) && cpu_.eflag(x86::eflags::kIf)) ||
         (has(Attention::Nmi) && !cpu_.nmi_blocked) ||
         ((has(Attention::Smi) || has(Attention::Init)) && !cpu_.smm);
}

void JitVcpu::release_held() {
  cpu_.attention.fetch_or(std::exchange(held_, 0), std::memory_order_acq_rel);
}

bool JitVcpu::take(Attention what) {
  if (!cpu_.wants(what)) return false;
  cpu_.clear_attention(what);
  return true;
}

void JitVcpu::hold(Attention what) { held_ |= static_cast<u32>(what); }

// While a debugger steps through code that it wants to see nothing else of. HLT would never end.
bool JitVcpu::holds_interrupts() const {
  return single_step_ == SingleStep::HoldingInterrupts && cpu_.activity == Activity::Running;
}

bool JitVcpu::events_allowed() const {
  return !cpu_.shadow && cpu_.activity != Activity::WaitForSipi && !holds_interrupts();
}

// In the order of their priority (SDM vol. 3, 6.9). What is not possible now is held until it is.
void JitVcpu::take_requests() {
  cpu_.insn_rip = cpu_.rip();
  if (take(Attention::Injected)) x86::deliver_injected(cpu_);
  take_start_up();
  if (take(Attention::Smi)) {
    if (!cpu_.smm && events_allowed()) return enter_smm();
    hold(Attention::Smi);
  }
  if (take(Attention::Nmi)) {
    count_nmis();
    if (cpu_.nmis != 0 && !cpu_.nmi_blocked && events_allowed()) return take_nmi();
    if (cpu_.nmis != 0) hold(Attention::Nmi);
  }
  if (take(Attention::Interrupt)) {
    if (cpu_.eflag(x86::eflags::kIf) && events_allowed()) return take_interrupt();
    hold(Attention::Interrupt);
  }
}

// One in service, one latched: a second before the first is taken will be the latched one, since
// the hardware would have taken the first at once (SDM vol. 3, 6.7.1).
void JitVcpu::count_nmis() {
  const unsigned most = cpu_.nmi_blocked ? 1 : 2;
  const u32 arrived = std::min(nmis_arrived_.exchange(0, std::memory_order_relaxed), most);
  cpu_.nmis = static_cast<u8>(std::min(cpu_.nmis + arrived, most));
}

void JitVcpu::take_nmi() {
  if (--cpu_.nmis != 0) hold(Attention::Nmi);
  cpu_.activity = Activity::Running;
  x86::deliver(cpu_, {.vector = static_cast<u8>(x86::Vector::Nmi), .kind = x86::EventKind::Nmi});
}

// System management mode is not left by INIT (SDM vol. 3, 32.3.1).
void JitVcpu::take_start_up() {
  if (take(Attention::Init)) {
    if (cpu_.smm)
      hold(Attention::Init);
    else
      take_init();
  }
  if (take(Attention::Sipi) && cpu_.activity == Activity::WaitForSipi)
    cpu_.start_up(start_up_vector_.load(std::memory_order_relaxed));
}

void JitVcpu::enter_smm() {
  {
    const Outside outside(*this);
    static_cast<void>(vm_->management_memory());  // made on first use, for which it takes a lock
  }
  x86::enter_smm(cpu_);
}

// INIT keeps the APIC's base; processors but the first wait for a SIPI (SDM vol. 3, 9.4.3).
void JitVcpu::take_init() {
  cpu_.reset(true);
  apic_.reset();
  held_ = 0;
  cpu_.activity = index_ == 0 ? Activity::Running : Activity::WaitForSipi;
  flush();
}

// The local APIC's interrupts, and the 8259s' where LINT0 lets them through.
std::optional<u8> JitVcpu::acknowledge() {
  if (apic_.enabled())
    if (const std::optional<u8> vector = apic_.acknowledge()) return vector;
  if (index_ != 0 || !apic_.passes_extint()) return std::nullopt;
  const Outside outside(*this);
  const DomainGuard lock(&vm_->machine().lock());
  ExtIntSource* pic = vm_->machine().interrupts.pic;
  if (pic == nullptr || !pic->intr()) return std::nullopt;
  const u8 vector = pic->acknowledge();
  if (pic->intr()) cpu_.need_attention(Attention::Interrupt);
  return vector;
}

void JitVcpu::take_interrupt() {
  const std::optional<u8> vector = acknowledge();
  if (!vector) return;
  // There may be another behind it.
  cpu_.need_attention(Attention::Interrupt);
  cpu_.activity = Activity::Running;
  x86::deliver(cpu_, {.vector = *vector, .kind = x86::EventKind::External});
}

JitVcpu::Next JitVcpu::wait_while_halted() {
  if (leave_at_pause_) return Next::Leave;
  if (turns_ != nullptr) {
    turns_->sleep(*this);
    return Next::GoOn;
  }
  const Outside outside(*this);
  sleeper_.wait(cpu_.attention, 0);
  return Next::GoOn;
}

}  // namespace rhea::jit
