// SPDX-License-Identifier: GPL-2.0-or-later
// Following host code with what its registers may hold.
#include "tests/jit/boundary.h"

#include "target/x86/translate/translator.h"
#include "tests/jit/boundary_state.h"

#include <Zydis/Zydis.h>
#include <fmt/format.h>

#include <array>
#include <map>
#include <optional>
#include <vector>

namespace rhea::test {
namespace {

using enum Holds;
using x86::translating::StateLayout;
namespace host = x86::translating::host;

/// How far an index of the state may reach.
constexpr i64 kIndexed = 256;

/// An instruction with its operands, the hidden ones included.
struct Decoded {
  ZydisDecodedInstruction insn{};
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> op{};
};

/// 0 to 15; nullopt: no general register.
std::optional<unsigned> general(ZydisRegister reg) {
  const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
  if (whole < ZYDIS_REGISTER_RAX || whole > ZYDIS_REGISTER_R15) return std::nullopt;
  return static_cast<unsigned>(whole - ZYDIS_REGISTER_RAX);
}
bool is_register(const ZydisDecodedOperand& op) { return op.type == ZYDIS_OPERAND_TYPE_REGISTER; }
bool is_access(const ZydisDecodedOperand& op) {
  return op.type == ZYDIS_OPERAND_TYPE_MEMORY && op.mem.type != ZYDIS_MEMOP_TYPE_AGEN;
}
bool writes(const ZydisDecodedOperand& op) {
  return (op.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
}

class Walk {
 public:
  Walk(const EmittedBlock& block, const x86::Cpu& cpu) : block_(block), layout_(cpu) {
    ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    const auto* gpr = reinterpret_cast<const u8*>(cpu.gpr.data());
    first_ = reinterpret_cast<const u8*>(&cpu) - gpr - x86::translating::kStateBias;
    behind_ = first_ + static_cast<i64>(sizeof cpu);
  }

  std::string run() {
    come(block_.entry, {});
    while (!open_.empty() && violation_.empty()) {
      const std::size_t at = open_.back();
      open_.pop_back();
      step(at, HostState(known_.at(at)));
    }
    return violation_;
  }

 private:
  /// Control gets there with that.
  void come(std::size_t at, const HostState& machine) {
    const auto it = known_.find(at);
    const HostState made = it == known_.end() ? machine : meet(it->second, machine);
    if (it != known_.end() && it->second == made) return;
    known_[at] = made;
    open_.push_back(at);
  }
  void wrong(std::size_t at, const char* what) {
    std::string bytes;
    for (std::size_t n = at; n < at + 12 && n < block_.end; ++n)
      bytes += fmt::format(" {:02x}", block_.code[n]);
    violation_ = fmt::format("{} at {:#x}:{}", what, at - block_.begin, bytes);
  }

  void step(std::size_t at, HostState machine) {
    Decoded d;
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder_, block_.code.data() + at, block_.end - at,
                                             &d.insn, d.op.data())))
      return wrong(at, "no instruction");
    for (unsigned n = 0; n < d.insn.operand_count; ++n)
      if (is_access(d.op[n]) && !may_access(machine, d, d.op[n]))
        return wrong(at, "unchecked access");
    if (leads_elsewhere(at, d, machine)) return;
    change(machine, d);
    if (machine.reg[host::kR15].holds != Anything)
      return wrong(at, "the state's register is written");
    come(at + d.insn.length, machine);
  }

  bool may_access(const HostState& machine, const Decoded& d, const ZydisDecodedOperand& op) const {
    const ZydisDecodedOperandMem& m = op.mem;
    if (m.segment == ZYDIS_REGISTER_FS || m.segment == ZYDIS_REGISTER_GS) return false;
    const auto base = general(m.base);
    if (!base) return false;
    const bool hidden = op.visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN;
    if (*base == host::kRsp) return hidden;  // a call's return address
    if (*base == host::kR15) {
      const auto index = general(m.index);
      const i64 size = op.size / 8;
      return (!index || machine.reg[*index].holds == Small) && m.disp.value >= first_ &&
             m.disp.value + size <= behind_;
    }
    const Holds holds = machine.reg[*base].holds;
    if (holds >= ReadEntry && holds <= JumpChecked)
      return !writes(op) && !general(m.index) && (m.disp.value == 0 || m.disp.value == 8);
    return (holds == WriteAddend || (holds == ReadAddend && !writes(op))) &&
           is_on_page(machine, d, op);
  }

