// SPDX-License-Identifier: GPL-2.0-or-later
// What a vCPU left the guest for, and what is done about it.
#include "accel/kvm/software_step.h"
#include "accel/kvm/state.h"
#include "accel/kvm/trace_events.h"
#include "accel/kvm/user_apic.h"
#include "accel/kvm/vcpu.h"
#include "accel/kvm/vm.h"
#include "rhea/util/log.h"
#include "softmmu/host_access.h"

#include <cstring>

namespace rhea::kvm {
namespace {

constexpr u64 kNoSuchHypercall = static_cast<u64>(-1000);  // KVM_ENOSYS to the guest
constexpr u32 kEmulationFailed = KVM_INTERNAL_ERROR_EMULATION;

}  // namespace

bool KvmVcpu::handle_exit() {
  switch (run_->exit_reason) {
    case KVM_EXIT_IO: port_access(); return true;
    case KVM_EXIT_MMIO: memory_access(); return true;
    case KVM_EXIT_IRQ_WINDOW_OPEN: run_->request_interrupt_window = 0; return true;
    // Nothing to do but to look at what is pending, which run() does before it goes on.
    case KVM_EXIT_INTR:
    case KVM_EXIT_NMI:
    case KVM_EXIT_SET_TPR: return true;
    case KVM_EXIT_HLT: set_attention(Attention::Halted, true); return true;
    case KVM_EXIT_IOAPIC_EOI: return end_of_interrupt();
    case KVM_EXIT_X86_RDMSR: return msr_access(false);
    case KVM_EXIT_X86_WRMSR: return msr_access(true);
    case KVM_EXIT_HYPERCALL: return hypercall();
    case KVM_EXIT_DIRTY_RING_FULL: vm_->dirty_log().harvest(); return true;
    case KVM_EXIT_DEBUG: return debug_exit();
    case KVM_EXIT_SHUTDOWN: vm_->machine().request_reset(ShutdownCause::GuestReset); return false;
    case KVM_EXIT_SYSTEM_EVENT: return system_event();
    case KVM_EXIT_INTERNAL_ERROR: return internal_error();
    case KVM_EXIT_MEMORY_FAULT: return memory_fault();
    case KVM_EXIT_FAIL_ENTRY:
      return stuck(fmt::format("the processor refused to enter the guest, reason {:#x}",
                               u64{run_->fail_entry.hardware_entry_failure_reason}));
    case KVM_EXIT_UNKNOWN:
      return stuck(fmt::format("the guest was left for a reason unknown to KVM, {:#x}",
                               u64{run_->hw.hardware_exit_reason}));
    default:
      return stuck(
          fmt::format("the guest was left for a reason unknown to Rhea, {}", run_->exit_reason));
  }
}

// IN, OUT, and INS and OUTS with or without REP: `count` items of `size` bytes one behind the
// other.
void KvmVcpu::port_access() {
  const auto& io = run_->io;
  const unsigned size = io.size;
  u8* data = reinterpret_cast<u8*>(run_) + io.data_offset;
  for (u32 i = 0; i < io.count; ++i, data += size) {
    if (io.direction == KVM_EXIT_IO_OUT) {
      io_->store(io.port, softmmu::load_host(data, size), size);
    } else {
      softmmu::store_host(data, io_->load(io.port, size), size);
    }
  }
}

void KvmVcpu::memory_access() {
  auto& mmio = run_->mmio;
  const unsigned size = std::min<u32>(mmio.len, sizeof mmio.data);
  if (user_apic_ && user_apic_->is_page(mmio.phys_addr)) {
    apic::LocalApic& apic = user_apic_->apic();
    const auto offset = static_cast<unsigned>(mmio.phys_addr % kPageSize);
    if (mmio.is_write != 0)
      apic.write_page(offset, softmmu::load_host(mmio.data, size), size);
    else
      softmmu::store_host(mmio.data, apic.read_page(offset, size), size);
  } else if (!softmmu::register_sized(size)) {
    // What is left of an access that crosses a page.
    if (mmio.is_write != 0)
      static_cast<void>(memory_->write(mmio.phys_addr, {static_cast<const u8*>(mmio.data), size}));
    else
      static_cast<void>(memory_->read(mmio.phys_addr, {static_cast<u8*>(mmio.data), size}));
  } else if (mmio.is_write != 0) {
    memory_->store(mmio.phys_addr, softmmu::load_host(mmio.data, size), size);
  } else {
    const u64 value = memory_->load(mmio.phys_addr, size);
    std::memcpy(mmio.data, &value, sizeof value);
  }
}

bool KvmVcpu::end_of_interrupt() {
  const DomainGuard guard(&vm_->machine().lock());
  kvm_ioapic_eoi(run_->eoi.vector);
  if (EoiListener* ioapic = vm_->machine().interrupts.ioapic)
    ioapic->end_of_interrupt(run_->eoi.vector);
  return true;
}

// KVM asks before it raises #GP for an MSR that is unknown or refused; there is no better answer
// here.
bool KvmVcpu::msr_access(bool write) {
  log_guest("cpu", "CPU {} {} MSR {:#x}{}, which this machine does not have", index_,
            write ? "writes" : "reads", u32{run_->msr.index},
            write ? fmt::format(" (value {:#x})", u64{run_->msr.data}) : "");
  run_->msr.error = 1;
  return true;
}

bool KvmVcpu::hypercall() {
  log_guest("cpu", "CPU {} makes hypercall {}, which this machine does not have", index_,
            u64{run_->hypercall.nr});
  run_->hypercall.ret = kNoSuchHypercall;
  return true;
}

bool KvmVcpu::debug_exit() {
  const auto stop = debug_.stop_of(run_->debug.arch);
  return !stop || stop_for_debugger(*stop);
}

bool KvmVcpu::stop_for_debugger(const x86::DebugStop& why) {
  debug_stop_ = why;
  vm_->machine().request_pause(RunState::Debug);
  return false;
}

bool KvmVcpu::system_event() {
  Machine& machine = vm_->machine();
  switch (run_->system_event.type) {
    case KVM_SYSTEM_EVENT_SHUTDOWN:
      machine.request_shutdown(ShutdownCause::GuestShutdown);
      return false;
    case KVM_SYSTEM_EVENT_RESET: machine.request_reset(ShutdownCause::GuestReset); return false;
    case KVM_SYSTEM_EVENT_CRASH: machine.request_pause(RunState::GuestPanicked); return false;
    case KVM_SYSTEM_EVENT_WAKEUP: return true;
    case KVM_SYSTEM_EVENT_SUSPEND: machine.request_pause(RunState::Suspended); return false;
    default: return stuck(fmt::format("KVM reports system event {}", run_->system_event.type));
  }
}

bool KvmVcpu::internal_error() {
  const auto& internal = run_->internal;
  std::string why = fmt::format(
      "KVM internal error {}{}", internal.suberror,
      internal.suberror == kEmulationFailed ? " (it cannot emulate this instruction)" : "");
  if (internal.suberror != kEmulationFailed)
    for (u32 i = 0; i < std::min<u32>(internal.ndata, std::size(internal.data)); ++i)
      why += fmt::format(" {:#x}", u64{internal.data[i]});
  switch (internal.suberror) {
    case kEmulationFailed: return finish_in_software(why, false);
    // An exit while an event was delivered: through a stack or a table in a device's registers.
    case KVM_INTERNAL_ERROR_DELIVERY_EV: return finish_in_software(why, true);
    default: return stuck(why);
  }
}

bool KvmVcpu::finish_in_software(const std::string& why, bool only_events) {
  if (!software_) software_ = std::make_unique<SoftwareStep>(*this);
  const auto outcome = software_->run(only_events);
  if (!outcome) return stuck(fmt::format("{}; {}", why, outcome.error().message()));
  switch (*outcome) {
    case SoftwareStep::Outcome::Unable: return stuck(fmt::format("{}; {}", why, software_->why()));
    case SoftwareStep::Outcome::Shutdown:
      vm_->machine().request_reset(ShutdownCause::GuestReset);
      return false;
    case SoftwareStep::Outcome::Done: break;
  }
  run_->ready_for_interrupt_injection = 0;  // what it said was of the instruction before
  return !debug_.steps() || stop_for_debugger({});
}

bool KvmVcpu::memory_fault() {
  MemoryFault fault;
  std::memcpy(&fault, &run_->hw, sizeof fault);
  return stuck(fmt::format("KVM cannot reach guest memory {:#x}, {} bytes, flags {:#x}",
                           u64{fault.gpa}, u64{fault.size}, u64{fault.flags}));
}

bool KvmVcpu::stuck(const std::string& why) {
  report_error(fmt::format("CPU {}: {}; the guest is paused", index_, why));
  x86::CpuState state;
  if (auto result = get_state(state))
    log_write(x86::format_registers(state, index_) + code_text(state));
  else
    log_write(result.error().message() + "\n");
  vm_->machine().request_pause(RunState::InternalError);
  return false;
}

// The next instructions, as far as their pages are mapped.
std::string KvmVcpu::code_text(const x86::CpuState& state) {
  const unsigned bits = x86::code_bits(state);
  const u64 linear = state.segment[x86::Cs].base + state.rip;
  const GuestVirt start(bits == 64 ? state.rip : linear & 0xffffffff);
  std::vector<u8> code;
  constexpr std::size_t kBytes = 48;
  while (code.size() < kBytes) {
    const GuestVirt at = start + code.size();
    const auto physical = translate(at);
    if (!physical) break;
    std::vector<u8> piece(std::min<u64>(kBytes - code.size(), kPageSize - at.value % kPageSize));
    if (memory_->read(physical->value, piece, MemAttrs{.debug = true}) != MemResult::Ok) break;
    code.insert(code.end(), piece.begin(), piece.end());
  }
  return code.empty() ? "the code is in no memory\n" : x86::disassemble(code, start, bits, 8);
}

}  // namespace rhea::kvm
