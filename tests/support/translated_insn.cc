// SPDX-License-Identifier: GPL-2.0-or-later
// Single instructions as host code.
#include "tests/support/translated_insn.h"

#include "accel/jit/code_mode.h"
#include "rhea/util/error.h"

#include <utility>

namespace rhea::test {

using x86::Translated;
using x86::translating::Assembler;

TranslatedInsn::TranslatedInsn(x86::Cpu& cpu)
    : cpu_(&cpu), buffer_(4 * MiB, memory_), layout_(cpu) {
  RHEA_ASSERT(static_cast<bool>(buffer_));
  Assembler a(buffer_.room());
  const auto code = x86::translating::emit_runtime(a, layout_);
  runtime_ = code.runtime;
  enter_ = reinterpret_cast<x86::translating::Enter>(buffer_.executable(code.enter));
  kept_ = a.offset();
  buffer_.take(kept_);
  cpu.translated.call = reinterpret_cast<const void*>(&call);
  cpu.translated.owner = this;
}

std::optional<x86::Fault> TranslatedInsn::interpret(const x86::Insn& insn) {
  cpu_->set_rip((cpu_->rip() + insn.length) & cpu_->rip_mask);
  try {
    insn.exec(*cpu_, insn);
  } catch (const x86::Fault& thrown) {
    return thrown;
  }
  return std::nullopt;
}

std::optional<x86::Fault> TranslatedInsn::run(const x86::Insn& insn) {
  x86::Cpu& cpu = *cpu_;
  insn_ = &insn;
  fault_.reset();
  cpu.insn_rip = cpu.rip();
  if (!jit::page_is_whole(cpu)) return interpret(insn);
  if (buffer_.room().size() < 64 * KiB) buffer_.drop(kept_);
  const auto offset = static_cast<unsigned>(x86::linear_rip(cpu) % kPageSize);
  x86::translating::Translator translator(buffer_.room(), layout_, runtime_, nullptr);
  RHEA_ASSERT(translator.run({&insn, 1}, offset, jit::block_mode(jit::code_mode(cpu)), made_));
  // The quick entry of one that ends on another page looks that up.
  const u32 where = offset + insn.length > kPageSize ? made_.entry : made_.quick_entry;
  const u8* const entry = buffer_.executable(buffer_.room().data() + where);
  buffer_.take((made_.size + 15) / 16 * 16);
  Translated& state = cpu.translated;
  state.jumps = &jumps_;
  state.page_rip = jit::page_rip(cpu);
  state.flags = Translated::saved_flags(cpu.flags.value());
  state.budget = 1;
  leave(enter_(x86::translating::state_of(cpu), entry));
  return std::exchange(state.refused, false) ? interpret(insn) : fault_;
}

void TranslatedInsn::leave(const x86::translating::Left& left) {
  x86::Cpu& cpu = *cpu_;
  cpu.flags.set_value(Translated::eflags(cpu.translated.flags));
  if (left.header == nullptr) return;
  i64 offset = static_cast<i32>(left.where);
  if (x86::translating::is_by_site(left.where))
    offset = made_.sites[static_cast<u32>(left.where)].target;
  cpu.set_rip((cpu.translated.page_rip + static_cast<u64>(offset)) & cpu.rip_mask);
}

// Called by translated code.
u64 TranslatedInsn::call(void* owner, const void* const*, u32 record) {
  auto& self = *static_cast<TranslatedInsn*>(owner);
  x86::Cpu& cpu = *self.cpu_;
  const unsigned offset = x86::translating::Record(record).offset();
  cpu.flags.set_value(Translated::eflags(cpu.translated.flags));
  cpu.insn_rip = (cpu.translated.page_rip + offset) & cpu.rip_mask;
  cpu.set_rip(cpu.insn_rip);
  self.fault_ = self.interpret(*self.insn_);
  cpu.translated.flags = Translated::saved_flags(cpu.flags.value());
  // Left behind the instruction in any case: RIP is where it has put it.
  return x86::translating::kLeave;
}

}  // namespace rhea::test
