// SPDX-License-Identifier: GPL-2.0-or-later
// A block of decoded instructions turned into host code.
//
// General registers live in host registers (guest()): all but RSP, R10, R11, R14 and R15 in those
// of the same number, RSP in R14, the others in the state block (Cpu), which R15 points to. R10 and
// R11 are scratch.
// Between blocks the status flags lie in Translated::flags; within one the host's are the guest's
// from the instruction that sets them to whatever needs them in memory: an instruction that may
// fault, the end.
// An instruction that has no emitter, or whose access finds no TLB entry, is executed by its
// function (Insn::exec), with all registers in the state block.
#pragma once

#include "target/x86/cpu.h"
#include "target/x86/insn.h"
#include "target/x86/isa/row.h"
#include "target/x86/translate/assembler.h"
#include "target/x86/translate/host_cpu.h"

#include <array>
#include <span>
#include <string_view>
#include <vector>

namespace rhea::x86::translating {

inline constexpr unsigned kScratch0 = host::kR11, kScratch1 = host::kR10, kGuestRsp = host::kR14,
                          kState = host::kR15;
/// The host register of a guest's general register; kHome: it stays in the state block.
inline constexpr unsigned kHome = 0xff;
constexpr unsigned guest(unsigned reg) {
  if (reg == Rsp) return kGuestRsp;
  return reg == R10 || reg == R11 || reg == R14 || reg == R15 ? kHome : reg;
}
/// Those that lie in host registers, by the guest's number.
inline constexpr std::array<u8, 12> kResident{Rax, Rcx, Rdx, Rbx, Rsp, Rbp,
                                              Rsi, Rdi, R8,  R9,  R12, R13};

/// kState points that far behind Cpu::gpr, so that what is used most has a short displacement.
inline constexpr i32 kStateBias = 128;

/// What code means beside its bytes and the processor's model.
struct BlockMode {
  u8 code_bits{64};
  bool flat_data{};   ///< DS, ES and SS: base 0, 4 GiB, readable and writable
  bool flat_code{};   ///< likewise CS; in long mode both are set
  bool wide_stack{};  ///< SS.B: 32-bit stack
  bool long_mode() const { return code_bits == 64; }
};

/// A jump to other code of the same page, which can be led there directly.
struct Site {
  u32 displacement{};  ///< where the jump's 4 bytes lie in the block's code
  u32 stub{};          ///< where it leads as long as it is not linked
  u16 target{};        ///< offset in the page
};

/// Code that blocks go to, in the same buffer (see runtime.h). With the block's header in
/// kScratch1.
struct Runtime {
  /// Called with bits of Resident in kScratch0, flags in memory: loads those that are not yet in
  /// the host's registers. Carry: the processor's state does not allow it. Uses both scratch
  /// registers.
  const u8* load{};
  const u8* call{};   ///< calls the function of an instruction: its record() in kScratch0
  const u8* leave{};  ///< out of translated code; kScratch0 says where to: left_at(), left_by()
};

/// Of a jump that Assembler::write_jump makes of the code at a block's entry.
inline constexpr std::size_t kJumpBytes = 5;

/// kScratch0 at `leave`: an offset from page_rip, or the number of a Site. `early`: there the block
/// would have gone on, had an access been looked up again.
constexpr u64 left_at(i64 offset) { return static_cast<u32>(offset); }
constexpr u64 left_by(u32 site) { return u64{1} << 32 | site; }
constexpr u64 left_early(i64 offset) { return u64{1} << 33 | left_at(offset); }
constexpr bool is_by_site(u64 where) { return (where >> 32 & 1) != 0; }
constexpr bool is_early(u64 where) { return (where >> 33 & 1) != 0; }

/// An access to memory.
struct Access {
  unsigned size{};
  bool write{};
  bool aligned{};  ///< only if it is naturally aligned: locked ones must not split a cache line
};

/// Where an access went that has found no TLB entry. Nothing that is checked before it has failed.
enum class Reach : u8 {
  Unknown,
  Operand,      ///< the memory operand
  Push,         ///< below SS:RSP
  Pop,          ///< SS:RSP
  Frame,        ///< SS:RBP
  Destination,  ///< ES:RDI
  Copy,         ///< the memory operand is read, then ES:RDI written
};

/// What kScratch0 says at `call`: which instruction of the block, its offset in the page, whether
/// it is the last that may be executed without a look around, and why it is called.
class Record {
 public:
  explicit Record(u32 bits) : bits_(bits) {}
  Record(unsigned index, unsigned offset, bool ends)
      : bits_(index | (ends ? 0x80U : 0U) | offset << 8) {}
  /// The same for an access.
  Record reaching(Reach what, Access access) const {
    if (access.size > kMostSize || what == Reach::Unknown) return *this;
    return Record(bits_ | static_cast<u32>(what) << 20 | (access.write ? 1U << 23 : 0U) |
                  access.size << 24 | (access.aligned ? 1U << 31 : 0U));
  }
  u32 bits() const { return bits_; }
  unsigned index() const { return bits_ & 0x7f; }
  bool ends() const { return (bits_ & 0x80) != 0; }
  unsigned offset() const { return bits_ >> 8 & 0xfff; }
  Reach reach() const { return static_cast<Reach>(bits_ >> 20 & 7); }
  Access access() const {
    return {.size = bits_ >> 24 & kMostSize,
            .write = (bits_ >> 23 & 1) != 0,
            .aligned = bits_ >> 31 != 0};
  }

