// SPDX-License-Identifier: GPL-2.0-or-later
// Executing the guest: block by block, one instruction at a time where more than the instruction
// counts.
#include "accel/jit/run_loop.h"

#include "accel/jit/turns.h"
#include "accel/jit/vcpu.h"
#include "accel/jit/vm.h"
#include "rhea/util/log.h"
#include "target/x86/comparing.h"
#include "target/x86/interp/step.h"
#include "target/x86/paging.h"
#include "target/x86/system/debug.h"
#include "target/x86/system/events.h"
#include "target/x86/system/log.h"

#include <utility>

namespace rhea::jit {

namespace {

constexpr u32 kEachBlock = static_cast<u32>(LogItem::Exec) | static_cast<u32>(LogItem::Cpu);
constexpr u32 kInAsm = static_cast<u32>(LogItem::InAsm);
constexpr u32 kOutAsm = static_cast<u32>(LogItem::OutAsm);

}  // namespace

bool shows_code() {
  return (log_mask.load(std::memory_order_relaxed) & (kEachBlock | kInAsm)) != 0;
}

// Who wants to see host code wants to have it made; the guest's is seen when it is first run.
bool logs_code() {
  const u32 items = log_mask.load(std::memory_order_relaxed);
  return (items & kEachBlock) != 0 || (items & (kInAsm | kOutAsm)) == kInAsm;
}

namespace {

using x86::Activity;
using x86::Attention;
using x86::DebugStop;
using x86::Insn;

constexpr u64 kOffset = kPageSize - 1;

}  // namespace

void JitVcpu::run() {
  enter();
  for (Next next = Next::GoOn; next == Next::GoOn;) {
    try {
      next = execute();
    } catch (const x86::Fault& thrown) {
      next = fault(thrown);
    }
  }
  guard_.reset();
}

JitVcpu::Next JitVcpu::fault(const x86::Fault& thrown) {
  last_block_ = nullptr;
  // Or time would stand still for a guest that does nothing but fault.
  if (turns_ != nullptr) turns_->count();
  cpu_.stopped.reset();  // nothing of the instruction has happened
  x86::deliver_step_fault(cpu_, thrown);
  return stepping() ? stop(DebugStop{}) : Next::GoOn;
}

// For the debugger.
JitVcpu::Next JitVcpu::stop(const DebugStop& why) {
  cpu_.stopped.reset();
  debug_stop_ = why;
  vm_->machine().request_pause(RunState::Debug);
  return Next::Leave;
}

JitVcpu::Next JitVcpu::execute() {
  for (;;) {
    // Whatever way it goes on, and be it from fault to fault: others wait for the guard.
    if (++rounds_ > pause_at_) [[unlikely]] {
      if (leave_at_pause_) return Next::Leave;
      rounds_ = 0;
      const Outside outside(*this);
    }
    if (cpu_.stopped) [[unlikely]]
      return stop(DebugStop(*cpu_.stopped));
    if (turns_ != nullptr && !turns_->take(*this)) [[unlikely]] {
      cpu_.clear_attention(Attention::Exit);
      return Next::Leave;
    }
    if (cpu_.attention.load(std::memory_order_relaxed) != 0 || cpu_.activity != Activity::Running)
        [[unlikely]] {
      const u64 before = cpu_.rip();
      if (attend() == Next::Leave) return Next::Leave;
      if (cpu_.activity != Activity::Running) continue;
      // A debugger that steps sees where an event leads.
      if (stepping() && cpu_.rip() != before) return stop(DebugStop{});
      if (x86::comparing::is(x86::comparing::one_by_one) ||
          cpu_.attention.load(std::memory_order_relaxed) != 0)
        continue;
    }
    if (held_ != 0 && can_take(held_)) [[unlikely]] {
      release_held();
      continue;
    }
    u64 budget = 0;
    if (turns_ != nullptr) [[unlikely]] {
      budget = turns_->begin(*this);
      if (budget == 0) continue;
    }
    if (cpu_.stop_pages != 0 && x86::stops_near(cpu_, x86::linear_rip(cpu_))) [[unlikely]] {
      if (execute_watched(budget) == Next::Leave) return Next::Leave;
      continue;
    }
    if (careful()) [[unlikely]] {
      step();
      if (stepping()) return stop(cpu_.stopped.value_or(DebugStop{}));
      continue;
    }
    const auto found = look_up();
    if (!found) [[unlikely]] {
      if (fault(found.error()) == Next::Leave) return Next::Leave;
      continue;
    }
    Block* const block = last_block_ = *found;
    if (block == nullptr) [[unlikely]] {
      step_across();
      continue;
    }
    if (shows_code()) [[unlikely]]
      log(*block);
    if (turns_ != nullptr) [[unlikely]]
      run_singly(*block, budget);
    else if (!is_translated(*block))
      run_block(*block);
    else if ((verifier_ ? run_verified(*block) : run_translated(*block)) == Next::Leave)
      return Next::Leave;
  }
}

// The next block, or instruction, on a page with breakpoints, the guest's or a debugger's.
JitVcpu::Next JitVcpu::execute_watched(u64 budget) {
  const u64 linear = x86::linear_rip(cpu_);
  if (!stepping() && x86::debugger_stops_before(cpu_, linear))
    return stop({.why = DebugStop::Why::Code, .address = linear});
  Block* const block = careful() || x86::due_breakpoint(cpu_, linear) != 0
                           ? nullptr
                           : x86::value_or_throw(look_up());
  last_block_ = block;
  if (block == nullptr) {
    step();
  } else {
    if (shows_code()) log(*block);
    if (turns_ != nullptr || x86::stops_within(cpu_, linear + 1, linear + block->bytes - 1))
      run_singly(*block, budget);
    else
      run_block(*block);
  }
  return stepping() ? stop(cpu_.stopped.value_or(DebugStop{})) : Next::GoOn;
}

// Up to a breakpoint, and to the moment at which a timer fires or another processor has its turn,
// exactly.
void JitVcpu::run_singly(const Block& block, u64 budget) {
  cpu_.leave_block = false;
  for (const Insn& insn : block.insns) {
    if (&insn != block.insns.data() && x86::stops_before(cpu_, x86::linear_rip(cpu_))) break;
    cpu_.insn_rip = cpu_.rip();
    cpu_.set_rip((cpu_.rip() + insn.length) & cpu_.rip_mask);
    insn.exec(cpu_, insn);
    if (turns_ != nullptr) {
      turns_->count();
      --budget;
    }
    if (cpu_.leave_block || (turns_ != nullptr && budget == 0)) break;
  }
  end_block();
}

// What comes behind the last instruction of a block.
void JitVcpu::end_block() {
  cpu_.shadow = cpu_.shadow_next;
  cpu_.shadow_next = false;
  if (cpu_.pending_db != 0 && !(cpu_.shadow && cpu_.traps_held)) [[unlikely]]
    x86::deliver_debug_traps(cpu_);
}

// What -d asks for of a block.
void JitVcpu::log(Block& block) {
  if (log_enabled(LogItem::InAsm) && !std::exchange(block.logged, true))
    x86::log_code(cpu_, block.code_bytes, x86::linear_rip(cpu_));
  x86::log_block(cpu_, index_, &block);
}

void JitVcpu::run_block(const Block& block) {
  const Insn* insn = block.insns.data();
  const Insn* const end = insn + block.insns.size();
  cpu_.leave_block = false;
  do {
    const u64 rip = cpu_.rip();
    cpu_.insn_rip = rip;
    cpu_.set_rip((rip + insn->length) & cpu_.rip_mask);
    insn->exec(cpu_, *insn);
  } while (++insn != end && !cpu_.leave_block);
  end_block();
}

// The block at RIP. Null where the instruction there cannot be had from one page of memory, or the
// code segment ends within the block.
x86::OrFault<Block*> JitVcpu::look_up() {
  const CodeMode mode = code_mode();
  const u64 linear = x86::linear_rip(cpu_);
  Block* block = cache_.find(last_block_, linear, mode, found_everywhere_);
  if (block == nullptr) [[unlikely]] {
    const auto found = find_code(linear, mode);
    if (!found || *found == nullptr) return found;
    block = *found;
  }
  if (!cpu_.long_mode() && cpu_.rip() + block->bytes - 1 > cpu_.seg[x86::Cs].limit) [[unlikely]]
    return nullptr;
  return block;
}

// By way of the page tables, and decoding where nobody has been yet.
x86::OrFault<Block*> JitVcpu::find_code(u64 linear, const CodeMode& mode) {
  cpu_.insn_rip = cpu_.rip();
  if (!cpu_.long_mode() && cpu_.rip() > cpu_.seg[x86::Cs].limit)
    return x86::Unexpected({.vector = x86::Vector::Gp, .has_error = true});
  if (cache_.full() || (vm_->code_memory().over() && !vm_->make_room(*this))) forget_code();
  forget_hidden_code();
  const auto found = watched_page(linear, mode);
  if (!found) return x86::Unexpected(found.error());
  FetchPage* const fetch = *found;
  if (fetch == nullptr) return nullptr;
  Block* block =
      cache_.block(*fetch->blocks, fetch->code.host, static_cast<unsigned>(linear & kOffset), mode);
  if (block == nullptr) {
    const auto crossing = find_crossing(linear, mode, *fetch);
    if (!crossing) return crossing;
    block = *crossing;
  }
  if (block != nullptr) cache_.remember(last_block_, linear, mode, fetch->epoch, *block);
  found_everywhere_ = fetch->epoch == cpu_.tlb.epochs().global;
  return block;
}

x86::OrFault<JitVcpu::FetchPage*> JitVcpu::watched_page(u64 linear, const CodeMode& mode) {
  const auto found = fetch_page(linear, mode);
  if (!found) return found;
  FetchPage* const fetch = *found;
  if (fetch == nullptr || fetch->blocks->code->guarded()) return fetch;
  const auto keep = fetch->code.pages->shared_from_this();
  watch(*fetch->blocks->code, fetch->code.host);
  // Letting others see the new watch may have changed the map, and this page with it.
  return is_current(*fetch) && !cpu_.wants(Attention::FlushTlb) ? fetch : nullptr;
}

// The instruction begins on the first page. Where the longest there is might leave the code
// segment, or wrap, it is fetched byte by byte instead.
x86::OrFault<Block*> JitVcpu::find_crossing(u64 linear, const CodeMode& mode,
                                            const FetchPage& first) {
  const u64 offset = linear & kOffset, last = linear + x86::kLongestInsn - 1;
  if (offset <= kPageSize - x86::kLongestInsn) return nullptr;
  if (cpu_.long_mode()
          ? !cpu_.canonical(last)
          : last > 0xffff'ffff || cpu_.rip() + x86::kLongestInsn - 1 > cpu_.seg[x86::Cs].limit)
    return nullptr;
  // The second page is not looked at for others: that may be seen.
  if (!cache_.runs_over(first.code.host, static_cast<unsigned>(offset), mode)) return nullptr;
  const u64 drops = cache_.drops();
  const auto found = watched_page(linear - offset + kPageSize, mode);
  if (!found) return x86::Unexpected(found.error());
  const FetchPage* const second = *found;
  // Both are valid as long as each is only where they are so in the same address spaces.
  if (second == nullptr || cache_.drops() != drops || !is_current(first) ||
      first.epoch != second->epoch)
    return nullptr;
  return cache_.crossing({first.blocks, first.code.host}, {second->blocks, second->code.host},
                         static_cast<unsigned>(offset), mode);
}

bool JitVcpu::is_current(const FetchPage& fetch) const {
  const x86::CodeEpochs& epochs = cpu_.tlb.epochs();
  return fetch.epoch == epochs.now || fetch.epoch == epochs.global;
}

// The page, if it has been looked up in this space.
JitVcpu::FetchPage* JitVcpu::known_page(u64 linear, const CodeMode& mode) {
  const u64 page = linear & ~kOffset;
  FetchPage& fetch = fetch_slot(page);
  return fetch.page == page && is_current(fetch) && fetch.user == mode.user() ? &fetch : nullptr;
}

// The page that code at a linear address is on; null: not on memory.
x86::OrFault<JitVcpu::FetchPage*> JitVcpu::fetch_page(u64 linear, const CodeMode& mode) {
  if (FetchPage* const known = known_page(linear, mode)) return known;
  const u64 page = linear & ~kOffset;
  const auto to = x86::find_translation(cpu_, linear, x86::AccessKind::Fetch, cpu_.privilege);
  if (!to) return x86::Unexpected(to.error());
  const CoreBus::CodeAt code = bus_.code_at(to->physical);
  if (code.host == nullptr) return nullptr;
  const u64 drops = cache_.drops();
  PageBlocks& blocks = cache_.page(code.host, *code.pages, code.offset);
  if (cache_.drops() != drops) forget_found();
  FetchPage& fetch = fetch_slot(page);
  fetch = {.page = page,
           .epoch = to->global ? cpu_.tlb.epochs().global : cpu_.code_epoch(),
           .user = mode.user(),
           .code = code,
           .blocks = &blocks};
  return &fetch;
}

// What leads to code that has gone.
void JitVcpu::forget_found() {
  last_block_ = nullptr;
  fetch_pages_.fill({});
}

void JitVcpu::forget_code() {
  cache_.clear();
  departure_ = {};
  forget_found();
}

// A memory that went, and took CodePages with it, has changed the epochs with the TLB flush that
// every change of the map brings: the first block behind it is looked for here.
void JitVcpu::forget_hidden_code() {
  const u64 changes = vm_->code().changes();
  if (changes == seen_code_changes_) return;
  seen_code_changes_ = changes;
  if (translations_) return forget_code();
  cache_.forget([this](u64 id) { return vm_->code().known(id); });
  forget_found();
}

// Nobody may have a way to write the page past CodePage::stored.
void JitVcpu::watch(CodePage& page, const u8* host) {
  page.watch([this, host] {
    cpu_.tlb.drop_writes_to(host);
    if (vm_->vcpus().size() == 1) return;
    const Outside outside(*this);
    vm_->drop_writes_of_others(this);
  });
}

}  // namespace rhea::jit
