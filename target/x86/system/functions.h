// SPDX-License-Identifier: GPL-2.0-or-later
// The system instructions' functions, by their mnemonics; bindings.cc names them to the decoder.
#pragma once

#include "target/x86/cpu.h"

namespace rhea::x86::system {

// segment_load.cc
void mov_from_segment(Cpu& cpu, const Insn& insn);
void mov_to_segment(Cpu& cpu, const Insn& insn);
void push_segment(Cpu& cpu, const Insn& insn);
void pop_segment(Cpu& cpu, const Insn& insn);
template <unsigned Segment>
void load_far_pointer(Cpu& cpu, const Insn& insn);

// segment_query.cc
void verr(Cpu& cpu, const Insn& insn);
void verw(Cpu& cpu, const Insn& insn);
void lar(Cpu& cpu, const Insn& insn);
void lsl(Cpu& cpu, const Insn& insn);
void arpl(Cpu& cpu, const Insn& insn);

// table_registers.cc
void sgdt(Cpu& cpu, const Insn& insn);
void sidt(Cpu& cpu, const Insn& insn);
void lgdt(Cpu& cpu, const Insn& insn);
void lidt(Cpu& cpu, const Insn& insn);
void sldt(Cpu& cpu, const Insn& insn);
void lldt(Cpu& cpu, const Insn& insn);
void str(Cpu& cpu, const Insn& insn);
void ltr(Cpu& cpu, const Insn& insn);

// base_registers.cc
void swapgs(Cpu& cpu, const Insn& insn);
void rdfsbase(Cpu& cpu, const Insn& insn);
void rdgsbase(Cpu& cpu, const Insn& insn);
void wrfsbase(Cpu& cpu, const Insn& insn);
void wrgsbase(Cpu& cpu, const Insn& insn);

// far_jump.cc, far_call.cc, far_return.cc, iret.cc
void jmpf(Cpu& cpu, const Insn& insn);
void callf(Cpu& cpu, const Insn& insn);
void retf(Cpu& cpu, const Insn& insn);
void iret(Cpu& cpu, const Insn& insn);

// software_interrupt.cc
void int_n(Cpu& cpu, const Insn& insn);
void int3(Cpu& cpu, const Insn& insn);
void int1(Cpu& cpu, const Insn& insn);
void into(Cpu& cpu, const Insn& insn);
void bound(Cpu& cpu, const Insn& insn);

// control_registers.cc
void mov_control(Cpu& cpu, const Insn& insn);
void clts(Cpu& cpu, const Insn& insn);
void smsw(Cpu& cpu, const Insn& insn);
void lmsw(Cpu& cpu, const Insn& insn);
void xgetbv(Cpu& cpu, const Insn& insn);
void xsetbv(Cpu& cpu, const Insn& insn);

// protection_keys.cc
void rdpkru(Cpu& cpu, const Insn& insn);
void wrpkru(Cpu& cpu, const Insn& insn);

// debug.cc
void mov_debug(Cpu& cpu, const Insn& insn);

// hypercall.cc
void hypercall(Cpu& cpu, const Insn& insn);

// invalidate.cc
void invlpg(Cpu& cpu, const Insn& insn);
void invpcid(Cpu& cpu, const Insn& insn);
void wbinvd(Cpu& cpu, const Insn& insn);
void clzero(Cpu& cpu, const Insn& insn);

// random.cc
void rdrand(Cpu& cpu, const Insn& insn);

// identify.cc
void cpuid_insn(Cpu& cpu, const Insn& insn);
void rdtsc(Cpu& cpu, const Insn& insn);
void rdtscp(Cpu& cpu, const Insn& insn);
void rdpmc(Cpu& cpu, const Insn& insn);
void rdpid(Cpu& cpu, const Insn& insn);

// wait.cc
void hlt(Cpu& cpu, const Insn& insn);
void monitor(Cpu& cpu, const Insn& insn);
void mwait(Cpu& cpu, const Insn& insn);
void pause(Cpu& cpu, const Insn& insn);
void undefined(Cpu& cpu, const Insn& insn);

// msr_access.cc
void rdmsr(Cpu& cpu, const Insn& insn);
void wrmsr(Cpu& cpu, const Insn& insn);

// fast_calls.cc
void syscall(Cpu& cpu, const Insn& insn);
void sysret(Cpu& cpu, const Insn& insn);
void sysenter(Cpu& cpu, const Insn& insn);
void sysexit(Cpu& cpu, const Insn& insn);

// smm.cc
void rsm(Cpu& cpu, const Insn& insn);

// flag_access.cc
void pushf(Cpu& cpu, const Insn& insn);
void popf(Cpu& cpu, const Insn& insn);
void cli(Cpu& cpu, const Insn& insn);
void sti(Cpu& cpu, const Insn& insn);
void clac(Cpu& cpu, const Insn& insn);
void stac(Cpu& cpu, const Insn& insn);
void clc(Cpu& cpu, const Insn& insn);
void stc(Cpu& cpu, const Insn& insn);
void cmc(Cpu& cpu, const Insn& insn);
void cld(Cpu& cpu, const Insn& insn);
void std_insn(Cpu& cpu, const Insn& insn);
void lahf(Cpu& cpu, const Insn& insn);
void sahf(Cpu& cpu, const Insn& insn);
void salc(Cpu& cpu, const Insn& insn);

// io.cc
void in(Cpu& cpu, const Insn& insn);
void out(Cpu& cpu, const Insn& insn);

}  // namespace rhea::x86::system