 private:
  static constexpr unsigned kMostSize = 0x7f;
  u32 bits_;
};

/// The members of Cpu as seen from kState.
class StateLayout {
 public:
  explicit StateLayout(const Cpu& cpu);

  Mem gpr(unsigned reg) const { return at(gpr_ + static_cast<i32>(reg & 15) * 8); }
  Mem segment_base(unsigned segment) const {
    return at(base_ + static_cast<i32>(segment) * base_step_);
  }
  /// SegmentRegister::read_end or write_end.
  Mem segment_end(unsigned segment, bool write) const {
    return at((write ? write_end_ : read_end_) + static_cast<i32>(segment) * base_step_);
  }
  Mem vector(unsigned reg, unsigned part = 0) const {
    return at(ymm_ + static_cast<i32>((reg & 15) * sizeof(VectorRegister) + part * 8));
  }
  Mem selector(unsigned segment) const {
    return at(selector_ + static_cast<i32>(segment) * base_step_);
  }
  Mem x87_register(unsigned part, u8 index) const {
    return {.base = kState, .index = index, .disp = x87_ + static_cast<i32>(part)};
  }
  Mem x87_image(unsigned offset) const { return at(image_ + static_cast<i32>(offset)); }
  Mem fcw, fsw, fxtag, fop, fip, fdp, fcs, fds;
  Mem page_rip, flags, eflags, temporary, temporary2, read_table, write_table, table_mask, jumps,
      call, owner, attention, budget, resident, kept, refused, cr0, cr4, xcr0, mxcsr, host_mxcsr,
      host_fcw, cpl, kernel_gs_base;

 private:
  static Mem at(i32 offset) { return {.base = kState, .disp = offset}; }
  i32 gpr_{}, base_{}, base_step_{}, read_end_{}, write_end_{}, ymm_{}, selector_{}, x87_{},
      image_{};
};

/// What FIP, FCS, FOP and FDS are to be, before anybody can see it: those of the last x87
/// instruction that is not a control one. FDP is stored behind each.
struct X87Pointers {
  bool pending{};
  u8 segment{kNoSegment};  ///< of the last memory operand
  u16 opcode{};
  i64 offset{};
};

struct Emitter;

/// How the status flags can be made again from registers that have not been written since.
struct FlagSource {
  enum class Kind : u8 {
    None,
    Compare,  ///< left - right
    And,      ///< left & right
    Sum,      ///< left has become left + right
    Difference
  };
  Kind kind{};
  u8 size{};
  u8 left{}, right{kNoReg};  ///< the guest's registers; no `right`: `imm`
  i32 imm{};
  bool is_of(unsigned reg) const { return left == reg || right == reg; }
};

/// Which of the guest's registers an instruction writes.
enum class Clobbers : u8 {
  Any,
  First,   ///< operand 0
  Result,  ///< operand 0, and status flags
  Stack    ///< RSP, RBP, and operand 0
};

class Translator {
 public:
  /// Blocks may be entered at `entry`, or at `quick_entry` where nobody has to look around. That of
  /// an instruction which ends on another page looks its address up: it may be another one.
  struct Result {
    u32 size{}, entry{}, quick_entry{};
    u32 way_out{};            ///< leaves before the first instruction; for who comes by `entry`
    u64 called{};             ///< which instructions are, each time; by their number
    u32 call{}, leave{};      ///< the ways to Runtime's
    std::vector<u32> starts;  ///< where each instruction's code begins; the last: what is behind it
    std::vector<Site> sites;
  };

