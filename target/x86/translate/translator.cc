// SPDX-License-Identifier: GPL-2.0-or-later
// A block from its first instruction to what lies behind its last.
#include "target/x86/translate/translator.h"

#include "rhea/util/error.h"
#include "target/x86/interp/step.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace rhea::x86::translating {
namespace {

/// More than any instruction needs, its way out of line included.
constexpr std::size_t kMostBytes = 512;

const std::vector<const Emitter*>& emitters() {
  static const std::vector<const Emitter*> made = [] {
    std::unordered_map<std::string_view, const Emitter*> by_name;
    for (const auto& family :
         {alu_emitters(), bit_emitters(), branch_emitters(), exchange_emitters(), move_emitters(),
          muldiv_emitters(), segment_emitters(), shift_emitters(), stack_emitters(),
          string_emitters(), system_emitters(), vector_emitters(), x87_emitters()})
      for (const Emitter& each : family) by_name[each.mnemonic] = &each;
    std::vector<const Emitter*> list;
    for (const isa::Row& row : isa::rows()) {
      const auto it = by_name.find(row.mnemonic);
      const Emitter* const by_row =
          x87_emitter(row) != nullptr ? x87_emitter(row) : vector_emitter(row);
      list.push_back(it == by_name.end() ? by_row : it->second);
    }
    return list;
  }();
  return made;
}

template <class T>
i32 distance(const Cpu& cpu, const T& member) {
  return static_cast<i32>(reinterpret_cast<const u8*>(&member) -
                          reinterpret_cast<const u8*>(cpu.gpr.data())) -
         kStateBias;
}

}  // namespace

const Emitter* emitter_of(unsigned row) { return emitters()[row]; }

u8 residence_of(std::span<const Insn> insns) {
  u8 all = 0;
  for (const Insn& insn : insns) {
    const Emitter* const emitter = is_undefined(insn) ? nullptr : emitter_of(insn.row);
    if (emitter != nullptr) all |= emitter->resident;
  }
  return all;
}

// The only near branch that does not end blocks.
bool is_conditional(const Insn& insn) {
  if (is_undefined(insn)) return false;
  const isa::Row& row = isa::rows()[insn.row];
  return row.is(isa::Near64) && !row.is(isa::EndsBlock);
}

bool ends_translation(const Insn& insn, bool long_mode) {
  if (is_undefined(insn)) return true;
  const isa::Row& row = isa::rows()[insn.row];
  if (row.is(isa::EndsBlock)) return true;
  if (long_mode) return false;
  // What segments are is a part of the block's mode.
  constexpr std::string_view kLoads[] = {"popseg", "les", "lds", "lfs", "lgs"};
  return std::ranges::find(kLoads, row.mnemonic) != std::end(kLoads);
}

bool encodable(const Insn& insn) {
  if (std::ranges::none_of(insn.op, is_high_byte)) return true;
  return std::ranges::all_of(insn.op, [](const Operand& op) {
    if (op.kind == OperandKind::Memory) return false;
    if (op.kind != OperandKind::Gpr || op.reg >= kHighByte) return true;
    const unsigned host = guest(op.reg);
    return host < 4 || (host < 8 && op.size > 1);
  });
}

StateLayout::StateLayout(const Cpu& cpu)
    : fcw(at(distance(cpu, cpu.x87.fcw))),
      fsw(at(distance(cpu, cpu.x87.fsw))),
      fxtag(at(distance(cpu, cpu.x87.valid))),
      fop(at(distance(cpu, cpu.x87.fop))),
      fip(at(distance(cpu, cpu.x87.fip))),
      fdp(at(distance(cpu, cpu.x87.fdp))),
      fcs(at(distance(cpu, cpu.x87.fcs))),
      fds(at(distance(cpu, cpu.x87.fds))),
      page_rip(at(distance(cpu, cpu.translated.page_rip))),
      flags(at(distance(cpu, cpu.translated.flags))),
      eflags(at(distance(cpu, cpu.eflags))),
      temporary(at(distance(cpu, cpu.translated.temporary))),
      temporary2(at(distance(cpu, cpu.translated.temporary2))),
      read_table(at(distance(cpu, cpu.view.read))),
      write_table(at(distance(cpu, cpu.view.write))),
      table_mask(at(distance(cpu, cpu.view.byte_mask))),
      jumps(at(distance(cpu, cpu.translated.jumps))),
      call(at(distance(cpu, cpu.translated.call))),
      owner(at(distance(cpu, cpu.translated.owner))),
      attention(at(distance(cpu, cpu.attention))),
      budget(at(distance(cpu, cpu.translated.budget))),
      resident(at(distance(cpu, cpu.translated.resident))),
      kept(at(distance(cpu, cpu.translated.kept))),
      refused(at(distance(cpu, cpu.translated.refused))),
      cr0(at(distance(cpu, cpu.cr0))),
      cr4(at(distance(cpu, cpu.cr4))),
      xcr0(at(distance(cpu, cpu.xcr0))),
      mxcsr(at(distance(cpu, cpu.mxcsr))),
      host_mxcsr(at(distance(cpu, cpu.translated.host_mxcsr))),
      host_fcw(at(distance(cpu, cpu.translated.host_fcw))),
      cpl(at(distance(cpu, cpu.cpl))),
      kernel_gs_base(at(distance(cpu, cpu.kernel_gs_base))),
      gpr_(distance(cpu, cpu.gpr[0])),
      base_(distance(cpu, cpu.seg[0].base)),
      base_step_(static_cast<i32>(sizeof(SegmentRegister))),
      read_end_(distance(cpu, cpu.seg[0].read_end)),
      write_end_(distance(cpu, cpu.seg[0].write_end)),
      ymm_(distance(cpu, cpu.ymm[0])),
      selector_(distance(cpu, cpu.seg[0].selector)),
      x87_(distance(cpu, cpu.x87.reg[0])),
      image_(distance(cpu, cpu.x87_image)) {}

