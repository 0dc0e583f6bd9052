// SPDX-License-Identifier: GPL-2.0-or-later
// Whether x87, MMX, SSE and AVX instructions may execute now (SDM vol. 3, 2.5, 13.1 and 14.1).
#pragma once

#include "target/x86/cpu.h"

namespace rhea::x86::interp {

inline constexpr u16 kFswEs = 0x80, kFswBusy = 0x8000;
inline constexpr u16 kFswExceptions = 0x3f;
inline constexpr u64 kXcr0Avx = 6;  ///< SSE and AVX state

/// An x87 exception that waits: #MF, or FERR# for a PC's IRQ 13. With the latter the instruction
/// goes on, as if the PC asserted IGNNE#.
inline void raise_pending_x87(Cpu& cpu) {
  if ((cpu.x87.fsw & kFswEs) == 0) [[likely]]
    return;
  if ((cpu.cr0 & cr0::kNe) != 0) raise(Vector::Mf);
  cpu.bus->fpu_error();
}

/// x87 instructions that do not wait for pending exceptions.
inline void check_x87_no_wait(const Cpu& cpu) {
  if ((cpu.cr0 & (cr0::kEm | cr0::kTs)) != 0) [[unlikely]]
    raise(Vector::Nm);
}
inline void check_x87(Cpu& cpu) {
  check_x87_no_wait(cpu);
  raise_pending_x87(cpu);
}
inline void check_mmx(Cpu& cpu) {
  if ((cpu.cr0 & cr0::kEm) != 0) raise(Vector::Ud);
  if ((cpu.cr0 & cr0::kTs) != 0) raise(Vector::Nm);
  raise_pending_x87(cpu);
}
inline void check_sse(const Cpu& cpu) {
  if ((cpu.cr0 & cr0::kEm) != 0 || (cpu.cr4 & cr4::kOsfxsr) == 0) [[unlikely]]
    raise(Vector::Ud);
  if ((cpu.cr0 & cr0::kTs) != 0) [[unlikely]]
    raise(Vector::Nm);
}
inline void check_avx(const Cpu& cpu) {
  if ((cpu.cr4 & cr4::kOsxsave) == 0 || (cpu.xcr0 & kXcr0Avx) != kXcr0Avx) [[unlikely]]
    raise(Vector::Ud);
  if ((cpu.cr0 & cr0::kTs) != 0) [[unlikely]]
    raise(Vector::Nm);
}

}  // namespace rhea::x86::interp
