// SPDX-License-Identifier: GPL-2.0-or-later
// Running a vCPU, and getting it out of the guest without losing a request.
//
// A request (work, a stop, a closed gate) is noted first and kicked second. The kick sets kvm_run's
// immediate_exit and then signals the thread if it is inside KVM_RUN; the vCPU notes that it is
// inside before the kernel reads immediate_exit, so either it sees the flag or the signal meets it.
// It takes the kick back before it looks for requests again. Kernels without immediate_exit get the
// signal always, blocked everywhere but inside KVM_RUN, where a pending one ends the call at once.
#include "accel/kvm/vcpu.h"

#include "accel/apic/apic_registers.h"
#include "accel/kvm/software_step.h"
#include "accel/kvm/state.h"
#include "accel/kvm/trace_events.h"
#include "accel/kvm/user_apic.h"
#include "accel/kvm/vm.h"
#include "rhea/util/log.h"
#include "target/x86/registers.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <mutex>
#include <utility>

namespace rhea::kvm {
namespace {

constexpr int kKickSignal = SIGUSR1;
/// What comes from a local APIC outside the kernel and also reaches a processor that waits.
constexpr u32 kSignals = static_cast<u32>(Attention::Init) | static_cast<u32>(Attention::StartUp) |
                         static_cast<u32>(Attention::Nmi) | static_cast<u32>(Attention::Smi);

// Interrupts the system call, and has nothing else to do.
void on_kick_signal(int) {}

void install_kick_handler() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action{};
    action.sa_handler = &on_kick_signal;
    ::sigaction(kKickSignal, &action, nullptr);
  });
}

// What a fault of ours raises must reach this thread; all else belongs to the main thread.
sigset_t signals_of_others() {
  sigset_t set;
  sigfillset(&set);
  for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
    sigdelset(&set, own);
  return set;
}

// The kernel's set has 64 bits, the C library's more.
Result<> set_run_mask(const VcpuHandle& handle, const sigset_t& blocked) {
  VariableBlock<kvm_signal_mask, u64> mask(1);
  mask.header().len = sizeof(u64);
  std::memcpy(reinterpret_cast<u8*>(&mask.header()) + sizeof(kvm_signal_mask), &blocked,
              sizeof(u64));
  TRY(handle.try_call("KVM_SET_SIGNAL_MASK", KVM_SET_SIGNAL_MASK, &mask.header()));
  return {};
}

// The signal that has come while it was blocked.
void drain_signal() {
  sigset_t kick;
  sigemptyset(&kick);
  sigaddset(&kick, kKickSignal);
  const timespec at_once{};
  while (::sigtimedwait(&kick, nullptr, &at_once) == kKickSignal) {
  }
}

}  // namespace

KvmVcpu::KvmVcpu(Vm& vm, unsigned index, std::unique_ptr<VcpuHandle> handle)
    : vm_(&vm),
      index_(index),
      handle_(std::move(handle)),
      run_(handle_->run),
      memory_(&vm.machine().memory()),
      io_(&vm.machine().io()),
      kick_by_(vm.extension(KVM_CAP_IMMEDIATE_EXIT) != 0 ? KickBy::ImmediateExit
                                                         : KickBy::SignalMask) {
  install_kick_handler();
  run_->immediate_exit = 0;
  if (!vm.has_local_apics())
    user_apic_ = std::make_unique<UserApic>(*this, handle_->id, index == 0);
  vm.adopt(*this);
}

KvmVcpu::~KvmVcpu() { vm_->park(*this, std::move(handle_)); }

void KvmVcpu::thread_started() {
  sigset_t blocked = signals_of_others();
  if (kick_by_ == KickBy::SignalMask) {
    pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
    sigdelset(&blocked, kKickSignal);
    if (auto result = set_run_mask(*handle_, blocked); !result)
      report_error(result.error().message());
  } else {
    sigdelset(&blocked, kKickSignal);
    pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
  }
  tid_.store(gettid(), std::memory_order_seq_cst);
}

void KvmVcpu::thread_ending() { tid_.store(0, std::memory_order_seq_cst); }

