// SPDX-License-Identifier: GPL-2.0-or-later
// Following host code with what its registers may hold.
#include "tests/jit/boundary.h"

#include "target/x86/translate/translator.h"

#include <Zydis/Zydis.h>
#include <fmt/format.h>

#include <array>
#include <map>
#include <optional>
#include <vector>

namespace rhea::test {
namespace {

using x86::translating::StateLayout;
namespace host = x86::translating::host;

/// What a register holds.
enum class Holds : u8 {
  Anything,
  Small,      ///< an offset in a JumpTable
  TlbIndex,   ///< masked by the size of the tables
  ReadEntry,  ///< address of an entry
  WriteEntry,
  JumpEntry,
  ReadChecked,  ///< of one that is the address's
  WriteChecked,
  JumpChecked,
  ReadAddend,  ///< what makes a host address, or one
  WriteAddend,
  Code,  ///< address of host code
};
using enum Holds;

constexpr unsigned kTemporaries = 2;
struct Machine {
  std::array<Holds, 16> reg{};
  std::array<Holds, kTemporaries> temporary{};
  int compared{-1};  ///< register with the entry that the flags are about
  friend bool operator==(const Machine&, const Machine&) = default;
};

Machine meet(const Machine& a, const Machine& b) {
  Machine made = a;
  for (unsigned n = 0; n < 16; ++n)
    if (a.reg[n] != b.reg[n]) made.reg[n] = Anything;
  for (unsigned n = 0; n < kTemporaries; ++n)
    if (a.temporary[n] != b.temporary[n]) made.temporary[n] = Anything;
  if (a.compared != b.compared) made.compared = -1;
  return made;
}

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
      step(at, Machine(known_.at(at)));
    }
    return violation_;
  }

 private:
  /// Control gets there with that.
  void come(std::size_t at, const Machine& machine) {
    const auto it = known_.find(at);
    const Machine made = it == known_.end() ? machine : meet(it->second, machine);
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

  void step(std::size_t at, Machine machine) {
    Decoded d;
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder_, block_.code.data() + at, block_.end - at,
                                             &d.insn, d.op.data())))
      return wrong(at, "no instruction");
    for (unsigned n = 0; n < d.insn.operand_count; ++n)
      if (is_access(d.op[n]) && !may_access(machine, d.op[n])) return wrong(at, "unchecked access");
    if (leads_elsewhere(at, d, machine)) return;
    change(machine, d);
    if (machine.reg[host::kR15] != Anything) return wrong(at, "the state's register is written");
    come(at + d.insn.length, machine);
  }

  bool may_access(const Machine& machine, const ZydisDecodedOperand& op) const {
    const ZydisDecodedOperandMem& m = op.mem;
    if (m.segment == ZYDIS_REGISTER_FS || m.segment == ZYDIS_REGISTER_GS) return false;
    const auto base = general(m.base);
    if (!base) return false;
    const bool hidden = op.visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN;
    if (*base == host::kRsp) return hidden;  // a call's return address
    if (*base == host::kR15) {
      const auto index = general(m.index);
      const i64 size = op.size / 8;
      return (!index || machine.reg[*index] == Small) && m.disp.value >= first_ &&
             m.disp.value + size <= behind_;
    }
    const Holds holds = machine.reg[*base];
    if (holds >= ReadEntry && holds <= JumpChecked)
      return !writes(op) && !general(m.index) && (m.disp.value == 0 || m.disp.value == 8);
    return holds == WriteAddend || (holds == ReadAddend && !writes(op));
  }

  /// Where what was compared is the same.
  static Machine behind_compare(Machine machine) {
    if (machine.compared < 0) return machine;
    Holds& entry = machine.reg[static_cast<unsigned>(machine.compared)];
    entry = static_cast<Holds>(static_cast<unsigned>(entry) + 3);
    machine.compared = -1;
    return machine;
  }

  /// Jumps, calls and returns.
  bool leads_elsewhere(std::size_t at, const Decoded& d, Machine& machine) {
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
      machine.compared = -1;
      come(next, machine);
    }
    return true;
  }
  bool leads_to_code(const Machine& machine, const ZydisDecodedOperand& op) const {
    if (op.type != ZYDIS_OPERAND_TYPE_MEMORY) return false;
    if (const auto slot = temporary(op)) return machine.temporary[*slot] == Code;
    const auto base = general(op.mem.base);
    return base && machine.reg[*base] == JumpChecked && op.mem.disp.value == 8;
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

  /// What a move's source is.
  Holds source(const Machine& machine, const ZydisDecodedOperand& op) const {
    if (op.size != 64) return Anything;
    if (is_register(op)) {
      const auto from = general(op.reg.value);
      return from ? machine.reg[*from] : Anything;
    }
    if (!is_access(op)) return Anything;
    if (const auto slot = temporary(op)) return machine.temporary[*slot];
    const auto base = general(op.mem.base);
    if (!base || op.mem.disp.value != 8) return Anything;
    switch (machine.reg[*base]) {
      case ReadChecked: return ReadAddend;
      case WriteChecked: return WriteAddend;
      case JumpChecked: return Code;
      default: return Anything;
    }
  }

  /// Flips the bit between an entry and its slot's other way.
  static bool is_other_way(const ZydisDecodedOperand& op) {
    return op.type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
           op.imm.value.u == sizeof(x86::JumpTable::Entry);
  }

  /// What operand 0 is behind an AND, ADD, XOR or MOV.
  Holds result(const Machine& machine, const Decoded& d) const {
    const auto to = general(d.op[0].reg.value);
    const Holds old = to ? machine.reg[*to] : Anything;
    switch (d.insn.mnemonic) {
      case ZYDIS_MNEMONIC_MOV: return source(machine, d.op[1]);
      case ZYDIS_MNEMONIC_AND:
        if (is_state(d.op[1], layout_.table_mask)) return TlbIndex;
        return d.op[0].size == 32 && d.op[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
                       d.op[1].imm.value.u < sizeof(x86::JumpTable::entries)
                   ? Small
                   : Anything;
      case ZYDIS_MNEMONIC_ADD:
        if (d.op[0].size != 64) return Anything;
        if (old == TlbIndex && is_state(d.op[1], layout_.read_table)) return ReadEntry;
        if (old == TlbIndex && is_state(d.op[1], layout_.write_table)) return WriteEntry;
        if (old == Small && is_state(d.op[1], layout_.jumps)) return JumpEntry;
        return old == ReadAddend || old == WriteAddend ? old : Anything;
      case ZYDIS_MNEMONIC_XOR:
        return d.op[0].size == 64 && old == JumpEntry && is_other_way(d.op[1]) ? JumpEntry
                                                                               : Anything;
      default: return Anything;
    }
  }

  void change(Machine& machine, const Decoded& d) {
    const Holds made = is_register(d.op[0]) ? result(machine, d) : Anything;
    machine.compared = -1;
    if (d.insn.mnemonic == ZYDIS_MNEMONIC_CMP && is_access(d.op[1])) {
      const auto base = general(d.op[1].mem.base);
      if (base && machine.reg[*base] >= ReadEntry && machine.reg[*base] <= JumpEntry &&
          d.op[1].mem.disp.value == 0 && d.op[1].size == 64)
        machine.compared = static_cast<int>(*base);
    }
    const bool repeated = (d.insn.attributes & ZYDIS_ATTRIB_HAS_REP) != 0;
    for (unsigned n = 0; n < d.insn.operand_count; ++n) {
      if (!writes(d.op[n])) continue;
      if (const auto slot = temporary(d.op[n]))
        machine.temporary[*slot] =
            d.insn.mnemonic == ZYDIS_MNEMONIC_MOV ? source(machine, d.op[1]) : Anything;
      const auto to = is_register(d.op[n]) ? general(d.op[n].reg.value) : std::nullopt;
      if (!to || *to == host::kRsp) continue;
      // Elements on one page: the pointers are behind it at most.
      machine.reg[*to] = n == 0 && !repeated ? made : Anything;
      if (*to == host::kR15) machine.reg[*to] = Small;
    }
  }

  EmittedBlock block_;
  StateLayout layout_;
  ZydisDecoder decoder_{};
  i64 first_{}, behind_{};
  std::map<std::size_t, Machine> known_;
  std::vector<std::size_t> open_;
  std::string violation_;
};

}  // namespace

std::string boundary_violation(const EmittedBlock& block, const x86::Cpu& cpu) {
  return Walk(block, cpu).run();
}

}  // namespace rhea::test