  /// Whether all that is accessed by the addend is what was compared.
  bool is_on_page(const HostState& machine, const Decoded& d, const ZydisDecodedOperand& op) const {
    const Known first = Known(machine.reg[*general(op.mem.base)])
                            .move(index_of(machine, op.mem) + op.mem.disp.value);
    const bool repeated = (d.insn.attributes & ZYDIS_ATTRIB_HAS_REP) != 0;
    // Elements of code of 32 bits: sums of what was cut are not followed that far.
    if (repeated && !block_.long_mode) return true;
    const i64 size = op.size / 8;
    const AddressSum bytes = repeated ? value(machine, host::kRcx) * size : AddressSum::of(size);
    return first.before.is_not_negative() && (first.behind + 1 - bytes).is_not_negative();
  }

  /// Where what was compared is the same.
  static HostState behind_compare(HostState machine) {
    if (machine.compared < 0) return machine;
    Known& entry = machine.reg[static_cast<unsigned>(machine.compared)];
    const Known& page = machine.with;
    constexpr i64 kOffset = 0xfff;
    const i64 low = page.mask & kOffset;
    entry.holds = static_cast<Holds>(static_cast<unsigned>(entry.holds) + 3);
    if (page.holds == Page && (page.mask | kOffset) == -1) {
      entry.before = entry.at * -1;
      entry.behind = page.at;
      const auto distance = (page.at - entry.at).number();
      if (low != 0) entry.behind = distance == 0 ? page.at + low : AddressSum();
      // Others than of repeated elements are no longer than a page.
      if (distance && (*distance < 0 || *distance > kOffset)) entry.behind = {};
    }
    machine.compared = -1;
    return machine;
  }

  /// Where an offset in a page is at most, or at least, the limit: so much lies on that page behind
  /// the address, or before it.
  static void behind_limit(HostState& machine, bool at_most) {
    if (machine.limited < 0) return;
    const AddressSum at = machine.reg[static_cast<unsigned>(machine.limited)].at;
    for (Known& each : machine.reg) {
      if (each.holds != ReadAddend && each.holds != WriteAddend) continue;
      const Known there = Known(each).move(at);
      if (!there.before.is_not_negative() || !there.behind.is_not_negative()) continue;
      AddressSum& end = at_most ? each.behind : each.before;
      const AddressSum found = at_most ? at + (0xfff - machine.limit) : at * -1 + machine.limit;
      if ((found - end).is_not_negative()) end = found;
    }
  }

  /// Jumps, calls and returns.
  bool leads_elsewhere(std::size_t at, const Decoded& d, HostState& machine) {
    const auto category = d.insn.meta.category;
    const bool call = category == ZYDIS_CATEGORY_CALL;
    const bool conditional = category == ZYDIS_CATEGORY_COND_BR;
    if (!call && !conditional && category != ZYDIS_CATEGORY_UNCOND_BR) return false;
    const std::size_t next = at + d.insn.length;
    if (d.op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
      const auto to = static_cast<std::size_t>(static_cast<i64>(next) + d.op[0].imm.value.s);
      const bool inside = to >= block_.begin && to < block_.end;
      const bool found = d.insn.mnemonic == ZYDIS_MNEMONIC_JZ;
      if (!call && inside) come(to, found ? behind_compare(machine) : machine);
    } else if (!leads_to_code(machine, d.op[0])) {
      wrong(at, "jump to what is no code");
    }
    // What ends the block is called last of all, and goes on elsewhere.
    if (call && next != block_.end) come(next, {});
    if (conditional) {
      if (d.insn.mnemonic == ZYDIS_MNEMONIC_JNZ) machine = behind_compare(machine);
      if (d.insn.mnemonic == ZYDIS_MNEMONIC_JNBE) behind_limit(machine, true);
      if (d.insn.mnemonic == ZYDIS_MNEMONIC_JB) behind_limit(machine, false);
      machine.compared = machine.limited = -1;
      come(next, machine);
    }
    return true;
  }
  bool leads_to_code(const HostState& machine, const ZydisDecodedOperand& op) const {
    if (op.type != ZYDIS_OPERAND_TYPE_MEMORY) return false;
    if (const auto slot = temporary(op)) return machine.temporary[*slot].holds == Code;
    const auto base = general(op.mem.base);
    return base && machine.reg[*base].holds == JumpChecked && op.mem.disp.value == 8;
  }

  bool is_state(const ZydisDecodedOperand& op, const x86::translating::Mem& m) const {
    return is_access(op) && op.mem.base == ZYDIS_REGISTER_R15 &&
           op.mem.index == ZYDIS_REGISTER_NONE && op.mem.disp.value == m.disp;
  }
  std::optional<unsigned> temporary(const ZydisDecodedOperand& op) const {
    if (is_state(op, layout_.temporary)) return 0;
    if (is_state(op, layout_.temporary2)) return 1;
    return std::nullopt;
  }

