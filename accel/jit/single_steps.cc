// SPDX-License-Identifier: GPL-2.0-or-later
// One instruction at a time, without decoding it each time.
#include "accel/jit/run_loop.h"
#include "accel/jit/turns.h"
#include "accel/jit/vcpu.h"
#include "target/x86/interp/step.h"
#include "target/x86/system/log.h"

#include <algorithm>
#include <cstring>

namespace rhea::jit {
namespace {

constexpr u64 kOffset = kPageSize - 1;

/// Whether the longest instruction neither leaves the code segment nor wraps.
bool fits(const x86::Cpu& cpu) {
  constexpr u64 more = x86::kLongestInsn - 1;
  return cpu.long_mode() ||
         (cpu.rip() + more <= std::min<u64>(cpu.seg[x86::Cs].limit, 0xffff'ffff) &&
          x86::linear_rip(cpu) + more <= 0xffff'ffff);
}

}  // namespace

// From wherever it is, and whatever must be looked at before and behind it.
void JitVcpu::step() {
  if (logs_code()) [[unlikely]]
    x86::log_block(cpu_, index_, nullptr);
  const Block* const block = cpu_.stop_pages == 0 && cpu_.pending_db == 0 ? look_up() : nullptr;
  if (block != nullptr) {
    cpu_.insn_rip = cpu_.rip();
    x86::execute_alone(cpu_, block->insns.front());
  } else {
    x86::step(cpu_);
  }
  if (turns_ != nullptr) turns_->count();
}

// One of which there is no block, perhaps because it lies on two pages.
void JitVcpu::step_across() {
  if (logs_code()) [[unlikely]]
    x86::log_block(cpu_, index_, nullptr);
  x86::Fetched fetched;
  x86::fetch(cpu_, fetched);
  const u64 linear = x86::linear_rip(cpu_);
  if ((linear & kOffset) + fetched.count > kPageSize)
    crossing_at(linear) = {.linear = linear,
                           .mode_key = code_mode().key(),
                           .count = static_cast<u8>(fetched.count),
                           .bytes = fetched.bytes,
                           .insn = fetched.insn};
  x86::execute_alone(cpu_, fetched.insn);
  if (turns_ != nullptr) turns_->count();
}

bool JitVcpu::step_known_crossing() {
  const u64 linear = x86::linear_rip(cpu_);
  const Crossing& known = crossing_at(linear);
  const CodeMode mode = code_mode();
  cpu_.insn_rip = cpu_.rip();
  if (known.linear != linear || known.count == 0 || known.mode_key != mode.key() ||
      cpu_.stop_pages != 0 || !fits(cpu_) || !lies_in_memory(known, mode))
    return false;
  if (logs_code()) [[unlikely]]
    x86::log_block(cpu_, index_, nullptr);
  x86::execute_alone(cpu_, known.insn);
  if (turns_ != nullptr) turns_->count();
  return true;
}

// As fetching it does, this may end in a fault.
bool JitVcpu::lies_in_memory(const Crossing& known, const CodeMode& mode) {
  const u64 offset = known.linear & kOffset, first = kPageSize - offset;
  const FetchPage* page = fetch_page(known.linear, mode);
  if (page == nullptr || std::memcmp(page->code.host + offset, known.bytes.data(), first) != 0)
    return false;
  page = fetch_page(known.linear + first, mode);
  return page != nullptr &&
         std::memcmp(page->code.host, known.bytes.data() + first, known.count - first) == 0;
}

}  // namespace rhea::jit