Translator::Translator(std::span<u8> room, const StateLayout& layout, const Runtime& runtime,
                       const void* block, const HostCpu& cpu)
    : a(room), state(layout), host_has(cpu), runtime_(runtime), block_(block) {}

bool Translator::run(std::span<const Insn> insns, unsigned page_offset, const BlockMode& how,
                     Result& result) {
  insns_ = insns;
  mode = how;
  offset_ = start_ = page_offset;
  index_ = 0;
  result_ = &result;
  result.sites.clear();
  result.starts.clear();
  result.way_out = 0;
  result.called = 0;
  resident_ = residence_of(insns);
  near_ = {};
  near_used_.clear();
  find_wanted_flags();
  emit_entry();
  while (index_ < insns.size() && !ended_) {
    if (a.left() < kMostBytes * (1 + cold_.size() / 4)) return false;
    if (const unsigned run = stack_run(); run > 1) {
      emit_stack_run(run);
      continue;
    }
    result.starts.push_back(a.offset());
    emit_insn();
    next_insn();
  }
  result.starts.push_back(a.offset());
  if (!ended_) {
    settle_x87();
    flags_to_memory();
    if (same_page(offset_))
      jump_site(a.jmp(), offset_);
    else
      go_on_by_rip(offset_);
  }
  // Some of them add more.
  for (std::size_t n = 0; n < cold_.size(); ++n) emit_cold(Cold(cold_[n]));
  result.size = a.offset();
  return !a.overrun();
}

// The block's address first, for those who are called, and what they have to leave as it was; then
// what every way out of line passes.
void Translator::emit_entry() {
  header_ = a.here();
  a.imm(reinterpret_cast<u64>(block_), 8);
  a.imm(resident_, 1);
  const auto pass = [this](const u8* to) {
    u8* const here = a.here();
    a.lea_code(kScratch1, header_);
    Assembler::bind(a.jmp(), to);
    return here;
  };
  result_->call = a.offset();
  call_ = pass(runtime_.call);
  result_->leave = a.offset();
  leave_ = pass(runtime_.leave);
  const bool crosses = !same_page(offset_ + insns_.front().length - 1);
  result_->quick_entry = a.offset();
  if (crosses) go_on_by_rip(offset_);
  result_->entry = a.offset();
  a.alu_imm(4, kCmp, state.attention, 0);
  cold_.push_back({.kind = ColdKind::Leave, .from = a.jcc(kNotEqual), .what = left_at(offset_)});
  a.alu_imm(4, kSub, state.budget, 1);
  cold_.push_back({.kind = ColdKind::Leave, .from = a.jcc(kSign), .what = left_at(offset_)});
  if (!crosses) result_->quick_entry = a.offset();
  emit_residence();
}

// Flags are in memory.
void Translator::emit_residence() {
  if (resident_ == 0) return;
  // What is never alone speaks for the other, too.
  const u8 vectors = (resident_ & kResidentAvx) != 0 ? kResidentAvx : resident_ & kResidentSse;
  for (const u8 bit : {vectors, static_cast<u8>(resident_ & kResidentX87)}) {
    if (bit == 0) continue;
    a.op(1, {.byte = 0xf6, .digit = true}, 0, state.resident);  // TEST
    a.imm(bit, 1);
    cold_.push_back({.kind = ColdKind::Load, .from = a.jcc(kEqual), .back = a.here()});
  }
}

