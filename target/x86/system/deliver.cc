// SPDX-License-Identifier: GPL-2.0-or-later
// Delivery of events, and what becomes of faults on the way: double fault and shutdown (SDM vol. 3,
// 6.15, "Interrupt 8").
#include "target/x86/system/delivery.h"
#include "target/x86/system/log.h"

#include <utility>

namespace rhea::x86 {
namespace {

using namespace system;

bool is_contributory(Vector vector) {
  switch (vector) {
    case Vector::De:
    case Vector::Ts:
    case Vector::Np:
    case Vector::Ss:
    case Vector::Gp: return true;
    default: return false;
  }
}

/// Whether `second`, met on the way to the handler of `first`, makes a double fault (or, when
/// `first` is one already, a shutdown).
bool is_double(Vector first, Vector second) {
  const bool grave = is_contributory(second) || second == Vector::Pf;
  if (first == Vector::Df || first == Vector::Pf) return grave;
  return is_contributory(first) && is_contributory(second);
}

/// Exceptions whose handler may return to the instruction: RF keeps its breakpoint from firing
/// again (SDM vol. 3, 17.3.1.1).
bool resumes(const Fault& fault) {
  switch (fault.vector) {
    case Vector::Db: return (fault.dr6 & dr6::kBd) != 0;
    case Vector::Nmi:
    case Vector::Bp:
    case Vector::Of:
    case Vector::Df:
    case Vector::Mc: return false;
    default: return true;
  }
}

void record(Cpu& cpu, const Fault& fault) {
  if (fault.vector == Vector::Pf) cpu.cr2 = fault.cr2;
  if (fault.vector != Vector::Db) return;
  cpu.dr6 = (cpu.dr6 & ~u64{0xf}) | fault.dr6;
  cpu.dr7 &= ~(u64{1} << 13);
}

/// Faults in a row on the way to a handler that make no double fault. A real processor stays there
/// for ever (#AC whose handler's stack is misaligned), and so will this one; but whoever runs it
/// has to be able to stop it.
constexpr unsigned kMaxFaults = 8;

void postpone(Cpu& cpu, const Fault& fault) {
  cpu.injected.exception_injected = true;
  cpu.injected.exception_vector = static_cast<u8>(fault.vector);
  cpu.injected.exception_has_error_code = fault.has_error;
  cpu.injected.exception_error_code = fault.error;
  cpu.injected.exception_has_payload = fault.vector == Vector::Pf || fault.vector == Vector::Db;
  cpu.injected.exception_payload = fault.vector == Vector::Pf ? fault.cr2 : fault.dr6;
  cpu.need_attention(Attention::Injected);
  cpu.leave_block = true;
}

Event event_of(const Fault& fault) {
  return {.vector = static_cast<u8>(fault.vector),
          .kind = EventKind::Exception,
          .has_error = fault.has_error,
          .error = fault.error,
          .resume = resumes(fault)};
}

}  // namespace

void deliver(Cpu& cpu, const Event& event) {
  // INT and its like are not traced into their handlers.
  if (event.by_instruction())
    cpu.traced = false;
  else
    cpu.insn_rip = cpu.rip();
  log_event(cpu, event);
  if (event.kind == EventKind::Nmi) cpu.nmi_blocked = true;
  if (cpu.activity == Activity::Halted) cpu.activity = Activity::Running;
  cpu.shadow = cpu.shadow_next = false;
  cpu.leave_block = true;
  if (cpu.mode == Mode::Real) return deliver_real(cpu, event);
  if (cpu.mode == Mode::Virtual8086 && event.kind == EventKind::SoftwareInterrupt &&
      deliver_virtual_8086(cpu, event))
    return;
  deliver_protected(cpu, event);
}

void deliver_fault(Cpu& cpu, const Fault& fault) {
  Fault current = fault;
  cpu.set_rip(cpu.insn_rip);
  for (unsigned count = 0;; ++count) {
    if (count == kMaxFaults) return postpone(cpu, current);
    record(cpu, current);
    try {
      return deliver(cpu, event_of(current));
    } catch (const Fault& second) {
      log_fault_during(static_cast<u8>(current.vector), static_cast<u8>(second.vector));
      const bool grave = is_double(current.vector, second.vector);
      if (grave && second.vector == Vector::Pf) cpu.cr2 = second.cr2;
      if (grave && current.vector == Vector::Df) {
        cpu.activity = Activity::Shutdown;
        cpu.leave_block = true;
        return;
      }
      current = grave ? Fault{.vector = Vector::Df, .has_error = true} : second;
      // A task switch may have failed in the new task.
      cpu.set_rip(cpu.insn_rip);
    }
  }
}

void deliver_debug_traps(Cpu& cpu) {
  const u64 bits = cpu.pending_db;
  cpu.pending_db = 0;
  cpu.insn_rip = cpu.rip();
  deliver_fault(cpu, {.vector = Vector::Db, .dr6 = bits});
}

void deliver_injected(Cpu& cpu) {
  const Events events = std::exchange(cpu.injected, {});
  cpu.insn_rip = cpu.rip();
  if (events.exception_injected) {
    Fault fault{.vector = static_cast<Vector>(events.exception_vector),
                .has_error = events.exception_has_error_code,
                .error = events.exception_error_code,
                .cr2 = cpu.cr2};
    if (events.exception_has_payload)
      (fault.vector == Vector::Pf ? fault.cr2 : fault.dr6) = events.exception_payload;
    return deliver_fault(cpu, fault);
  }
  try {
    if (events.interrupt_injected)
      deliver(cpu,
              {.vector = events.interrupt_vector,
               .kind = events.interrupt_soft ? EventKind::SoftwareInterrupt : EventKind::External});
    else if (events.nmi_injected)
      deliver(cpu, {.vector = static_cast<u8>(Vector::Nmi), .kind = EventKind::Nmi});
  } catch (const Fault& fault) {
    deliver_fault(cpu, fault);
  }
}

}  // namespace rhea::x86