  // ---- Sums.
  static AddressSum value(const HostState& machine, unsigned reg) {
    const Known& known = machine.reg[reg];
    if (known.holds != Anything) return {};
    return known.at.is_known() ? known.at : AddressSum::of_register(reg);
  }
  static AddressSum index_of(const HostState& machine, const ZydisDecodedOperandMem& m) {
    const auto index = general(m.index);
    return index ? value(machine, *index) * m.scale : AddressSum::of(0);
  }
  /// Of an operand that is read, 4 or 8 bytes.
  AddressSum sum(const HostState& machine, const ZydisDecodedOperand& op) {
    if (op.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) return AddressSum::of(op.imm.value.s);
    if (is_register(op)) {
      const auto reg = general(op.reg.value);
      if (!reg) return {};
      return op.size == 64 ? value(machine, *reg) : cuts_.cut(value(machine, *reg), op.size);
    }
    using Kind = AddressTerm::Kind;
    if (op.mem.base != ZYDIS_REGISTER_R15 || op.mem.index != ZYDIS_REGISTER_NONE || op.size < 32)
      return {};
    return AddressSum::of(op.size == 64 ? Kind::Slot8 : Kind::Slot4,
                          static_cast<i32>(op.mem.disp.value));
  }
  Known as_value(const AddressSum& at, unsigned bits) {
    return {.at = bits == 64 ? at : cuts_.cut(at, bits)};
  }

  /// What a move's source is.
  Known source(const HostState& machine, const ZydisDecodedOperand& op) {
    if (op.size == 64 && is_register(op)) {
      const auto from = general(op.reg.value);
      if (from && machine.reg[*from].holds != Anything) return machine.reg[*from];
    }
    if (op.size == 64 && is_access(op)) {
      if (const auto slot = temporary(op))
        if (machine.temporary[*slot].holds != Anything) return machine.temporary[*slot];
      if (const auto base = general(op.mem.base); base && op.mem.disp.value == 8) {
        Known entry = machine.reg[*base];
        entry.at = {};
        entry.holds = static_cast<Holds>(static_cast<unsigned>(entry.holds) + 3);
        if (entry.holds >= ReadAddend && entry.holds <= Code) return entry;
      }
    }
    return {.at = sum(machine, op)};
  }

  /// Flips the bit between an entry and its slot's other way.
  static bool is_other_way(const ZydisDecodedOperand& op) {
    return op.type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
           op.imm.value.u == sizeof(x86::JumpTable::Entry);
  }

  Known masked(const HostState& machine, const Decoded& d, const Known& old) {
    if (is_state(d.op[1], layout_.table_mask))
      return {.holds = TlbIndex, .at = old.holds == Rotated ? old.at : AddressSum()};
    if (d.op[1].type != ZYDIS_OPERAND_TYPE_IMMEDIATE) return {};
    const AddressSum at = sum(machine, d.op[0]);
    if (d.op[0].size == 64 && d.op[1].imm.value.s < 0)
      return {.holds = Page, .at = at, .mask = d.op[1].imm.value.s};
    if (d.op[0].size != 32 || d.op[1].imm.value.u >= sizeof(x86::JumpTable::entries)) return {};
    // Low bits are those of what was cut, too.
    if (d.op[1].imm.value.u == 0xfff) return {.holds = Offset, .at = cuts_.whole(at)};
    return {.holds = Small};
  }

  Known increased(const HostState& machine, const Decoded& d, const Known& old) {
    if (d.op[0].size != 64) return as_value(sum(machine, d.op[0]) + sum(machine, d.op[1]), 32);
    const auto entry = [&](Holds holds) { return Known{.holds = holds, .at = old.at}; };
    if (old.holds == TlbIndex && is_state(d.op[1], layout_.read_table)) return entry(ReadEntry);
    if (old.holds == TlbIndex && is_state(d.op[1], layout_.write_table)) return entry(WriteEntry);
    if (old.holds == Small && is_state(d.op[1], layout_.jumps)) return entry(JumpEntry);
    if (old.holds == ReadAddend || old.holds == WriteAddend)
      return Known(old).move(sum(machine, d.op[1]));
    return {.at = sum(machine, d.op[0]) + sum(machine, d.op[1])};
  }

  Known address(const HostState& machine, const Decoded& d) {
    const auto base = general(d.op[1].mem.base);
    const AddressSum from = base ? value(machine, *base) : AddressSum::of(0);
    return as_value(from + index_of(machine, d.op[1].mem) + d.op[1].mem.disp.value, d.op[0].size);
  }

