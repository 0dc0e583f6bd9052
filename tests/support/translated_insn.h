// SPDX-License-Identifier: GPL-2.0-or-later
// Executes single decoded instructions as host code, on a processor without a run loop.
#pragma once

#include "accel/jit/code_buffer.h"
#include "target/x86/translate/runtime.h"

#include <optional>

namespace rhea::test {

class TranslatedInsn {
 public:
  explicit TranslatedInsn(x86::Cpu& cpu);

  /// The fault, after which RIP means nothing. What the run loop would not translate, and what the
  /// code refuses since the processor's state forbids it, is interpreted.
  std::optional<x86::Fault> run(const x86::Insn& insn);

 private:
  static u64 call(void* owner, const void* const* header, u32 record);
  std::optional<x86::Fault> interpret(const x86::Insn& insn);
  void leave(const x86::translating::Left& left);

  x86::Cpu* cpu_;
  jit::CodeMemory memory_;
  jit::CodeBuffer buffer_;
  x86::translating::StateLayout layout_;
  x86::translating::Runtime runtime_;
  x86::translating::Enter enter_{};
  std::size_t kept_{};  ///< bytes of the buffer that stay
  x86::translating::Translator::Result made_;
  x86::JumpTable jumps_;  ///< empty: what looks there is called
  const x86::Insn* insn_{};
  std::optional<x86::Fault> fault_;
};

}  // namespace rhea::test