void Translator::emit_load(const Cold& cold) {
  a.mov_imm(kScratch0, resident_);
  Assembler::bind(a.call(), runtime_.load);
  Assembler::bind(a.jcc(kAboveOrEqual), cold.back);
  a.mov_imm(kScratch0, left_at(start_));
  Assembler::bind(a.jmp(), leave_);
}

void Translator::emit_insn() {
  const Insn& insn = insns_[index_];
  record_ = record();
  const std::size_t colds = cold_.size();
  const Emitter* const emitter = is_undefined(insn) ? nullptr : emitter_of(insn.row);
  if (ends_translation(insn, mode.long_mode()) || is_conditional(insn)) settle_x87();
  settle_flags(insn, emitter);
  if (emitter == nullptr || !encodable(insn) || !emitter->emit(*this, insn)) emit_call();
  settle_near(insn, emitter);
  for (std::size_t n = colds; n < cold_.size(); ++n)
    if (cold_[n].kind == ColdKind::Call || cold_[n].kind == ColdKind::Near) {
      cold_[n].back = a.here();
      if (near_holds()) cold_[n].near = near_;
    }
}

void Translator::emit_call() {
  result_->called |= u64{1} << index_;
  settle_x87();
  flags_to_memory();
  a.mov_imm(kScratch0, record_);
  Assembler::bind(a.call(), call_);
  in_host_ = in_memory_ = true;
  source_ = {};
  near_ = {};
  ended_ = ends_translation(insns_[index_], mode.long_mode());
}

void Translator::settle_for_call(const Cold& cold) {
  settle_x87(cold.x87);
  if (cold.flags.kind == FlagSource::Kind::None) return;
  make_flags(cold.flags);
  save_flags();
}

void Translator::emit_cold(const Cold& cold) {
  a.bind_here(cold.from);
  if (cold.found != nullptr && cold.kind != ColdKind::Near) try_other_way(cold.found);
  switch (cold.kind) {
    case ColdKind::Call:
      settle_for_call(cold);
      a.mov_imm(kScratch0, cold.what);
      Assembler::bind(a.call(), call_);
      find_near_again(cold, next_offset(Record(static_cast<u32>(cold.what))));
      if (cold.back != nullptr) Assembler::bind(a.jmp(), cold.back);
      return;
    case ColdKind::Near: return emit_near(cold);
    case ColdKind::Site:
      result_->sites[cold.what].stub = a.offset();
      a.mov_imm(kScratch0, left_by(static_cast<u32>(cold.what)));
      Assembler::bind(a.jmp(), leave_);
      return;
    case ColdKind::Load: return emit_load(cold);
    case ColdKind::StackRun: return emit_stack_calls(cold);
    case ColdKind::GoTo:
      record_ = static_cast<u32>(cold.what);
      return go_to_page(cold.target, cold.cut);
    case ColdKind::Exit:
      save_flags();
      record_ = static_cast<u32>(cold.what);
      return go_to(cold.target, cold.cut);
    case ColdKind::Leave:
      if (result_->way_out == 0) result_->way_out = a.offset();  // the entry's comes first
      a.mov_imm(kScratch0, cold.what);
      Assembler::bind(a.jmp(), leave_);
      return;
  }
}

u32 Translator::record() const {
  return Record(index_, static_cast<unsigned>(offset_),
                ends_translation(insns_[index_], mode.long_mode()))
      .bits();
}

void Translator::find_wanted_flags() {
  bool wanted = true;
  for (std::size_t n = insns_.size(); n-- > 0;) {
    const Insn& insn = insns_[n];
    wanted_[n] = wanted;
    const Emitter* const emitter = is_undefined(insn) ? nullptr : emitter_of(insn.row);
    const isa::FlagUse& use = isa::rows()[insn.row].flags;
    // What is undefined may be what it was before.
    const bool keeps = (use.undefined & ~u32{eflags::kAf}) != 0;
    if (emitter == nullptr || emitter->may_fault || insn.memory() || use.reads != 0 || keeps)
      wanted = true;
    else if ((use.writes | use.undefined) == eflags::kStatus)
      wanted = false;
  }
}

unsigned Translator::value(unsigned reg, unsigned scratch) {
  const unsigned host = guest(reg & 15);
  if (host != kHome) return reg >= kHighByte ? reg : host;
  a.load(8, scratch, state.gpr(reg));
  return scratch;
}

unsigned Translator::result(unsigned reg, unsigned scratch, unsigned size, bool old_needed) {
  const unsigned host = guest(reg & 15);
  if (host != kHome) return reg >= kHighByte ? reg : host;
  if (old_needed || size < 4) a.load(8, scratch, state.gpr(reg));
  return scratch;
}

void Translator::finish(unsigned reg, unsigned scratch) {
  if (guest(reg & 15) == kHome) a.store(8, state.gpr(reg), scratch);
}

}  // namespace rhea::x86::translating
