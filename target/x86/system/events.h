// SPDX-License-Identifier: GPL-2.0-or-later
// Interrupts and exceptions: how they reach their handlers (SDM vol. 3, chapter 6).
#pragma once

#include "target/x86/cpu.h"

namespace rhea::x86 {

enum class EventKind : u8 {
  External,           ///< from the interrupt controllers
  Nmi,                ///< blocks further ones until IRET
  Exception,          ///< the processor's own
  SoftwareInterrupt,  ///< INT n
  SoftwareException,  ///< INT3, INTO: a gate's DPL counts
  Int1,               ///< INT1: it does not
};

struct Event {
  u8 vector{};
  EventKind kind{EventKind::External};
  bool has_error{};
  u32 error{};
  bool resume{};  ///< a fault: RF is set in the flags that are pushed

  /// INT and its like raised it.
  bool by_instruction() const {
    return kind == EventKind::SoftwareInterrupt || kind == EventKind::SoftwareException ||
           kind == EventKind::Int1;
  }
};

/// Enters the handler; RIP as it stands is what it returns to. A fault on the way is thrown, with
/// nothing changed: hand it to deliver_fault. Ends HLT.
void deliver(Cpu& cpu, const Event& event);

/// Enters the handler of a fault at Cpu::insn_rip, turning it into a double fault or a shutdown
/// where that cannot be done.
void deliver_fault(Cpu& cpu, const Fault& fault);

/// Enters the handler of the debug traps in Cpu::pending_db, which it clears; RIP is behind the
/// instruction that met them.
void deliver_debug_traps(Cpu& cpu);

/// Delivers what is on its way (Cpu::injected); to be called before the first instruction after
/// Cpu::load, and when Attention::Injected asks for it.
void deliver_injected(Cpu& cpu);

}  // namespace rhea::x86
