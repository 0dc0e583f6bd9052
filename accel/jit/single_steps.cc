// SPDX-License-Identifier: GPL-2.0-or-later
// One instruction at a time, without decoding it each time.
#include "accel/jit/run_loop.h"
#include "accel/jit/turns.h"
#include "accel/jit/vcpu.h"
#include "target/x86/interp/step.h"
#include "target/x86/system/log.h"

namespace rhea::jit {

// From wherever it is, and whatever must be looked at before and behind it.
void JitVcpu::step() {
  if (shows_code()) [[unlikely]]
    x86::log_block(cpu_, index_, nullptr);
  const Block* const block =
      cpu_.stop_pages == 0 && cpu_.pending_db == 0 ? x86::value_or_throw(look_up()) : nullptr;
  if (block != nullptr) {
    cpu_.insn_rip = cpu_.rip();
    x86::execute_alone(cpu_, block->insns.front());
  } else {
    x86::step(cpu_);
  }
  if (turns_ != nullptr) turns_->count();
}

// One of which there is no block.
void JitVcpu::step_across() {
  if (shows_code()) [[unlikely]]
    x86::log_block(cpu_, index_, nullptr);
  x86::step(cpu_);
  if (turns_ != nullptr) turns_->count();
}

}  // namespace rhea::jit
