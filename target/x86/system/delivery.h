// SPDX-License-Identifier: GPL-2.0-or-later
// The ways to a handler, by mode.
#pragma once

#include "target/x86/system/events.h"

namespace rhea::x86::system {

/// The EXT bit of error codes for faults while `event` is delivered.
constexpr u32 external_bit(const Event& event) {
  return event.kind == EventKind::SoftwareInterrupt || event.kind == EventKind::SoftwareException
             ? 0
             : 1;
}
/// The flags that are pushed.
inline u64 pushed_flags(const Cpu& cpu, const Event& event) {
  return cpu.rflags() | (event.resume ? eflags::kRf : 0);
}

/// Through the interrupt vector table at IDTR.base: real mode.
void deliver_real(Cpu& cpu, const Event& event);
/// INT n in virtual-8086 mode: to the 8086 program itself, or #GP, or false: through the IDT.
bool deliver_virtual_8086(Cpu& cpu, const Event& event);
/// Through a gate of the IDT.
void deliver_protected(Cpu& cpu, const Event& event);

}  // namespace rhea::x86::system
