// SPDX-License-Identifier: GPL-2.0-or-later
// What -d in_asm, out_asm, exec, cpu and int show of the software CPU, in the layout that QEMU's
// users know. Nothing of it costs anything while its item is off; callers of log_code() and
// log_block() ask log_enabled() first.
#pragma once

#include "target/x86/system/events.h"

#include <span>

namespace rhea::x86 {

/// A block's instructions, disassembled: when it is executed for the first time.
void log_code(const Cpu& cpu, std::span<const u8> code, u64 linear);
/// Host code that a block was translated to.
struct HostCode {
  const u8* at{};               ///< where it is executed; what follows are offsets from there
  u32 begin{}, end{};           ///< of all code
  std::span<const u32> starts;  ///< of each instruction's; the last: of what is behind it
  std::span<const u64> linear;  ///< addresses of the guest's instructions, of as many or more
};
/// When it has been made.
void log_host_code(const HostCode& code);
/// A block is about to be executed: `exec` shows it, `cpu` the registers. `block` is any name of
/// it.
void log_block(const Cpu& cpu, unsigned index, const void* block);

/// An event is about to be delivered: -d int. Real mode's go unmentioned, as in QEMU.
void log_event(const Cpu& cpu, const Event& event);
/// `first` was being delivered when `second` came.
void log_fault_during(u8 first, u8 second);
/// Entering or having left system management mode: -d int.
void log_management_mode(const Cpu& cpu, bool entering);

}  // namespace rhea::x86
