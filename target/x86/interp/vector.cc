// SPDX-License-Identifier: GPL-2.0-or-later
// Vector instructions (MMX, SSE, AVX): executed by the host's own.
#include "target/x86/interp/vector.h"

#include "target/x86/interp/simd_trap.h"
#include "target/x86/interp/vector_operand.h"
#include "target/x86/interp/vector_special.h"

#include <immintrin.h>

namespace rhea::x86::interp {
namespace {

constexpr u32 kMxcsrFlags = 0x3f, kMxcsrMasks = 0x1f80;

/// What a thunk works on. The memory operand comes from here and goes here, whatever happens to
/// the guest's memory is done through Cpu.
struct Frame {
  alignas(32) Bytes<32> memory;
  std::array<void*, kPlaces> place;
};

void* address_of(Cpu& cpu, Bank bank, unsigned reg) {
  switch (bank) {
    case Bank::Vector: return cpu.ymm[reg & 15].bytes();
    case Bank::Mmx: return &cpu.x87.reg[reg & 7].significand;
    case Bank::Gpr: return &cpu.gpr[reg & 15];
    case Bank::None: break;
  }
  return nullptr;
}

void place_registers(Cpu& cpu, const Insn& insn, const NativeForm& form, Frame& frame) {
  for (unsigned n = 0; n < kPlaces; ++n)
    if (form.bank[n] != Bank::None)
      frame.place[n] = address_of(cpu, form.bank[n], insn.op[form.operand[n]].reg);
  if (form.bank[static_cast<unsigned>(Place::Is4)] == Bank::None)
    frame.place[static_cast<unsigned>(Place::Is4)] = cpu.ymm[0].bytes();
}

u64 call(Cpu& cpu, const NativeForm& form, Frame& frame) {
  return form.code(frame.memory.data(), frame.place[0], frame.place[1], frame.place[2],
                   frame.place[3], cpu.gpr.data());
}

/// With the guest's MXCSR, in which everything is masked, but no flag set; returns those raised.
u32 call_masked(Cpu& cpu, const NativeForm& form, Frame& frame, u64& flags) {
  const u32 control = cpu.mxcsr & ~kMxcsrFlags;
  _mm_setcsr(control);
  flags = call(cpu, form, frame);
  const u32 raised = _mm_getcsr() & kMxcsrFlags;
  if (control != kMxcsrReset) _mm_setcsr(kMxcsrReset);
  return raised;
}

/// An exception is unmasked: the flags it leaves in MXCSR stay, whether it happens or not.
u64 call_unmasked(Cpu& cpu, const NativeForm& form, Frame& frame) {
  struct Call {
    Cpu& cpu;
    const NativeForm& form;
    Frame& frame;
    u64 flags;
  } call_it{cpu, form, frame, 0};
  const bool completed = run_unmasked(
      cpu.mxcsr,
      [](void* argument) {
        auto& c = *static_cast<Call*>(argument);
        c.flags = call(c.cpu, c.form, c.frame);
      },
      &call_it);
  if (!completed) raise((cpu.cr4 & cr4::kOsxmmexcpt) != 0 ? Vector::Xm : Vector::Ud);
  return call_it.flags;
}

void finish_mmx(Cpu& cpu, const Insn& insn) {
  for (const Operand& operand : insn.op)
    if (operand.kind == OperandKind::Mmx) enter_mmx(cpu);
  if (insn.op[0].kind == OperandKind::Mmx) cpu.x87.reg[insn.op[0].reg & 7].sign_exponent = 0xffff;
}

/// `kFloat`: MXCSR counts; `kMemory`: has a memory operand; `kRare`: MMX registers or flags.
template <bool kFloat, bool kMemory, bool kRare>
void run(Cpu& cpu, const Insn& insn) {
  const NativeForm& form = *insn.native;
  check_gate(cpu, form.gate);
  Frame frame;
  u64 offset = 0;
  unsigned size = 0;
  if constexpr (kMemory) {
    offset = cpu.effective_address(insn);
    size = insn.op[form.memory_operand].size;
    if (form.alignment > 1) check_alignment(cpu, insn, offset, form.alignment);
    if (!form.store) load_operand(cpu, insn, offset, size, frame.memory.data());
  }
  place_registers(cpu, insn, form, frame);
  u64 flags;
  u32 raised = 0;
  if constexpr (!kFloat)
    flags = call(cpu, form, frame);
  else if ((cpu.mxcsr & kMxcsrMasks) == kMxcsrMasks) [[likely]]
    raised = call_masked(cpu, form, frame, flags);
  else
    flags = call_unmasked(cpu, form, frame);
  if constexpr (kMemory)
    if (form.store) store_operand(cpu, insn, offset, size, frame.memory.data());
  if constexpr (kFloat) cpu.mxcsr |= raised;
  if constexpr (kRare) {
    if (form.sets_flags) cpu.flags.set_value(flags);
    if (form.gate == Gate::Mmx || form.gate == Gate::SseMmx) finish_mmx(cpu, insn);
  }
}

template <bool kFloat, bool kMemory>
Execute pick(bool rare) {
  return rare ? &run<kFloat, kMemory, true> : &run<kFloat, kMemory, false>;
}

}  // namespace

Execute bind_vector(Insn& insn) {
  if (const Execute special = bind_special_vector(insn)) return special;
  insn.native = native_form(insn);
  if (insn.native == nullptr) return nullptr;
  const NativeForm& form = *insn.native;
  const bool rare = form.sets_flags || form.gate == Gate::Mmx || form.gate == Gate::SseMmx;
  const bool memory = form.memory_operand != NativeForm::kNoOperand;
  if (form.floating_point) return memory ? pick<true, true>(rare) : pick<true, false>(rare);
  return memory ? pick<false, true>(rare) : pick<false, false>(rare);
}

}  // namespace rhea::x86::interp