void KvmVcpu::kick() {
  set_attention(Attention::Kick, true);
  std::atomic_ref(run_->immediate_exit).store(1, std::memory_order_seq_cst);
  const int tid = tid_.load(std::memory_order_seq_cst);
  const bool inside = in_guest_.load(std::memory_order_seq_cst);
  if (tid != 0 && (inside || kick_by_ == KickBy::SignalMask))
    ::tgkill(::getpid(), tid, kKickSignal);
}

void KvmVcpu::set_attention(Attention what, bool on) {
  if (on) {
    attention_.fetch_or(static_cast<u32>(what), std::memory_order_seq_cst);
    if (SoftwareStep* step = stepping_.load(std::memory_order_seq_cst)) step->interrupt();
  } else {
    attention_.fetch_and(~static_cast<u32>(what), std::memory_order_seq_cst);
  }
  sleeper_.wake(attention_);
}

void KvmVcpu::set_stepping(SoftwareStep* step) {
  stepping_.store(step, std::memory_order_seq_cst);
  if (step != nullptr && attention_.load(std::memory_order_seq_cst) != 0) step->interrupt();
}

void KvmVcpu::alert(Attention what) {
  set_attention(what, true);
  if (in_guest_.load(std::memory_order_seq_cst)) kick();
}

void KvmVcpu::queue_nmi() {
  nmis_.fetch_add(1, std::memory_order_seq_cst);
  alert(Attention::Nmi);
}

void KvmVcpu::run() {
  touched_.store(true, std::memory_order_relaxed);
  for (;;) {
    in_guest_.store(true, std::memory_order_seq_cst);
    if (attention_.load(std::memory_order_seq_cst) != 0) [[unlikely]] {
      in_guest_.store(false, std::memory_order_release);
      if (!attend()) return;
      in_guest_.store(true, std::memory_order_seq_cst);
      if (has(Attention::Gate)) {
        in_guest_.store(false, std::memory_order_release);
        continue;
      }
    }
    if (user_apic_) user_apic_->give(*run_);
    const int error = ::ioctl(handle_->fd.get(), KVM_RUN, 0) < 0 ? errno : 0;
    in_guest_.store(false, std::memory_order_release);
    if (user_apic_) user_apic_->take(*run_);
    vm_->coalesced().drain();
    kvm_run_exit(index_, run_->exit_reason);
    if (error != 0 ? !entry_failed(error) : !handle_exit()) return;
  }
}

// What must be done before the guest is entered. False: leave run() instead.
bool KvmVcpu::attend() {
  if (has(Attention::Gate)) vm_->gate().wait_open();
  if (user_apic_) take_signals();
  while (idle()) {
    if (!wait_while_idle()) return false;
    take_signals();
  }
  if (has(Attention::PicLine)) offer_pic_interrupt();
  if (has(Attention::Interrupt)) offer_interrupt();
  // KVM_RUN must still be called, to complete the access that the last exit was for; it returns at
  // once.
  if (has(Attention::Kick) && kick_by_ == KickBy::SignalMask)
    ::tgkill(::getpid(), gettid(), kKickSignal);
  return true;
}

bool KvmVcpu::take(Attention what) {
  if (!has(what)) return false;
  set_attention(what, false);
  return true;
}

// What the local APIC has had for the processor, in the order of their priority.
void KvmVcpu::take_signals() {
  if ((attention_.load(std::memory_order_seq_cst) & kSignals) == 0) return;
  complete_access();
  Result<> result;
  if (take(Attention::Init)) result = user_apic_->take_init();
  if (result && take(Attention::StartUp)) result = user_apic_->take_start_up();
  if (!result) report_error(result.error().message());
  if (take(Attention::Smi)) handle_->call(KVM_SMI);
  if (take(Attention::Nmi)) {
    // KVM keeps one in service and one latched.
    for (u32 left = std::min(nmis_.exchange(0, std::memory_order_seq_cst), 2U); left != 0; --left)
      handle_->call(KVM_NMI);
    set_attention(Attention::Halted, false);
  }
}

