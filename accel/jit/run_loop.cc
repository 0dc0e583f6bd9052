// SPDX-License-Identifier: GPL-2.0-or-later
// Executing the guest: block by block, one instruction at a time where more than the instruction
// counts, and what happens in between.
#include "accel/jit/turns.h"
#include "accel/jit/vcpu.h"
#include "accel/jit/vm.h"
#include "rhea/util/log.h"
#include "target/x86/interp/step.h"
#include "target/x86/paging.h"
#include "target/x86/system/debug.h"
#include "target/x86/system/events.h"
#include "target/x86/system/log.h"
#include "target/x86/system/smm.h"

#include <utility>

namespace rhea::jit {
namespace {

using x86::Activity;
using x86::Attention;
using x86::Insn;

constexpr u64 kOffset = kPageSize - 1;

bool logs_code() {
  constexpr u32 items = static_cast<u32>(LogItem::InAsm) | static_cast<u32>(LogItem::Exec) |
                        static_cast<u32>(LogItem::Cpu);
  return (log_mask.load(std::memory_order_relaxed) & items) != 0;
}

}  // namespace

void JitVcpu::run() {
  enter();
  for (Next next = Next::GoOn; next == Next::GoOn;) {
    try {
      next = execute();
    } catch (const x86::Fault& thrown) {
      fault(thrown);
    }
  }
  guard_.reset();
}

void JitVcpu::fault(const x86::Fault& thrown) {
  last_block_ = nullptr;
  // Or time would stand still for a guest that does nothing but fault.
  if (turns_ != nullptr) turns_->count();
  x86::deliver_step_fault(cpu_, thrown);
}

JitVcpu::Next JitVcpu::execute() {
  for (;;) {
    // Whatever way it goes on, and be it from fault to fault: others wait for the guard.
    if (++rounds_ > pause_at_) [[unlikely]] {
      if (leave_at_pause_) return Next::Leave;
      rounds_ = 0;
      const Outside outside(*this);
    }
    if (turns_ != nullptr && !turns_->take(*this)) [[unlikely]] {
      cpu_.clear_attention(Attention::Exit);
      return Next::Leave;
    }
    if (cpu_.attention.load(std::memory_order_relaxed) != 0 || cpu_.activity != Activity::Running)
        [[unlikely]] {
      if (attend() == Next::Leave) return Next::Leave;
      if (cpu_.activity != Activity::Running) continue;
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
    if (careful()) [[unlikely]] {
      step();
      if (single_step_) {
        vm_->machine().request_pause(RunState::Debug);
        return Next::Leave;
      }
      continue;
    }
    if (Block* block = look_up()) [[likely]] {
      last_block_ = block;
      if (logs_code()) [[unlikely]]
        log(*block);
      if (turns_ == nullptr) [[likely]]
        run_block(*block);
      else
        run_counted(*block, budget);
    } else {
      last_block_ = nullptr;
      step();
    }
  }
}

// Up to the moment at which a timer fires or another processor has its turn, exactly.
void JitVcpu::run_counted(const Block& block, u64 budget) {
  cpu_.leave_block = false;
  for (const Insn& insn : block.insns) {
    cpu_.insn_rip = cpu_.rip();
    cpu_.set_rip((cpu_.rip() + insn.length) & cpu_.rip_mask);
    insn.exec(cpu_, insn);
    turns_->count();
    if (cpu_.leave_block || --budget == 0) break;
  }
  cpu_.shadow = cpu_.shadow_next;
  cpu_.shadow_next = false;
}

// What -d asks for of a block.
void JitVcpu::log(Block& block) {
  if (log_enabled(LogItem::InAsm) && !std::exchange(block.logged, true))
    x86::log_code(cpu_, block.code_bytes, x86::linear_rip(cpu_));
  x86::log_block(cpu_, index_, &block);
}

// One instruction at a time: what comes behind each must be looked at.
bool JitVcpu::careful() const {
  return single_step_ || cpu_.shadow || cpu_.eflag(x86::eflags::kTf | x86::eflags::kRf) ||
         x86::breakpoints_enabled(cpu_);
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
  cpu_.shadow = cpu_.shadow_next;
  cpu_.shadow_next = false;
}

// One instruction, from wherever it is.
void JitVcpu::step() {
  if (logs_code()) [[unlikely]]
    x86::log_block(cpu_, index_, nullptr);
  x86::step(cpu_);
  if (turns_ != nullptr) turns_->count();
}

// The block at RIP. Null where the instruction there cannot be had from one page of memory, or the
// code segment ends within the block.
Block* JitVcpu::look_up() {
  const CodeMode mode = code_mode();
  const u64 linear = x86::linear_rip(cpu_);
  Block* block = cache_.find(last_block_, linear, mode);
  if (block == nullptr) [[unlikely]] {
    block = find_code(linear, mode);
    if (block == nullptr) return nullptr;
  }
  if (!cpu_.long_mode() && cpu_.rip() + block->bytes - 1 > cpu_.seg[x86::Cs].limit) [[unlikely]]
    return nullptr;
  return block;
}

// By way of the page tables, and decoding where nobody has been yet.
Block* JitVcpu::find_code(u64 linear, const CodeMode& mode) {
  cpu_.insn_rip = cpu_.rip();
  if (!cpu_.long_mode() && cpu_.rip() > cpu_.seg[x86::Cs].limit) x86::raise(x86::Vector::Gp, 0);
  if (cache_.full()) {
    cache_.clear();
    last_block_ = nullptr;
  }
  forget_hidden_code();
  FetchPage& fetch = fetch_pages_[(linear >> 12) % kFetchPages];
  if (fetch.page != (linear & ~kOffset) || fetch.epoch != cpu_.code_epoch ||
      fetch.user != mode.user()) {
    const x86::Translation to =
        x86::translate(cpu_, linear, x86::AccessKind::Fetch, cpu_.privilege);
    const CoreBus::CodeAt code = bus_.code_at(to.physical);
    if (code.host == nullptr) return nullptr;
    const u64 epoch = cpu_.code_epoch;
    PageBlocks& blocks = cache_.page(code.host, *code.pages, code.offset);
    if (cpu_.code_epoch != epoch) last_block_ = nullptr;  // everything known was dropped
    fetch = {.page = linear & ~kOffset,
             .epoch = cpu_.code_epoch,
             .user = mode.user(),
             .code = code,
             .blocks = &blocks};
  }
  if (!fetch.blocks->code->guarded()) {
    const auto keep = fetch.code.pages->shared_from_this();
    watch(*fetch.blocks->code);
    // Letting others see the new watch may have changed the map, and this page with it.
    if (fetch.epoch != cpu_.code_epoch || cpu_.wants(Attention::FlushTlb)) return nullptr;
  }
  Block* block =
      cache_.block(*fetch.blocks, fetch.code.host, static_cast<unsigned>(linear & kOffset), mode);
  if (block != nullptr) cache_.remember(last_block_, linear, mode, *block);
  return block;
}

// A memory that went, and took CodePages with it, has raised the epoch with the TLB flush that
// every change of the map brings: the first block behind it is looked for here.
void JitVcpu::forget_hidden_code() {
  const u64 changes = vm_->code().changes();
  if (changes == seen_code_changes_) return;
  seen_code_changes_ = changes;
  cache_.forget([this](u64 id) { return vm_->code().known(id); });
  last_block_ = nullptr;
}

// Nobody may have a way to write the page past CodePage::stored.
void JitVcpu::watch(CodePage& page) {
  page.watch([this] {
    // Linear addresses mean what they did: just the ways to write go.
    for (x86::Tlb& each : cpu_.tlb) each.write.fill({});
    if (vm_->vcpus().size() == 1) return;
    const Outside outside(*this);
    vm_->flush_others(this);
  });
}

// Something wants the processor, or it does nothing.
JitVcpu::Next JitVcpu::attend() {
  {
    const Outside outside(*this);
  }
  if (cpu_.wants(Attention::Exit)) {
    cpu_.clear_attention(Attention::Exit);
    return Next::Leave;
  }
  if (can_take(held_)) release_held();  // the shadow of STI ends with HLT
  take_requests();
  if (cpu_.activity == Activity::Shutdown) {
    log_guest("cpu", "CPU {}: triple fault", index_);
    vm_->machine().request_reset(ShutdownCause::GuestReset);
    return Next::Leave;
  }
  return cpu_.activity == Activity::Running ? Next::GoOn : wait_while_halted();
}

// Whether any of these requests, which could not be taken when they came, can be now.
bool JitVcpu::can_take(u32 requests) const {
  const auto has = [requests](Attention what) { return (requests & static_cast<u32>(what)) != 0; };
  if (cpu_.shadow) return false;
  return (has(Attention::Interrupt) && cpu_.eflag(x86::eflags::kIf)) ||
         (has(Attention::Nmi) && !cpu_.nmi_blocked) ||
         ((has(Attention::Smi) || has(Attention::Init)) && !cpu_.smm);
}

void JitVcpu::release_held() {
  cpu_.attention.fetch_or(std::exchange(held_, 0), std::memory_order_acq_rel);
}

bool JitVcpu::take(Attention what) {
  if (!cpu_.wants(what)) return false;
  cpu_.clear_attention(what);
  return true;
}

void JitVcpu::hold(Attention what) { held_ |= static_cast<u32>(what); }

// In the order of their priority (SDM vol. 3, 6.9). What is not possible now is held until it is.
void JitVcpu::take_requests() {
  cpu_.insn_rip = cpu_.rip();
  if (take(Attention::Injected)) x86::deliver_injected(cpu_);
  take_start_up();
  if (take(Attention::Smi)) {
    if (!cpu_.smm && !cpu_.shadow && cpu_.activity != Activity::WaitForSipi) return enter_smm();
    hold(Attention::Smi);
  }
  if (take(Attention::Nmi)) {
    if (!cpu_.nmi_blocked && !cpu_.shadow && cpu_.activity != Activity::WaitForSipi) {
      cpu_.activity = Activity::Running;
      return x86::deliver(
          cpu_, {.vector = static_cast<u8>(x86::Vector::Nmi), .kind = x86::EventKind::Nmi});
    }
    hold(Attention::Nmi);
  }
  if (take(Attention::Interrupt)) {
    if (cpu_.eflag(x86::eflags::kIf) && !cpu_.shadow && cpu_.activity != Activity::WaitForSipi)
      return take_interrupt();
    hold(Attention::Interrupt);
  }
}

// System management mode is not left by INIT (SDM vol. 3, 32.3.1).
void JitVcpu::take_start_up() {
  if (take(Attention::Init)) {
    if (cpu_.smm)
      hold(Attention::Init);
    else
      take_init();
  }
  if (take(Attention::Sipi) && cpu_.activity == Activity::WaitForSipi)
    cpu_.start_up(start_up_vector_.load(std::memory_order_relaxed));
}

void JitVcpu::enter_smm() {
  {
    const Outside outside(*this);
    static_cast<void>(vm_->management_memory());  // made on first use, for which it takes a lock
  }
  x86::enter_smm(cpu_);
}

// INIT keeps the APIC's base; processors but the first wait for a SIPI (SDM vol. 3, 9.4.3).
void JitVcpu::take_init() {
  cpu_.reset(true);
  apic_.reset();
  held_ = 0;
  cpu_.activity = index_ == 0 ? Activity::Running : Activity::WaitForSipi;
  flush();
}

// The local APIC's interrupts, and the 8259s' where LINT0 lets them through.
std::optional<u8> JitVcpu::acknowledge() {
  if (apic_.enabled())
    if (const std::optional<u8> vector = apic_.acknowledge()) return vector;
  if (index_ != 0 || !apic_.passes_extint()) return std::nullopt;
  const Outside outside(*this);
  const DomainGuard lock(&vm_->machine().lock());
  ExtIntSource* pic = vm_->machine().interrupts.pic;
  if (pic == nullptr || !pic->intr()) return std::nullopt;
  const u8 vector = pic->acknowledge();
  if (pic->intr()) cpu_.need_attention(Attention::Interrupt);
  return vector;
}

void JitVcpu::take_interrupt() {
  const std::optional<u8> vector = acknowledge();
  if (!vector) return;
  // There may be another behind it.
  cpu_.need_attention(Attention::Interrupt);
  cpu_.activity = Activity::Running;
  x86::deliver(cpu_, {.vector = *vector, .kind = x86::EventKind::External});
}

JitVcpu::Next JitVcpu::wait_while_halted() {
  if (leave_at_pause_) return Next::Leave;
  if (turns_ != nullptr) {
    turns_->sleep(*this);
    return Next::GoOn;
  }
  const Outside outside(*this);
  if (cpu_.attention.load(std::memory_order_seq_cst) == 0)
    cpu_.attention.wait(0, std::memory_order_seq_cst);
  return Next::GoOn;
}

}  // namespace rhea::jit
