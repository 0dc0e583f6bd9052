// SPDX-License-Identifier: GPL-2.0-or-later
// Vector instructions (MMX, SSE, AVX): executed by the host's own.
#include "target/x86/interp/vector.h"

#include "target/x86/interp/simd_trap.h"
#include "target/x86/interp/vector_operand.h"
#include "target/x86/interp/vector_special.h"

#include <immintrin.h>

#include <algorithm>

namespace rhea::x86::interp {
namespace {

constexpr u32 kMxcsrFlags = 0x3f, kMxcsrMasks = 0x1f80;

/// What a thunk works on. The memory operand comes from here and goes here, whatever happens to
/// the guest's memory is done through Cpu.
struct Frame {
  alignas(32) Bytes<32> memory;
  std::array<void*, kPlaces> place;
};

void place_registers(Cpu& cpu, const Insn& insn, const NativeForm& form, Frame& frame) {
  // By Bank.
  const std::array<void*, 4> first{cpu.ymm.data(), cpu.ymm.data(), cpu.x87.reg.data(),
                                   cpu.gpr.data()};
  constexpr std::array<u8, 4> kShift{5, 5, 4, 3}, kMask{0, 15, 7, 15};
  for (unsigned n = 0; n < kPlaces; ++n) {
    const auto bank = static_cast<unsigned>(form.bank[n]);
    const unsigned reg = insn.op[form.operand[n] & 3].reg & kMask[bank];
    frame.place[n] = static_cast<u8*>(first[bank]) + (reg << kShift[bank]);
  }
}

/// The same where all registers are vectors. At a place that is empty it does not matter which.
void place_vectors(Cpu& cpu, const Insn& insn, const NativeForm& form, Frame& frame) {
  for (unsigned n = 0; n < kPlaces - 1; ++n)
    frame.place[n] = cpu.ymm[insn.op[form.operand[n] & 3].reg & 15].bytes();
  const u8 last = form.operand[kPlaces - 1];
  frame.place[kPlaces - 1] =
      cpu.ymm[last == NativeForm::kNoOperand ? 0 : insn.op[last].reg & 15].bytes();
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

/// What a form needs beside loads, the thunk and stores.
enum class Needs : u8 {
  Sse,   ///< nothing: vector registers alone
  Avx,   ///< likewise
  More,  ///< general or MMX registers, flags
};

template <Needs kNeeds>
void prepare(Cpu& cpu, const Insn& insn, const NativeForm& form, Frame& frame) {
  if constexpr (kNeeds == Needs::More)
    place_registers(cpu, insn, form, frame);
  else
    place_vectors(cpu, insn, form, frame);
}

template <Needs kNeeds>
void check(Cpu& cpu, const NativeForm& form) {
  if constexpr (kNeeds == Needs::Sse)
    check_sse(cpu);
  else if constexpr (kNeeds == Needs::Avx)
    check_avx(cpu);
  else
    check_gate(cpu, form.gate);
}

/// `kFloat`: MXCSR counts; `kMemory`: has a memory operand.
template <bool kFloat, bool kMemory, Needs kNeeds>
void run(Cpu& cpu, const Insn& insn) {
  const NativeForm& form = *insn.native;
  check<kNeeds>(cpu, form);
  Frame frame;
  u64 offset = 0;
  unsigned size = 0;
  if constexpr (kMemory) {
    offset = cpu.effective_address(insn);
    size = insn.op[form.memory_operand].size;
    if (form.alignment > 1) check_alignment(cpu, insn, offset, form.alignment);
    if (!form.store) load_operand(cpu, insn, offset, size, frame.memory.data());
  }
  prepare<kNeeds>(cpu, insn, form, frame);
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
  if constexpr (kNeeds == Needs::More) {
    if (form.sets_flags) cpu.flags.set_value(flags);
    if (form.gate == Gate::Mmx || form.gate == Gate::SseMmx) finish_mmx(cpu, insn);
  }
}

template <bool kFloat, bool kMemory>
Execute pick(const NativeForm& form) {
  const bool vectors = std::ranges::all_of(
      form.bank, [](Bank bank) { return bank == Bank::None || bank == Bank::Vector; });
  if (!vectors || form.sets_flags) return &run<kFloat, kMemory, Needs::More>;
  return form.gate == Gate::Avx ? &run<kFloat, kMemory, Needs::Avx>
                                : &run<kFloat, kMemory, Needs::Sse>;
}

}  // namespace

Execute bind_vector(Insn& insn) {
  if (const Execute special = bind_special_vector(insn)) return special;
  insn.native = native_form(insn);
  if (insn.native == nullptr) return nullptr;
  const NativeForm& form = *insn.native;
  if (form.memory_operand != NativeForm::kNoOperand)
    return form.floating_point ? pick<true, true>(form) : pick<false, true>(form);
  return form.floating_point ? pick<true, false>(form) : pick<false, false>(form);
}

}  // namespace rhea::x86::interp