// KVM writes the result of the access that the last exit was for when it is called again, over
// whatever state it has then.
void KvmVcpu::complete_access() {
  std::atomic_ref exit_at_once(run_->immediate_exit);
  exit_at_once.store(1, std::memory_order_seq_cst);
  do {
    if (kick_by_ == KickBy::SignalMask) ::tgkill(::getpid(), gettid(), kKickSignal);
  } while (::ioctl(handle_->fd.get(), KVM_RUN, 0) == 0 && handle_exit());
  if (kick_by_ == KickBy::SignalMask && !has(Attention::Kick)) drain_signal();
  exit_at_once.store(0, std::memory_order_seq_cst);
  if (has(Attention::Kick)) exit_at_once.store(1, std::memory_order_seq_cst);
}

// True when there is something to look at, false when it is kicked meanwhile.
bool KvmVcpu::wait_while_idle() {
  for (;;) {
    const u32 now = attention_.load(std::memory_order_seq_cst);
    const auto is = [now](Attention what) { return (now & static_cast<u32>(what)) != 0; };
    if ((now & kSignals) != 0) return true;
    if (is(Attention::Kick)) {
      consume_kick();
      return false;
    }
    if (!is(Attention::WaitsForStartUp) && run_->if_flag != 0) {
      bool wakes = is(Attention::PicLine);
      if (is(Attention::Interrupt)) {
        set_attention(Attention::Interrupt, false);  // whatever comes from now on sets it again
        if (!user_apic_->waits()) continue;
        set_attention(Attention::Interrupt, true);
        wakes = true;
      }
      if (wakes) {
        set_attention(Attention::Halted, false);
        return true;
      }
    }
    sleeper_.wait(attention_, now);
  }
}

void KvmVcpu::inject(u8 vector) {
  kvm_interrupt request{};
  request.irq = vector;
  kvm_interrupt_call(index_, vector);
  handle_->call(KVM_INTERRUPT, &request);
  run_->ready_for_interrupt_injection = 0;
}

// The same as below for the local APIC's and, where it lets them through, the 8259s'.
void KvmVcpu::offer_interrupt() {
  set_attention(Attention::Interrupt, false);
  if (run_->ready_for_interrupt_injection != 0)
    if (const auto vector = user_apic_->acknowledge()) inject(*vector);
  const bool more = user_apic_->waits();
  if (more) set_attention(Attention::Interrupt, true);
  run_->request_interrupt_window = more ? 1 : 0;
}

// The 8259s are ours, the processor the kernel's: hand over the vector when it can take one, else
// ask to be told.
void KvmVcpu::offer_pic_interrupt() {
  const DomainGuard guard(&vm_->machine().lock());
  ExtIntSource* pic = vm_->machine().interrupts.pic;
  if (pic == nullptr || !pic->intr()) {
    set_attention(Attention::PicLine, false);
    run_->request_interrupt_window = 0;
    return;
  }
  if (run_->ready_for_interrupt_injection != 0) inject(pic->acknowledge());
  run_->request_interrupt_window = pic->intr() ? 1 : 0;
}

void KvmVcpu::consume_kick() {
  std::atomic_ref(run_->immediate_exit).store(0, std::memory_order_seq_cst);
  attention_.fetch_and(~static_cast<u32>(Attention::Kick), std::memory_order_seq_cst);
  if (kick_by_ == KickBy::SignalMask) drain_signal();
}

// KVM_RUN answered with an error. True: go on.
bool KvmVcpu::entry_failed(int error) {
  if (error == EINTR || error == EAGAIN) {
    consume_kick();
    return false;
  }
  if ((error == EFAULT || error == EHWPOISON) && run_->exit_reason == KVM_EXIT_MEMORY_FAULT)
    return memory_fault();
  return stuck(fmt::format("KVM_RUN: {}", errno_text(error)));
}

Result<> KvmVcpu::get_state(x86::CpuState& state) {
  TRY(read_state(*vm_, *handle_, state));
  if (has(Attention::Halted)) state.mp_state = x86::MpState::Halted;
  if (has(Attention::WaitsForStartUp)) state.mp_state = x86::MpState::InitReceived;
  if (user_apic_) {
    user_apic_->apic().save(state);
    state.cr8 = user_apic_->apic().cr8();
  }
  return {};
}