  /// `host`: what the code may use.
  Translator(std::span<u8> room, const StateLayout& layout, const Runtime& runtime,
             const void* block, const HostCpu& host = host_cpu());
  /// False: no room.
  bool run(std::span<const Insn> insns, unsigned page_offset, const BlockMode& how, Result& result);

  // ---- For the emitters.
  Assembler a;
  const StateLayout& state;
  const HostCpu& host_has;
  BlockMode mode;

  // ---- General registers. Neither changes flags.
  /// Host register with a guest's register's value: its own, or `scratch`, loaded.
  unsigned value(unsigned reg, unsigned scratch);
  /// Host register for an operand that is written, `size` bytes of it; with its old value if
  /// `read`. Then finish().
  unsigned result(unsigned reg, unsigned scratch, unsigned size, bool read);
  void finish(unsigned reg, unsigned scratch);

  // ---- Memory. What finds no TLB entry has the instruction called, of which nothing may have been
  // done. All status flags of the host are lost. Uses both scratch registers; the result needs
  // kScratch1 only.
  /// Whether accesses to the memory operand can be emitted.
  bool reaches(const Insn& insn) const;
  Mem memory(const Insn& insn, Access access, Reach reach = Reach::Operand);
  /// A guest's register, or kNoReg, plus `disp`: `width` bytes of the sum.
  struct Pointer {
    unsigned reg{}, width{};
    i32 disp{};
  };
  Mem memory(unsigned segment, const Pointer& pointer, Access access, Reach reach = Reach::Unknown);
  unsigned stack_width() const { return mode.long_mode() ? 8 : mode.wide_stack ? 4 : 2; }
  Mem stack(unsigned reg, i32 disp, Access access) {
    // What is pushed and popped in one go here may be several accesses.
    const Reach reach = access.size > 8 ? Reach::Unknown
                        : reg == Rbp    ? Reach::Frame
                        : disp == 0     ? Reach::Pop
                                        : Reach::Push;
    return memory(Ss, {.reg = reg, .width = stack_width(), .disp = disp}, access, reach);
  }
  /// RSP has been moved.
  void moved_stack(i32 by);
  /// Of memory from the linear address in `address` to the last byte, on one page: kScratch1 is
  /// what to add for the host's. Called as `miss` says if there is no such page.
  void probe_up_to(unsigned address, const Mem& last, bool write, Record miss);
  Record reaching(Reach what, Access access) const {
    return Record(record_).reaching(what, access);
  }
  /// Into `to`, any register; uses both scratch registers, no flags.
  void effective_address(const Insn& insn, unsigned to);

  // ---- Flags. They are in at least one of three places: the host's, memory, what they were made
  // from (source_).
  /// The host's are the guest's. Uses kScratch0.
  void flags_to_host();
  /// Translated::flags are the guest's. Uses kScratch0.
  void flags_to_memory();
  /// The host's are about to be lost: what calls the instruction out of line can save them.
  void keep_flags_for_calls();
  void flags_lost() { in_host_ = false; }
  void flags_set(FlagSource source = {}) {
    in_host_ = true;
    in_memory_ = false;
    source_ = source;
  }
  /// Before an instruction that leaves some flags alone.
  void keep_flags() {
    if (wanted_[index_]) flags_to_host();
  }