  Known shifted(const HostState& machine, const Decoded& d) {
    if (d.op[0].size != 64 || d.op[1].type != ZYDIS_OPERAND_TYPE_IMMEDIATE) return {};
    const auto by = static_cast<unsigned>(d.op[1].imm.value.u);
    if (d.insn.mnemonic == ZYDIS_MNEMONIC_SHL && by < 4)
      return {.at = sum(machine, d.op[0]) * (1 << by)};
    if (d.insn.mnemonic != ZYDIS_MNEMONIC_SHR || by != x86::TlbView::kByteShift) return {};
    return {.holds = Rotated, .at = sum(machine, d.op[0])};
  }

  /// What operand 0, a register, becomes.
  Known result(const HostState& machine, const Decoded& d) {
    const auto to = general(d.op[0].reg.value);
    const Known old = to ? machine.reg[*to] : Known();
    if (d.op[0].size < 32) return {};
    switch (d.insn.mnemonic) {
      case ZYDIS_MNEMONIC_MOV: return source(machine, d.op[1]);
      case ZYDIS_MNEMONIC_MOVZX:
        return is_register(d.op[1]) ? Known{.at = sum(machine, d.op[1])} : Known{};
      case ZYDIS_MNEMONIC_LEA: return address(machine, d);
      case ZYDIS_MNEMONIC_RORX:
        return d.op[2].imm.value.u == x86::TlbView::kByteShift
                   ? Known{.holds = Rotated, .at = sum(machine, d.op[1])}
                   : Known{};
      case ZYDIS_MNEMONIC_SHL:
      case ZYDIS_MNEMONIC_SHR: return shifted(machine, d);
      case ZYDIS_MNEMONIC_AND: return masked(machine, d, old);
      case ZYDIS_MNEMONIC_ADD: return increased(machine, d, old);
      case ZYDIS_MNEMONIC_XOR:
        return {.holds = d.op[0].size == 64 && old.holds == JumpEntry && is_other_way(d.op[1])
                             ? JumpEntry
                             : Anything};
      default: return {};
    }
  }

  void note_compare(HostState& machine, const Decoded& d) {
    machine.compared = machine.limited = -1;
    machine.with = {};
    if (d.insn.mnemonic != ZYDIS_MNEMONIC_CMP) return;
    if (is_access(d.op[1])) {
      const auto base = general(d.op[1].mem.base), with = general(d.op[0].reg.value);
      if (base && with && machine.reg[*base].holds >= ReadEntry &&
          machine.reg[*base].holds <= JumpEntry && d.op[1].mem.disp.value == 0 &&
          d.op[1].size == 64) {
        machine.compared = static_cast<int>(*base);
        machine.with = machine.reg[*with];
      }
    } else if (is_register(d.op[0]) && d.op[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
      const auto reg = general(d.op[0].reg.value);
      if (!reg || machine.reg[*reg].holds != Offset || d.op[0].size != 32) return;
      machine.limited = static_cast<int>(*reg);
      machine.limit = d.op[1].imm.value.s;
    }
  }

  // ---- What is written is not what it was.
  void change(HostState& machine, const Decoded& d) {
    const Known made = is_register(d.op[0]) ? result(machine, d) : Known();
    const Known stored = d.insn.mnemonic == ZYDIS_MNEMONIC_MOV ? source(machine, d.op[1]) : Known();
    note_compare(machine, d);
    const bool repeated = (d.insn.attributes & ZYDIS_ATTRIB_HAS_REP) != 0;
    for (unsigned n = 0; n < d.insn.operand_count; ++n) {
      const ZydisDecodedOperand& op = d.op[n];
      if (!writes(op)) continue;
      if (is_access(op) && op.mem.base == ZYDIS_REGISTER_R15)
        machine.forget_state(op.mem.disp.value,
                             op.mem.index != ZYDIS_REGISTER_NONE ? kIndexed : op.size / 8, cuts_);
      if (const auto slot = temporary(op))
        machine.temporary[*slot] = op.size == 64 && n == 0 ? stored : Known();
      const auto to = is_register(op) ? general(op.reg.value) : std::nullopt;
      if (!to || *to == host::kRsp) continue;
      // Elements on one page: the pointers are behind it at most.
      machine.put(*to, n == 0 && !repeated ? made : Known(), cuts_);
      if (*to == host::kR15) machine.reg[*to].holds = Small;
    }
  }

  EmittedBlock block_;
  StateLayout layout_;
  ZydisDecoder decoder_{};
  i64 first_{}, behind_{};
  CutSums cuts_;
  std::map<std::size_t, HostState> known_;
  std::vector<std::size_t> open_;
  std::string violation_;
};

}  // namespace

std::string boundary_violation(const EmittedBlock& block, const x86::Cpu& cpu) {
  return Walk(block, cpu).run();
}

}  // namespace rhea::test
