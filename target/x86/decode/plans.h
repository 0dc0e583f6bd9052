// SPDX-License-Identifier: GPL-2.0-or-later
// Plans: instructions decoded in advance, so that little is left to do when one comes.
//
// A plan is what the general decoder (rows.h) makes of an opcode with its mandatory prefix, REX.W
// and where it matters ModRM.reg. To decode is then to copy it and to fill in what only the bytes
// can say: register numbers, address, displacement and immediate, and that by tables and shifts.
// Branches would go one way or the other by chance, and a wrong guess of the host's costs more than
// all of this. What has no plan is for the general decoder.
#pragma once

#include "target/x86/decode/address_table.h"
#include "target/x86/decode/decode.h"

#include <vector>

namespace rhea::x86::decoding {

/// Where a register's number comes from. The short ones are not extended by REX.
enum class Lane : u8 { None, Reg, Rm, RexB, Vvvv, ShortReg, ShortRm };

/// How the immediate's bytes become Insn::imm.
enum class ImmediateRule : u8 { None, Byte, SignedByte, Word, SignedWord, SignedDword, Qword };

inline constexpr unsigned kPlannedOperands = 3;

/// One host cache line.
struct alignas(64) Plan {
  /// Insn::length is that of opcode and immediate; 0: there is no plan.
  Insn insn;
  std::array<Lane, kPlannedOperands> lane{};  ///< without VEX the third is None
  u8 immediate_size{};
  ImmediateRule immediate{};
  u8 feature{};  ///< these two must be there, or be kNoFeature
  u8 second_feature{};
  bool byte_registers : 1 {};  ///< some register operand is a byte
  bool forbids_vvvv : 1 {};
  bool forbids_rex_b : 1 {};  ///< there is something else then; its opcode has kOddLength
};
static_assert(sizeof(Plan) == 64);

/// The plans of one opcode: one, or two by ModRM.mod (memory, register), or sixteen by reg and mod.
struct PlannedOpcode {
  u16 first{};
  u8 reg_mask : 4 {};  ///< of ModRM / 4
  /// As in the plans, where it is the same in all of them: the next instruction need not wait for
  /// the plan then.
  u8 length : 4 {kOddLength};
  i8 modrm_mask{};  ///< -1; 0 where there is no ModRM
  static constexpr u8 kOddLength = 15;
};

/// Of an opcode's place in a PlannedMode: prefix (isa::MandatoryPrefix) and REX.W, map.
inline constexpr unsigned kPlanContexts = 8;
constexpr unsigned planned_map(unsigned context, unsigned map) { return (context * 2 + map) * 256; }
/// With VEX: pp, W and L; the map is 0F, 0F 38 or 0F 3A.
inline constexpr unsigned kVexContexts = 16;
constexpr unsigned planned_vex_map(unsigned context, unsigned map) {
  return (context * 4 + map) * 256;
}

/// The plans of 16-, 32- or 64-bit code.
struct PlannedMode {
  /// By the first byte: 0, or for a REX prefix kIsRex and its low four bits.
  std::array<u8, 256> rex{};
  AddressTable addresses{};
  std::array<PlannedOpcode, planned_map(kPlanContexts, 0)> opcodes{};
};
inline constexpr u8 kIsRex = 16;

class Plans {
 public:
  /// False: there is no plan, and insn is worth nothing. kReadable bytes must be readable. (What
  /// x86::decode() asks first; by itself it is for tests.)
  static bool try_decode(const u8* bytes, const DecodeMode& mode, Insn& insn);

 private:
  friend DecodeStatus x86::decode(std::span<const u8> bytes, const DecodeMode& mode, Insn& insn);
  struct Opening;
  struct Head;

  Plans();
  static const Plans& get();
  void add_mode(unsigned number);
  void add_vex();
  PlannedOpcode add_opcode(const Head& head, u8 opcode);

  bool decode(const u8* bytes, const DecodeMode& mode, Insn& insn) const;
  bool decode_prefixed(const u8* bytes, const DecodeMode& mode, Insn& insn) const;
  bool decode_vex(const u8* bytes, const DecodeMode& mode, Insn& insn) const;
  Opening open(const u8* bytes, const DecodeMode& mode, unsigned prefix) const;
  bool finish(const Opening& opening, const DecodeMode& mode, Insn& insn) const;
  static void fill_in(const Opening& opening, const Plan& plan, unsigned planned_length,
                      unsigned modrm_mask, Insn& insn);

  std::array<PlannedMode, 3> modes_;
  std::array<PlannedOpcode, planned_vex_map(kVexContexts, 0)> vex_opcodes_{};
  std::vector<Plan> plans_;
};

}  // namespace rhea::x86::decoding