  // ---- x87.
  /// An instruction that leaves its address has been emitted. Uses kScratch0 and 1, no flags.
  void note_x87(const Insn& insn);

  // ---- Control flow. Flags must be in memory.
  /// Of the instruction behind this one in the page.
  i64 next_offset() const { return offset_ + insns_[index_].length; }
  i64 next_offset(Record record) const {
    return i64{record.offset()} + insns_[record.index()].length;
  }
  static bool same_page(i64 offset) { return offset >= 0 && offset < 0x1000; }
  unsigned address_width() const { return mode.long_mode() ? 8 : 4; }
  /// RIP of an offset in the page into a register. `cut`: to 16 bits.
  void load_rip(unsigned to, i64 offset, bool cut = false);
  /// Jumps there, or has it looked up.
  void go_to(i64 offset, bool cut = false);
  void go_to_if(Condition condition, i64 offset, bool cut = false);
  /// Likewise out of the block's middle. Flags must be in the host's, and stay where they are for
  /// what follows.
  void exit_if(Condition condition, i64 offset, bool cut);
  /// To what lies behind the instruction, which shall not be called instead.
  void go_on();
  bool is_last() const { return index_ + 1 == insns_.size(); }
  /// Looks up the guest's address in kScratch0; the host's is then in memory at kScratch1 + 8.
  /// What is in neither way has the instruction called.
  void look_up();
  /// The address in kScratch0 has been looked up, and RIP is to be there.
  void set_page_of_scratch();
  /// Where the condition holds, the instruction is called instead.
  void call_if(Condition condition) { call_if(condition, Record(record_)); }
  void call_if(Condition condition, Record record);
  void end() { ended_ = true; }

 private:
  enum class ColdKind : u8 { Call, Site, GoTo, Exit, Leave, Load, StackRun, Near };
  /// An access by a general register that stays in the host's, plus `disp`, in long mode: the
  /// addend of its page is in kScratch1.
  struct Near {
    u8 base{kNoReg};
    bool write{};
    u16 size{};
    i32 disp{};
    u32 number{};    ///< in near_used_
    u32 r10_uses{};  ///< the assembler's
  };
  /// Code out of line.
  struct Cold {
    ColdKind kind{};
    u8* from{};         ///< a displacement that leads there
    const u8* back{};   ///< where it goes on
    const u8* found{};  ///< where it goes on if a JumpTable's other way has the address
    u64 what{};         ///< for kScratch0; GoTo, Exit: record()
    i64 target{};
    bool cut{};  ///< GoTo, Exit: `target`, to 16 bits
    X87Pointers x87{};
    FlagSource flags{};  ///< Call: save them; None: they are in memory
    u8 count{};          ///< StackRun: so many instructions from record() on
    Near near{};         ///< what has to hold where it goes on, if somebody relies on it
    Near wanted{};       ///< Near: what is looked up
  };
  void emit_entry();
  void emit_residence();
  void settle_x87(const X87Pointers& pointers);
  void settle_x87() {
    settle_x87(x87_);
    x87_ = {};
  }
  void emit_load(const Cold& cold);
  void emit_insn();
  void next_insn() { offset_ += insns_[index_++].length; }
  /// How many instructions from here on push registers and constants, or pop registers: their
  /// stack is looked up once for all of them.
  unsigned stack_run() const;
  void emit_stack_run(unsigned count);
  void emit_stack_calls(const Cold& cold);
  void emit_call();
  void emit_cold(const Cold& cold);
  void settle_for_call(const Cold& cold);
  void find_wanted_flags();
  void settle_flags(const Insn& insn, const Emitter* emitter);
  void make_flags(const FlagSource& source);
  void save_flags();
  void flags_from_memory();
  void probe(unsigned address, Access access, Reach reach);
  void find_tlb_entry(unsigned address, bool write);
  void compare_page(i64 mask, Record miss);
  Mem finish_address(const Insn& insn);
  /// Whether the access is on the page of the last one, but for a comparison at most.
  bool is_near(unsigned base, i32 disp, Access access) const;
  Mem near_memory(unsigned base, i32 disp, Access access, Reach reach);
  void set_near(unsigned base, i32 disp, Access access);
  bool near_holds() const { return near_.base != kNoReg && near_.r10_uses == a.r10_uses(); }
  void settle_near(const Insn& insn, const Emitter* emitter);
  u8* find_near(const Near& what);
  void emit_near(const Cold& cold);
  void find_near_again(const Cold& cold, i64 next);
  bool is_segmented(unsigned segment) const;
  void pointer_address(const Pointer& pointer);
  template <class Compute>
  Mem in_segment(unsigned segment, Access access, Reach reach, Compute offset);
  void jump_site(u8* displacement, i64 offset);
  void go_to_page(i64 offset, bool cut);
  void go_on_by_rip(i64 offset);
  void find_entry();
  void try_other_way(const u8* found);
  u32 record() const;
  bool plain(const Insn& insn) const {
    return mode.long_mode() && insn.address_size == 8 && insn.seg < Fs;
  }

