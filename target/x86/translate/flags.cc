// SPDX-License-Identifier: GPL-2.0-or-later
// The status flags between the host's and memory.
#include "target/x86/translate/translator.h"

namespace rhea::x86::translating {

// LAHF and SETO into AX, which comes back.
void Translator::flags_to_memory() {
  if (in_memory_) return;
  in_memory_ = true;
  a.mov(kScratch0, host::kRax);
  a.byte(0x9f);                                                                 // LAHF
  a.op(1, {.byte = 0x90, .map = Opcode::Map0f, .digit = true}, 0, host::kRax);  // SETO AL
  a.store(2, state.flags, host::kRax);
  a.mov(host::kRax, kScratch0);
}

// Adding 0x7f overflows if OF was set; SAHF leaves it.
void Translator::flags_to_host() {
  if (in_host_) return;
  in_host_ = true;
  a.mov(kScratch0, host::kRax);
  a.op(4, {.byte = 0xb7, .map = Opcode::Map0f}, host::kRax, state.flags);  // MOVZX
  a.alu_imm(1, kAdd, host::kRax, 0x7f);
  a.byte(0x9e);  // SAHF
  a.mov(host::kRax, kScratch0);
}

}  // namespace rhea::x86::translating
