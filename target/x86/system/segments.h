// SPDX-License-Identifier: GPL-2.0-or-later
// Loading segment registers, with every check (SDM vol. 3, 5.2 to 5.7).
#pragma once

#include "target/x86/system/descriptor.h"

namespace rhea::x86::system {

/// MOV, POP and the like to ES, SS, DS, FS or GS in the current mode.
void load_segment(Cpu& cpu, unsigned segment, u16 selector);
/// As real and virtual-8086 mode load one, CS too.
void load_real_segment(Cpu& cpu, unsigned segment, u16 selector);
SegmentRegister virtual_8086_segment(u16 selector);
/// What a null selector leaves in a data segment register.
SegmentRegister null_segment(const Cpu& cpu, const SegmentRegister& old, u16 selector);
/// A null SS of 64-bit mode.
SegmentRegister null_stack(u16 selector, unsigned dpl);

/// SS for a stack at `level`: its RPL, DPL and type, raising `vector` (#GP or #TS), #SS when it is
/// not present.
SegmentRegister check_stack_segment(Cpu& cpu, u16 selector, unsigned level, Vector vector,
                                    u32 external = 0);

/// Takes data segments away that the new, outer level may not use (RET, IRET). Null selectors lose
/// their RPL.
void drop_inner_segments(Cpu& cpu);

/// Loads LDTR or TR, as LLDT, LTR and a task switch do; #GP or, with Vector::Ts, #TS.
void load_ldtr(Cpu& cpu, u16 selector, Vector vector = Vector::Gp, u32 external = 0);

/// Flat segments as SYSCALL, SYSENTER and their returns set them.
SegmentRegister flat_code(u16 selector, unsigned dpl, bool long_mode);
SegmentRegister flat_stack(u16 selector, unsigned dpl);

}  // namespace rhea::x86::system
