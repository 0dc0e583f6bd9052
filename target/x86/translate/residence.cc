// SPDX-License-Identifier: GPL-2.0-or-later
// Loading and storing the guest's vector and x87 registers.
#include "target/x86/translate/residence.h"

#include "target/x86/interp/fpu_gate.h"
#include "target/x86/translate/host_cpu.h"

#include <vector>

namespace rhea::x86::translating {
namespace {

constexpr unsigned kVectors = 16;
constexpr u32 kMasks = 0x1f80;  ///< of MXCSR

void test_byte(Assembler& a, const auto& place, u8 bits) {
  a.op(1, {.byte = 0xf6, .digit = true}, 0, place);
  a.imm(bits, 1);
}
void vzeroupper(Assembler& a) { a.bytes({0xc5, 0xf8, 0x77}); }
void mxcsr(Assembler& a, unsigned digit, const Mem& m) {
  a.op(4, {.byte = 0xae, .map = Opcode::Map0f, .digit = true}, digit, m);
}
/// MOVUPS, or VMOVUPS of all 256 bits.
void move_vector(Assembler& a, const StateLayout& state, unsigned reg, bool store, bool whole) {
  const u8 byte = store ? 0x11 : 0x10;
  if (whole)
    a.vex({.byte = byte, .map = 1, .l = true}, reg, 0, state.vector(reg));
  else
    a.op(4, {.byte = byte, .map = Opcode::Map0f}, reg, state.vector(reg));
}

// Upper halves that are zero are not loaded: to the host they would be in use, which makes legacy
// SSE instructions slow on some.
void load_vectors(Assembler& a, const StateLayout& state) {
  u8* loaded = nullptr;
  if (host_cpu().avx) {
    a.op(4, {.byte = 0x10, .map = Opcode::Map0f}, 0, state.vector(0, 2));  // MOVUPS
    for (unsigned reg = 1; reg < kVectors; ++reg)
      a.vex({.byte = 0x56, .map = 1}, 0, 0, state.vector(reg, 2));  // VORPS
    a.vex({.byte = 0x17, .map = 2, .pp = 1}, 0, 0, 0);              // VPTEST
    u8* const narrow = a.jcc(kEqual);
    for (unsigned reg = 0; reg < kVectors; ++reg) move_vector(a, state, reg, false, true);
    loaded = a.jmp();
    a.bind_here(narrow);
  }
  for (unsigned reg = 0; reg < kVectors; ++reg) move_vector(a, state, reg, false, false);
  if (loaded != nullptr) a.bind_here(loaded);
  mxcsr(a, 2, state.mxcsr);
}

// ---- x87: between Cpu's registers, by number, and an image whose first is the top of the stack.

constexpr unsigned kImageSt = 32, kImageXstate = 512;

void push(Assembler& a, unsigned reg) { a.byte(0x50 | reg); }
void pop(Assembler& a, unsigned reg) { a.byte(0x58 | reg); }
/// XRSTOR64 and the like, 0F AE /digit.
void state_operation(Assembler& a, unsigned digit, const Mem& m) {
  a.op(8, {.byte = 0xae, .map = Opcode::Map0f, .digit = true}, digit, m);
}
/// RCX: where the top lies among the registers, of the status word at `fsw`.
void load_top(Assembler& a, const Mem& fsw) {
  a.op(4, {.byte = 0xb7, .map = Opcode::Map0f}, host::kRcx, fsw);  // MOVZX
  a.shift_imm(4, kShr, unsigned{host::kRcx}, 7);
  a.alu_imm(4, kAnd, unsigned{host::kRcx}, 0x70);
}
void next_register(Assembler& a) {
  a.alu_imm(4, kAdd, unsigned{host::kRcx}, 16);
  a.alu_imm(4, kAnd, unsigned{host::kRcx}, 0x70);
}

void load_x87(Assembler& a, const StateLayout& state) {
  for (const unsigned reg : {host::kRax, host::kRcx, host::kRdx}) push(a, reg);
  a.load(4, host::kRax, state.fcw);  // and the status word
  a.store(4, state.x87_image(0), host::kRax);
  a.load(1, host::kRax, state.fxtag);
  a.store(1, state.x87_image(4), host::kRax);
  load_top(a, state.fsw);
  for (unsigned n = 0; n < 8; ++n) {
    if (n != 0) next_register(a);
    a.load(8, host::kRdx, state.x87_register(0, host::kRcx));
    a.store(8, state.x87_image(kImageSt + 16 * n), host::kRdx);
    a.load(2, host::kRdx, state.x87_register(8, host::kRcx));
    a.store(2, state.x87_image(kImageSt + 16 * n + 8), host::kRdx);
  }
  a.mov_imm(host::kRax, 1);
  a.store(8, state.x87_image(kImageXstate), host::kRax);
  a.alu(4, kXor, host::kRdx, unsigned{host::kRdx});
  state_operation(a, 5, state.x87_image(0));  // XRSTOR64
  for (const unsigned reg : {host::kRdx, host::kRcx, host::kRax}) pop(a, reg);
}

// FIP, FDP and FOP of the image are the host's.
void spill_x87(Assembler& a, const StateLayout& state) {
  state_operation(a, 0, state.x87_image(0));  // FXSAVE64
  a.load(4, host::kRax, state.x87_image(0));
  a.store(4, state.fcw, host::kRax);
  a.load(1, host::kRax, state.x87_image(4));
  a.store(1, state.fxtag, host::kRax);
  load_top(a, state.x87_image(2));
  for (unsigned n = 0; n < 8; ++n) {
    if (n != 0) next_register(a);
    a.load(8, host::kRdx, state.x87_image(kImageSt + 16 * n));
    a.store(8, state.x87_register(0, host::kRcx), host::kRdx);
    a.load(2, host::kRdx, state.x87_image(kImageSt + 16 * n + 8));
    a.store(2, state.x87_register(8, host::kRcx), host::kRdx);
  }
  a.bytes({0x0f, 0x77});                                      // EMMS
  a.op(4, {.byte = 0xd9, .digit = true}, 5, state.host_fcw);  // FLDCW
}

// ---- What the gates of fpu_gate.h ask, and that exceptions are masked: those that are not are the
// interpreter's. Each adds jumps where it is not so.

using Jumps = std::vector<u8*>;

/// Refused unless of the bits at `m` in `mask` just `wanted` are set.
void want_bits(Assembler& a, const Mem& m, u32 mask, u32 wanted, Jumps& refused) {
  a.load(4, kScratch1, m);
  a.alu_imm(4, kAnd, kScratch1, static_cast<i32>(mask));
  a.alu_imm(4, kCmp, kScratch1, static_cast<i32>(wanted));
  refused.push_back(a.jcc(kNotEqual));
}

void check_vectors(Assembler& a, const StateLayout& state, Jumps& refused) {
  constexpr u32 kFxsr = cr4::kOsfxsr, kXsave = cr4::kOsxsave;
  want_bits(a, state.cr4, kFxsr, kFxsr, refused);
  want_bits(a, state.mxcsr, kMasks, kMasks, refused);
  test_byte(a, kScratch0, kResidentAvx);
  u8* const no_avx = a.jcc(kEqual);
  want_bits(a, state.cr4, kXsave, kXsave, refused);
  want_bits(a, state.xcr0, interp::kXcr0Avx, interp::kXcr0Avx, refused);
  a.bind_here(no_avx);
}

void check_x87(Assembler& a, const StateLayout& state, Jumps& refused) {
  constexpr u32 kMasked = interp::kFswExceptions, kPending = interp::kFswEs;
  want_bits(a, state.fcw, kMasked | kPending << 16, kMasked, refused);
}

/// Loads by `load` what `bit` says, unless it is there, and notes it.
void load_once(Assembler& a, const StateLayout& state, u8 bit,
               void (*load)(Assembler&, const StateLayout&)) {
  test_byte(a, state.resident, bit);
  u8* const there = a.jcc(kNotEqual);
  load(a, state);
  a.bind_here(there);
}

void set_byte(Assembler& a, const Mem& m, u8 value) {
  a.op(1, {.byte = 0xc6, .digit = true}, 0, m);  // MOV
  a.imm(value, 1);
}

}  // namespace

void emit_spill_resident(Assembler& a, const StateLayout& state) {
  const bool whole = host_cpu().avx;
  a.alu_imm(1, kCmp, state.resident, 0);
  u8* const nothing = a.jcc(kEqual);
  test_byte(a, state.resident, kResidentSse);
  u8* const no_vectors = a.jcc(kEqual);
  for (unsigned reg = 0; reg < kVectors; ++reg) move_vector(a, state, reg, true, whole);
  if (whole) vzeroupper(a);
  mxcsr(a, 3, state.mxcsr);
  mxcsr(a, 2, state.host_mxcsr);
  a.bind_here(no_vectors);
  test_byte(a, state.resident, kResidentX87);
  u8* const no_x87 = a.jcc(kEqual);
  spill_x87(a, state);
  a.bind_here(no_x87);
  set_byte(a, state.resident, 0);
  a.bind_here(nothing);
}

void emit_load_resident(Assembler& a, const StateLayout& state) {
  Jumps refused;
  want_bits(a, state.cr0, static_cast<u32>(cr0::kEm | cr0::kTs), 0, refused);
  test_byte(a, kScratch0, kResidentSse);
  u8* const vectors_unwanted = a.jcc(kEqual);
  check_vectors(a, state, refused);
  a.bind_here(vectors_unwanted);
  test_byte(a, kScratch0, kResidentX87);
  u8* const x87_unwanted = a.jcc(kEqual);
  check_x87(a, state, refused);
  load_once(a, state, kResidentX87, &load_x87);
  a.bind_here(x87_unwanted);
  test_byte(a, kScratch0, kResidentSse);
  u8* const no_vectors = a.jcc(kEqual);
  load_once(a, state, kResidentSse, &load_vectors);
  a.bind_here(no_vectors);
  a.op(1, {.byte = 0x08}, kScratch0, state.resident);  // OR: clears carry
  a.byte(0xc3);
  for (u8* const each : refused) a.bind_here(each);
  set_byte(a, state.refused, 1);
  a.bytes({0xf9, 0xc3});  // STC; RET
}

}  // namespace rhea::x86::translating
