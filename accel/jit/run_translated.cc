// SPDX-License-Identifier: GPL-2.0-or-later
// Executing translated blocks: from the run loop into them, and back.
#include "accel/jit/perf_map.h"
#include "accel/jit/run_loop.h"
#include "accel/jit/vcpu.h"
#include "accel/jit/vm.h"
#include "rhea/util/log.h"
#include "target/x86/comparing.h"
#include "target/x86/interp/step.h"
#include "target/x86/system/log.h"
#include "target/x86/translate/foresight.h"

#include <utility>

namespace rhea::jit {
namespace {

using x86::Attention;
using x86::Insn;

constexpr u64 kOffset = kPageSize - 1;
/// What is executed less often is interpreted.
constexpr unsigned kRunsBefore = 2;
/// Looks around in translated code before others may have the guard: tens of microseconds.
constexpr i32 kBudget = 20'000;

CodeSegment code_segment(const x86::Cpu& cpu, const CodeMode& mode) {
  if (mode.code_bits() == 64 || mode.segments().flat_code) return {};
  return {.base = cpu.seg[x86::Cs].base, .limit = cpu.seg[x86::Cs].limit};
}

}  // namespace

bool JitVcpu::is_unlinked() const {
  return verifier_ || (leave_at_pause_ && !x86::comparing::is(x86::comparing::linked));
}

// Whether the block, which lies at RIP, is to be executed as host code; translates it if so.
bool JitVcpu::is_translated(Block& block) {
  if (!translations_ || std::exchange(interpret_next_, false) || cpu_.stop_pages != 0 ||
      logs_code() || !page_is_whole(cpu_))
    return false;
  if (block.translation != nullptr) return true;
  if (!leave_at_pause_ && ++block.runs < kRunsBefore) return false;
  forget_stale_jumps();
  const auto offset = static_cast<unsigned>(x86::linear_rip(cpu_) & kOffset);
  const u64 evicted = translations_->counts().evicted;
  block.translation = translations_->translate(block, offset, block_mode(code_mode()));
  // The jump that led here may have been among those.
  if (translations_->counts().evicted != evicted) departure_ = {};
  if (block.translation != nullptr) show_translation(block);
  return block.translation != nullptr;
}

// For -d out_asm and -perfmap.
void JitVcpu::show_translation(const Block& block) const {
  PerfMap& map = vm_->perf_map();
  if (!log_enabled(LogItem::OutAsm) && !map) return;
  std::vector<u64> linear;
  u64 at = x86::linear_rip(cpu_);
  for (const Insn& insn : block.insns) {
    linear.push_back(at);
    at += insn.length;
  }
  const Translations::Made made = translations_->latest();
  const x86::HostCode code{.at = made.code,
                           .begin = made.result->call,
                           .end = made.result->size,
                           .starts = made.result->starts,
                           .linear = linear};
  if (log_enabled(LogItem::OutAsm)) x86::log_host_code(code);
  if (map) map.add(code);
}

// Looked at after every access to a device and every pause: only those show what devices have done.
void JitVcpu::look_for_devices_writes() {
  if (std::exchange(devices_may_have_written_, false)) translations_->shut_written();
}

void JitVcpu::hear_of_change(const CodePage& page) {
  const std::lock_guard lock(changes_mutex_);
  if (changed_pages_.size() <= kMostChanges) changed_pages_.push_back(&page);
  changed_.store(true, std::memory_order_release);
}

void JitVcpu::shut_changed_pages() {
  const std::lock_guard lock(changes_mutex_);
  changed_.store(false, std::memory_order_relaxed);
  if (changed_pages_.size() > kMostChanges)
    translations_->shut_all();
  else
    for (const CodePage* const page : changed_pages_) translations_->shut(*page);
  changed_pages_.clear();
}

// Jumps lead to blocks as long as those are what lies in memory.
void JitVcpu::forget_stale_jumps() {
  if (seen_clears_ != cache_.clears()) {
    seen_clears_ = cache_.clears();
    departure_ = {};
    translations_->clear();
  }
  look_for_devices_writes();
  if (changed_.load(std::memory_order_acquire)) shut_changed_pages();
}

// A jump that led out of a translated block came here: the next time it needs nobody.
void JitVcpu::follow_jump(const Block& block) {
  const u64 linear = x86::linear_rip(cpu_);
  const Departure from = std::exchange(departure_, {});
  if (from.jump == nullptr || from.page != (linear & ~kOffset) || from.epoch != cpu_.code_epoch() ||
      from.global_epoch != cpu_.tlb.epochs().global || from.mode_key != code_mode().key() ||
      from.jump->target != (linear & kOffset))
    return;
  translations_->link(*from.jump, *block.translation);
}

// What translated code finds its way by.
void JitVcpu::prepare_translated() {
  const CodeMode mode = code_mode();
  cpu_.translated.jumps = &translations_->jumps().of(mode.key(), mode.user(), cpu_.tlb.epochs(),
                                                     code_segment(cpu_, mode));
  cpu_.translated.page_rip = page_rip(cpu_);
  cpu_.leave_block = false;
  last_block_ = nullptr;
}

// Whether the processor goes on as usual, but for what others want of it.
bool JitVcpu::runs_on() const {
  return cpu_.activity == x86::Activity::Running && !cpu_.stopped && cpu_.pending_db == 0 &&
         cpu_.stop_pages == 0 && !careful() && !logs_code();
}

// Whether nothing wants the run loop behind an instruction that ends blocks.
bool JitVcpu::is_quiet() const {
  return cpu_.attention.load(std::memory_order_relaxed) == 0 && !cpu_.shadow_next && runs_on() &&
         (held_ == 0 || !can_take(held_));
}

// Behind STI: the next instruction, too, before anybody looks around.
void JitVcpu::step_in_shadow() {
  if (!cpu_.shadow_next || !runs_on() || turns_ != nullptr || is_unlinked()) return;
  end_block();
  last_block_ = nullptr;
  step();
  block_ended_ = true;
}

// Behind an instruction that ends blocks: where translated code goes on. Null: it is left.
const u8* JitVcpu::next_translated() {
  if (!is_quiet() || is_unlinked() || --cpu_.translated.budget < 0) return nullptr;
  forget_stale_jumps();
  prepare_translated();
  const u8* const entry = translations_->jumps().find(cpu_.rip());
  return entry != nullptr ? entry : known_translation();
}

// A new address space has nothing in its tables, but its code may be known from others.
const Block* JitVcpu::known_block(u64 linear, const CodeMode& mode, bool& everywhere) {
  if (Block* const found = cache_.find(nullptr, linear, mode, everywhere)) return found;
  const FetchPage* const fetch = known_page(linear, mode);
  if (fetch == nullptr) return nullptr;
  Block* const block = cache_.known(*fetch->blocks, static_cast<unsigned>(linear & kOffset), mode);
  if (block == nullptr) return nullptr;
  cache_.remember(nullptr, linear, mode, fetch->epoch, *block);
  everywhere = fetch->epoch == cpu_.tlb.epochs().global;
  return block;
}

// The table of RIP's forgets, and is small.
const u8* JitVcpu::known_translation() {
  bool everywhere = false;
  const CodeMode mode = code_mode();
  const Block* const block = known_block(x86::linear_rip(cpu_), mode, everywhere);
  if (block == nullptr || block->translation == nullptr || !page_is_whole(cpu_) ||
      (!cpu_.long_mode() && cpu_.rip() + block->bytes - 1 > cpu_.seg[x86::Cs].limit))
    return nullptr;
  translations_->revive(*block->translation);
  translations_->jumps().put(cpu_.rip(), block->translation->entry, everywhere);
  return block->translation->entry;
}

JitVcpu::Next JitVcpu::run_translated(const Block& block) {
  forget_stale_jumps();
  translations_->revive(*block.translation);
  auto& state = cpu_.translated;
  prepare_translated();
  if (!is_unlinked()) {
    follow_jump(block);
    translations_->jumps().put(cpu_.rip(), block.translation->entry, found_everywhere_);
  }
  state.flags = x86::Translated::saved_flags(cpu_.flags.value());
  state.budget = leave_at_pause_ ? static_cast<i32>(pause_at_) : kBudget;
  const i32 budget = state.budget;
  const x86::translating::Left left = translations_->enter(*block.translation);
  // Its page has been looked up, and marked: its first instruction is executed before anything else
  // may happen.
  const bool refused_at_once = state.refused && state.budget == budget - 1 &&
                               left.header != nullptr && *left.header == &block;
  const Next next = leave_translated(left);
  if (refused_at_once) {
    interpret_next_ = false;
    run_block(block);
  }
  return next;
}

// Nobody else may store in between: that would look like a difference.
JitVcpu::Next JitVcpu::run_verified(Block& block) {
  if (!Verifier::is_due(++block.runs)) return run_translated(block);
  if (vm_->vcpus().size() == 1) return compare(block);
  struct Comparison {
    JitVcpu& vcpu;
    Block& block;
    Next next{Next::GoOn};
  } comparison{.vcpu = *this, .block = block};
  cpu_.leave_block = false;
  const Outside outside(*this);
  vm_->exclusively(
      *this,
      [](void* opaque) {
        auto& [vcpu, code, next] = *static_cast<Comparison*>(opaque);
        // Or memory or the block is another by now: leave_block says so of the map.
        const bool as_it_was = vcpu.cpu_.attention.load(std::memory_order_relaxed) == 0 &&
                               !vcpu.cpu_.leave_block && code.current();
        if (as_it_was) next = vcpu.compare(code);
      },
      &comparison);
  return comparison.next;
}

JitVcpu::Next JitVcpu::compare(Block& block) {
  verifier_->begin(cpu_, block, block.runs);
  left_early_ = false;
  Next next = Next::GoOn;
  try {
    next = run_translated(block);
  } catch (const x86::Fault& thrown) {
    next = fault(thrown);
  }
  const std::string found = verifier_->finish(cpu_, left_early_);
  if (!found.empty()) log_write(found);
  return next;
}

JitVcpu::Next JitVcpu::leave_translated(const x86::translating::Left& left) {
  auto& state = cpu_.translated;
  cpu_.flags.set_value(x86::Translated::eflags(state.flags));
  interpret_next_ = std::exchange(state.refused, false);
  left_early_ = left.header != nullptr && x86::translating::is_early(left.where);
  if (left.header != nullptr) {
    i64 offset = static_cast<i32>(left.where);
    if (x86::translating::is_by_site(left.where)) {
      const auto& block = *static_cast<const Block*>(*left.header);
      DirectJump& jump = block.translation->jumps[static_cast<u32>(left.where)];
      offset = jump.target;
      departure_ = {.jump = &jump,
                    .page = 0,
                    .epoch = cpu_.code_epoch(),
                    .global_epoch = cpu_.tlb.epochs().global,
                    .mode_key = code_mode().key()};
    }
    cpu_.set_rip((state.page_rip + static_cast<u64>(offset)) & cpu_.rip_mask);
    departure_.page = x86::linear_rip(cpu_) & ~kOffset;
  }
  if (state.budget < 0) rounds_ = pause_at_;
  if (!std::exchange(block_ended_, false)) end_block();
  return Next::GoOn;
}

// Of an instruction that translated code has called: its handler is entered, and may be translated.
u64 JitVcpu::fault_translated(const x86::Fault& met) {
  fault(met);  // nobody steps
  block_ended_ = true;
  return go_on_translated();
}

// Behind an instruction that has ended its block.
u64 JitVcpu::go_on_translated() {
  cpu_.translated.flags = x86::Translated::saved_flags(cpu_.flags.value());
  const u8* const next = next_translated();
  if (next == nullptr) return x86::translating::kLeave;
  block_ended_ = false;
  return reinterpret_cast<u64>(next);
}

// Called by translated code.
u64 JitVcpu::call_instruction(void* opaque, const void* const* header, u32 record_bits) {
  auto& vcpu = *static_cast<JitVcpu*>(opaque);
  x86::Cpu& cpu = vcpu.cpu_;
  x86::Translated& translated = cpu.translated;
  const x86::translating::Record record(record_bits);
  const Insn& insn = static_cast<const Block*>(*header)->insns[record.index()];
  cpu.flags.set_value(x86::Translated::eflags(translated.flags));
  cpu.insn_rip = (translated.page_rip + record.offset()) & cpu.rip_mask;
  cpu.set_rip((cpu.insn_rip + insn.length) & cpu.rip_mask);
  if (record.reach() != x86::translating::Reach::Unknown)
    if (const auto met = x86::translating::foreseen_fault(cpu, insn, record))
      return vcpu.fault_translated(*met);
  bool leaves = true;
  try {
    insn.exec(cpu, insn);
    leaves = cpu.leave_block || record.ends();
    vcpu.look_for_devices_writes();
    if (cpu.shadow_next) vcpu.step_in_shadow();
  } catch (const x86::Fault& thrown) {
    return vcpu.fault_translated(thrown);
  }
  if (leaves) return vcpu.go_on_translated();
  translated.flags = x86::Translated::saved_flags(cpu.flags.value());
  return x86::translating::kGoOn;
}

}  // namespace rhea::jit
