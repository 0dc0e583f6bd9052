// SPDX-License-Identifier: GPL-2.0-or-later
// Host instructions, x86-64 machine code, written one behind the other.
#pragma once

#include "rhea/util/types.h"

#include <cstring>
#include <span>

namespace rhea::x86::translating {

/// Host registers by number, as encodings have them. AH, CH, DH and BH are kHighByte + 0 to 3.
namespace host {
inline constexpr unsigned kRax = 0, kRcx = 1, kRdx = 2, kRbx = 3, kRsp = 4, kRbp = 5, kRsi = 6,
                          kRdi = 7, kR8 = 8, kR9 = 9, kR10 = 10, kR11 = 11, kR12 = 12, kR13 = 13,
                          kR14 = 14, kR15 = 15;
}  // namespace host

/// base + index << scale + disp, of host registers.
struct Mem {
  static constexpr u8 kNone = 0xff;
  u8 base{kNone};
  u8 index{kNone};
  u8 scale{};
  i32 disp{};
};

struct Opcode {
  enum Map : u8 { OneByte, Map0f, Map0f38, Map0f3a };
  u8 byte{};
  Map map{OneByte};
  u8 prefix{};  ///< mandatory: 0x66, 0xf2, 0xf3 or none
  bool lock{};
  bool digit{};    ///< ModRM.reg is a part of the opcode
  bool byte_rm{};  ///< ModRM.rm is a byte register whatever the size
};

/// Conditions by the low bits of their opcodes.
enum Condition : u8 {
  kOverflow,
  kNotOverflow,
  kBelow,
  kAboveOrEqual,
  kEqual,
  kNotEqual,
  kBelowOrEqual,
  kAbove,
  kSign,
  kNotSign,
  kParity,
  kNotParity,
  kLess,
  kGreaterOrEqual,
  kLessOrEqual,
  kGreater
};

/// Opcode bits 5..3 of the eight operations, and /digit of the shifts.
enum Alu : u8 { kAdd, kOr, kAdc, kSbb, kAnd, kSub, kXor, kCmp };
enum ShiftKind : u8 { kRol, kRor, kRcl, kRcr, kShl, kShr, kSal, kSar };

/// Sizes are in bytes: 1, 2, 4, 8. Writes past the room it was given are dropped, and remembered.
class Assembler {
 public:
  explicit Assembler(std::span<u8> room)
      : start_(room.data()), at_(room.data()), end_(room.data() + room.size()) {}

  u8* here() const { return at_; }
  u32 offset() const { return static_cast<u32>(at_ - start_); }
  u8* start() const { return start_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  bool overrun() const { return overrun_; }
  /// How often R10 has been an operand, other than in an address: unchanged, it holds what it held.
  u32 r10_uses() const { return r10_uses_; }

  // ---- Any instruction with ModRM; `imm_size` bytes of immediate may follow (imm()).
  void op(unsigned size, Opcode code, unsigned reg, unsigned rm);
  void op(unsigned size, Opcode code, unsigned reg, const Mem& m);
  void imm(u64 value, unsigned bytes) { put(value, bytes); }
  /// VEX-encoded: `map` 1 to 3 (0F, 0F38, 0F3A), `pp` 0 to 3 (none, 66, F3, F2).
  struct Vex {
    u8 byte{}, map{2}, pp{};
    bool w{}, l{};
  };
  void vex(Vex code, unsigned reg, unsigned vvvv, unsigned rm);
  void vex(Vex code, unsigned reg, unsigned vvvv, const Mem& m);

  // ---- Moves.
  void mov(unsigned to, unsigned from) {
    if (to != from) op(8, {0x8b}, to, from);
  }
  void mov32(unsigned to, unsigned from) { op(4, {0x8b}, to, from); }
  void load(unsigned size, unsigned to, const Mem& m) {
    op(size, {size == 1 ? u8{0x8a} : u8{0x8b}}, to, m);
  }
  void store(unsigned size, const Mem& m, unsigned from) {
    op(size, {size == 1 ? u8{0x88} : u8{0x89}}, from, m);
  }
  void mov_imm(unsigned to, u64 value);
  void lea(unsigned size, unsigned to, const Mem& m) { op(size, {0x8d}, to, m); }

  // ---- Arithmetic.
  void alu(unsigned size, Alu what, unsigned to, unsigned from) {
    op(size, {static_cast<u8>(what << 3 | (size == 1 ? 2 : 3))}, to, from);
  }
  void alu(unsigned size, Alu what, unsigned to, const Mem& m) {
    op(size, {static_cast<u8>(what << 3 | (size == 1 ? 2 : 3))}, to, m);
  }
  void alu(unsigned size, Alu what, const Mem& m, unsigned from, bool lock = false) {
    op(size, {static_cast<u8>(what << 3 | (size == 1 ? 0 : 1)), Opcode::OneByte, 0, lock}, from, m);
  }
  /// The immediate is sign-extended from at most 32 bits.
  template <class Place>
  void alu_imm(unsigned size, Alu what, const Place& place, i64 value, bool lock = false) {
    const bool small = size > 1 && value >= -128 && value < 128;
    op(size,
       {size == 1 ? u8{0x80}
        : small   ? u8{0x83}
                  : u8{0x81},
        Opcode::OneByte, 0, lock, true},
       what, place);
    put(static_cast<u64>(value), size == 1 || small ? 1 : size == 2 ? 2 : 4);
  }
  template <class Place>
  void shift_imm(unsigned size, ShiftKind what, const Place& place, unsigned count) {
    op(size, {size == 1 ? u8{0xc0} : u8{0xc1}, Opcode::OneByte, 0, false, true}, what, place);
    put(count, 1);
  }

  // ---- Control flow. Those that return an address return that of their displacement of 4 bytes.
  u8* jmp();
  u8* jcc(Condition condition);
  u8* call();
  void jmp_through(const Mem& m) { op(4, {0xff}, 4, m); }
  void call_through(const Mem& m) { op(4, {0xff}, 2, m); }
  void byte(unsigned value) { put(value, 1); }
  void bytes(std::initializer_list<unsigned> values) {
    for (const unsigned value : values) put(value, 1);
  }
  /// Makes a displacement lead to `target` of the same buffer.
  static void bind(u8* displacement, const u8* target) {
    const auto distance = static_cast<i32>(target - (displacement + 4));
    std::memcpy(displacement, &distance, sizeof distance);
  }
  /// Makes an instruction at `at` (of 5 bytes) jump to `target` of the same buffer.
  static void write_jump(u8* at, const u8* target) {
    *at = 0xe9;
    bind(at + 1, target);
  }
  void bind_here(u8* displacement) {
    if (!overrun_) bind(displacement, at_);
  }
  /// RIP-relative address of something in the same buffer.
  void lea_code(unsigned to, const u8* target);

 private:
  void note(unsigned reg) { r10_uses_ += reg == host::kR10; }
  void put(u64 value, unsigned size) {
    if (left() < size) {
      overrun_ = true;
      at_ = start_;
    }
    std::memcpy(at_, &value, size);
    at_ += size;
  }
  void prefixes(unsigned size, const Opcode& code, unsigned reg, unsigned index, unsigned rm,
                bool rm_is_byte);
  void modrm(unsigned reg, const Mem& m);
  void vex_prefix(const Vex& code, unsigned reg, unsigned vvvv, bool high_index, bool high_base);

  u8* start_;
  u8* at_;
  u8* end_;
  bool overrun_{};
  u32 r10_uses_{};
};

}  // namespace rhea::x86::translating