  const Runtime& runtime_;
  const void* block_;
  u8 resident_{};  ///< what has to be, throughout the block
  u8* header_{};
  u8* call_{};
  u8* leave_{};
  std::span<const Insn> insns_;
  unsigned index_{};
  i64 offset_{}, start_{};
  u32 record_{};
  bool in_host_{}, in_memory_{true};
  FlagSource source_;
  bool ended_{};
  std::array<bool, 64> wanted_{};
  std::vector<Cold> cold_;
  X87Pointers x87_;
  Near near_;
  bool stack_moved_{};           ///< by the instruction, as near_ knows
  std::vector<bool> near_used_;  ///< of each Near: whether another access relies on it
  Result* result_{};
};

/// Emits one instruction. False: it cannot, and nothing has been emitted.
using Emit = bool (*)(Translator& t, const Insn& insn);

/// A mnemonic as the instruction table has it, and its emitter.
struct Emitter {
  std::string_view mnemonic;
  Emit emit;
  bool may_fault{};  ///< even without a memory operand
  Clobbers clobbers{};
  u8 resident{};  ///< bits of Resident: what must lie in the host's registers
};

/// The families, by mnemonic.
std::span<const Emitter> alu_emitters();
std::span<const Emitter> bit_emitters();
std::span<const Emitter> branch_emitters();
std::span<const Emitter> exchange_emitters();
std::span<const Emitter> move_emitters();
std::span<const Emitter> muldiv_emitters();
std::span<const Emitter> segment_emitters();
std::span<const Emitter> shift_emitters();
std::span<const Emitter> stack_emitters();
std::span<const Emitter> string_emitters();
std::span<const Emitter> system_emitters();
std::span<const Emitter> vector_emitters();
std::span<const Emitter> x87_emitters();
/// Of rows that have none by their mnemonic, by what the row says; null: called.
const Emitter* vector_emitter(const isa::Row& row);
const Emitter* x87_emitter(const isa::Row& row);

/// The row's emitter; null: it is called.
const Emitter* emitter_of(unsigned row);
/// Whether nothing of the block may be executed behind the instruction without a look around.
bool ends_translation(const Insn& insn, bool long_mode);
/// Jcc: the block goes on where it does not jump.
bool is_conditional(const Insn& insn);
/// Bits of Resident: what must lie in the host's registers while these are executed.
u8 residence_of(std::span<const Insn> insns);

/// Whether the operand is AH, CH, DH or BH.
inline bool is_high_byte(const Operand& op) {
  return op.kind == OperandKind::Gpr && op.reg >= kHighByte;
}
inline bool is_memory(const Operand& op) { return op.kind == OperandKind::Memory; }
/// Whether registers can be encoded: AH and its like need an instruction without REX.
bool encodable(const Insn& insn);

}  // namespace rhea::x86::translating