Result<> KvmVcpu::set_state(const x86::CpuState& state) {
  touched_.store(true, std::memory_order_relaxed);
  if (!user_apic_) return set_processor_state(state);
  user_apic_->apic().load(state);
  set_attention(Attention::Halted, state.mp_state == x86::MpState::Halted);
  set_attention(Attention::WaitsForStartUp, state.mp_state == x86::MpState::InitReceived ||
                                                state.mp_state == x86::MpState::Uninitialized);
  TRY(set_processor_state(state));
  set_attention(Attention::Interrupt, true);  // there may be one
  return {};
}

// What KVM_RUN last said of interrupts is true no more.
Result<> KvmVcpu::set_processor_state(const x86::CpuState& state) {
  run_->ready_for_interrupt_injection = 0;
  run_->if_flag = (state.rflags & x86::eflags::kIf) != 0 ? 1 : 0;
  if (!user_apic_) return write_state(*vm_, *handle_, state);
  x86::CpuState running = state;
  running.mp_state = x86::MpState::Runnable;
  return write_state(*vm_, *handle_, running);
}

// A PC's reset line and power-on give the same state; INIT alone, which keeps some, stays between
// the local APICs.
void KvmVcpu::reset(ResetKind) {
  if (auto result = set_state(*handle_->power_on); !result)
    report_error(fmt::format("CPU {} cannot be reset: {}", index_, result.error().message()));
}

std::optional<GuestPhys> KvmVcpu::translate(GuestVirt address) {
  kvm_translation translation{};
  translation.linear_address = address.value;
  if (handle_->call(KVM_TRANSLATE, &translation) < 0 || translation.valid == 0) return std::nullopt;
  return GuestPhys(translation.physical_address);
}

Result<> KvmVcpu::halt() {
  if (vm_->has_local_apics()) return write_mp_state(*handle_, x86::MpState::Halted);
  set_attention(Attention::Halted, true);
  return {};
}

Result<> KvmVcpu::set_single_step(accel::SingleStep how) { return debug_.set_single_step(how); }
Result<> KvmVcpu::set_debug_stops(const x86::DebugStops& stops) { return debug_.set_stops(stops); }
std::optional<x86::DebugStop> KvmVcpu::take_debug_stop() { return std::exchange(debug_stop_, {}); }

// The guest is told what the host has: KVM copies the area as it is.
accel::XsaveOffsets KvmVcpu::xsave_offsets() const {
  constexpr u32 kLeaf = 0xd;
  const auto offset = [this](u32 component) -> u32 {
    for (const kvm_cpuid_entry2& entry : handle_->cpuid)
      if (entry.function == kLeaf && entry.index == component && entry.eax != 0) return entry.ebx;
    return 0;
  };
  return {.ymm_high = offset(2),
          .opmask = offset(5),
          .zmm_high = offset(6),
          .high_zmm = offset(7),
          .pkru = offset(9)};
}

// A PC's NMI comes to the local APICs' LINT1 pins and does what each has programmed there (SDM vol.
// 3, 11.5.1).
void KvmVcpu::inject_nmi() {
  touched_.store(true, std::memory_order_relaxed);
  if (user_apic_) return user_apic_->apic().pulse_lint1();
  x86::CpuState state;
  const bool known = read_registers(*vm_, *handle_, state) && read_lapic(*vm_, *handle_, state);
  if (known && (state.apic_base & x86::apic_base::kEnable) != 0) {
    u32 lvt = 0;
    std::memcpy(&lvt, state.lapic.data() + apic::reg::kLvtLint1, sizeof lvt);
    const u32 mode = lvt >> 8 & 7;
    if ((lvt & apic::reg::kMasked) != 0) return;
    if (mode == 0) {
      vm_->interrupts().send_message(
          {.address = 0xfee00000 | u64{handle_->id} << 12, .data = lvt & 0xff});
      return;
    }
    if (mode == 2) handle_->call(KVM_SMI);
    if (mode != 4) return;
  }
  handle_->call(KVM_NMI);
}

}  // namespace rhea::kvm
