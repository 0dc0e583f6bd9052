// SPDX-License-Identifier: GPL-2.0-or-later
// The decoder: operands, prefixes, what is #UD, and every row of the instruction table.
#include "target/x86/decode/decode.h"

#include "target/x86/cpu_state.h"
#include "target/x86/isa/generate.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace rhea::x86 {
namespace {

using Bytes = std::vector<u8>;

DecodeStatus status(const Bytes& bytes, const DecodeMode& mode = {}) {
  Insn insn;
  return decode(bytes, mode, insn);
}

Insn decoded(const Bytes& bytes, const DecodeMode& mode = {}) {
  Insn insn;
  EXPECT_EQ(decode(bytes, mode, insn), DecodeStatus::Ok);
  EXPECT_EQ(insn.length, bytes.size());
  return insn;
}

std::string_view mnemonic(const Insn& insn) { return isa::rows()[insn.row].mnemonic; }

Operand gpr(u8 reg, u8 size) { return {OperandKind::Gpr, reg, size}; }
Operand memory(u8 size) { return {OperandKind::Memory, 0, size}; }
Operand immediate(u8 size) { return {OperandKind::Immediate, 0, size}; }
Operand vector(u8 reg, u8 size) { return {OperandKind::Vector, reg, size}; }

constexpr DecodeMode kMode16{.code_bits = 16};
constexpr DecodeMode kMode32{.code_bits = 32};
constexpr DecodeMode kReal{.code_bits = 16, .real_or_v86 = true};

/// base, index, scale, displacement, segment
std::string address(const Insn& insn) {
  return fmt::format("{} {} {} {:#x} {}", insn.base, insn.index, insn.scale, insn.disp, insn.seg);
}
std::string address(u8 base, u8 index, u8 scale, i32 disp, unsigned seg) {
  return fmt::format("{} {} {} {:#x} {}", base, index, scale, disp, seg);
}

TEST(DecodeOperandsTest, RegisterAndImmediateHaveTheOperandsSize) {
  const Insn insn = decoded({0x48, 0x81, 0xc1, 0x00, 0x00, 0x00, 0x80});  // add rcx,-0x80000000
  EXPECT_EQ(mnemonic(insn), "add");
  EXPECT_EQ(insn.operand_size, 8);
  EXPECT_EQ(insn.op[0], gpr(Rcx, 8));
  EXPECT_EQ(insn.op[1], immediate(4));
  EXPECT_EQ(insn.imm, 0xffff'ffff'8000'0000);
}

TEST(DecodeOperandsTest, ByteRegistersFourToSevenAreTheHighOnesWithoutRex) {
  EXPECT_EQ(decoded({0x88, 0xe0}).op[1], gpr(kHighByte + Rax, 1));  // mov al,ah
  EXPECT_EQ(decoded({0x40, 0x88, 0xe0}).op[1], gpr(Rsp, 1));        // mov al,spl
  EXPECT_EQ(decoded({0xb7, 0x01}).op[0], gpr(kHighByte + Rbx, 1));  // mov bh,1
}

TEST(DecodeOperandsTest, ByteImmediatesAreSignExtendedWhereTheFormSaysSo) {
  EXPECT_EQ(decoded({0x83, 0xc0, 0xff}).imm, ~u64{0});  // add eax,-1
  EXPECT_EQ(decoded({0xc1, 0xe0, 0xff}).imm, 0xff);     // shl eax,0xff
  EXPECT_EQ(decoded({0xcd, 0x80}).imm, 0x80);           // int 0x80
  EXPECT_EQ(decoded({0xd1, 0xe0}).imm, 1);              // shl eax,1
}

TEST(DecodeOperandsTest, MovTakesEightByteImmediatesWithRexW) {
  const Insn insn = decoded({0x49, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ(insn.op[0], gpr(8, 8));
  EXPECT_EQ(insn.imm, 0x0807'0605'0403'0201);
}

TEST(DecodeOperandsTest, EnterHasTwoImmediates) {
  const Insn insn = decoded({0xc8, 0x34, 0x12, 0x56});
  EXPECT_EQ(insn.imm, 0x1234);
  EXPECT_EQ(insn.imm2, 0x56);
  EXPECT_EQ(insn.operand_size, 8);
}

TEST(DecodeOperandsTest, FarPointersAreOffsetAndSelector) {
  const Insn insn = decoded({0xea, 0x78, 0x56, 0x34, 0x12, 0x08, 0x00}, kMode32);
  EXPECT_EQ(mnemonic(insn), "jmpf");
  EXPECT_EQ(insn.op[0].kind, OperandKind::Far);
  EXPECT_EQ(insn.imm, 0x1234'5678);
  EXPECT_EQ(insn.imm2, 8);
}

TEST(DecodeOperandsTest, AbsoluteOffsetsHaveTheAddressSize) {
  const Insn wide = decoded({0xa0, 1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ(mnemonic(wide), "movoffs");
  EXPECT_EQ(wide.imm, 0x0807'0605'0403'0201);
  EXPECT_EQ(wide.op[1], memory(1));
  EXPECT_EQ(decoded({0x64, 0x67, 0xa3, 0xfe, 0xff, 0xff, 0xff}).imm, 0xffff'fffe);
  EXPECT_EQ(decoded({0xa1, 0xfe, 0xff}, kMode16).imm, 0xfffe);
}

TEST(DecodeOperandsTest, StringOperandsHaveTheElementsSizeAndTheirRegisters) {
  const Insn movs = decoded({0xf3, 0x64, 0x48, 0xa5});  // rep movs qword [rdi], fs:[rsi]
  EXPECT_EQ(mnemonic(movs), "movs");
  EXPECT_EQ(movs.op[0], memory(8));
  EXPECT_EQ(movs.seg, Fs);
  EXPECT_TRUE(movs.has(kRep));
  const Insn stos = decoded({0x2e, 0xaa}, kMode32);  // no override for ES:EDI
  EXPECT_EQ(stos.seg, Es);
  EXPECT_EQ(stos.base, Rdi);
}

TEST(DecodeOperandsTest, ComparisonsOfStringsReadTheSourceSegmentFirst) {
  const Insn insn = decoded({0x65, 0xa6});  // cmps gs:[rsi], [rdi]
  EXPECT_EQ(insn.base, Rsi);
  EXPECT_EQ(insn.seg, Gs);
  EXPECT_EQ(insn.op[1], memory(1));
}

TEST(DecodeOperandsTest, ConditionIsInTheOpcode) {
  const Insn insn = decoded({0x0f, 0x8f, 0xfb, 0xff, 0xff, 0xff});
  EXPECT_EQ(mnemonic(insn), "jcc");
  EXPECT_EQ(insn.opcode & 15, 0xf);
  EXPECT_EQ(insn.imm, ~u64{4});
}

TEST(DecodeOperandsTest, SegmentMovesStoreSixteenBitsToMemoryAndTheOperandSizeToRegisters) {
  EXPECT_EQ(decoded({0x8c, 0xd8}).op[0], gpr(Rax, 4));
  EXPECT_EQ(decoded({0x48, 0x8c, 0x18}).op[0], memory(2));
}

TEST(DecodeOperandsTest, ControlRegistersIgnoreModAndTakeTheModesSize) {
  const Insn insn = decoded({0x44, 0x0f, 0x22, 0x00});  // mov cr8,rax
  EXPECT_EQ(insn.op[0], (Operand{OperandKind::Control, 8, 8}));
  EXPECT_EQ(insn.op[1], gpr(Rax, 8));
  EXPECT_EQ(decoded({0x0f, 0x20, 0xc0}, kMode16).op[0], gpr(Rax, 4));
}

TEST(DecodeOperandsTest, VectorsHaveTheirPartsSizes) {
  const Insn addss = decoded({0xf3, 0x44, 0x0f, 0x58, 0x08});  // addss xmm9,[rax]
  EXPECT_EQ(addss.op[0], vector(9, 4));
  EXPECT_EQ(addss.op[1], memory(4));
  const Insn wide = decoded({0xc5, 0xb4, 0x58, 0xc1});  // vaddps ymm0,ymm9,ymm1
  EXPECT_EQ(wide.op[0], vector(0, 32));
  EXPECT_EQ(wide.op[1], vector(9, 32));
  EXPECT_EQ(wide.op[2], vector(1, 32));
}

TEST(DecodeOperandsTest, GathersIndexIsAVectorRegister) {
  const Insn insn = decoded({0xc4, 0xe2, 0x69, 0x92, 0x04, 0x60});  // vgatherdps xmm0,[rax+xmm4*2]
  EXPECT_EQ(address(insn), address(Rax, 4, 1, 0, Ds));
  EXPECT_EQ(insn.op[2], vector(2, 16));
  EXPECT_EQ(status({0xc4, 0xe2, 0x69, 0x92, 0x14, 0x60}), DecodeStatus::Invalid);  // xmm2 twice
}

TEST(DecodeAddressTest, StackRegistersMeanTheStackSegment) {
  EXPECT_EQ(address(decoded({0x8b, 0x44, 0x24, 0xf8})), address(Rsp, kNoReg, 0, -8, Ss));
  EXPECT_EQ(address(decoded({0x8b, 0x45, 0x08})), address(Rbp, kNoReg, 0, 8, Ss));
  EXPECT_EQ(address(decoded({0x41, 0x8b, 0x45, 0x08})), address(13, kNoReg, 0, 8, Ds));
  EXPECT_EQ(address(decoded({0x65, 0x8b, 0x45, 0x08})), address(Rbp, kNoReg, 0, 8, Gs));
}

TEST(DecodeAddressTest, SibScalesTheIndex) {
  EXPECT_EQ(address(decoded({0x42, 0x8b, 0x84, 0xe3, 0, 0, 0, 0x80})),
            address(Rbx, 12, 3, INT32_MIN, Ds));
  EXPECT_EQ(address(decoded({0x8b, 0x04, 0x25, 4, 3, 2, 1})),
            address(kNoReg, kNoReg, 0, 0x01020304, Ds));
}

TEST(DecodeAddressTest, RipRelativeOnlyIn64BitCode) {
  EXPECT_EQ(address(decoded({0x8b, 0x05, 1, 0, 0, 0})), address(kRip, kNoReg, 0, 1, Ds));
  EXPECT_EQ(address(decoded({0x8b, 0x05, 1, 0, 0, 0}, kMode32)), address(kNoReg, kNoReg, 0, 1, Ds));
}

TEST(DecodeAddressTest, SixteenBitForms) {
  EXPECT_EQ(address(decoded({0x8b, 0x42, 0xff}, kMode16)), address(Rbp, Rsi, 0, -1, Ss));
  EXPECT_EQ(address(decoded({0x8b, 0x06, 0x34, 0x12}, kMode16)),
            address(kNoReg, kNoReg, 0, 0x1234, Ds));
  EXPECT_EQ(decoded({0x67, 0x8b, 0x07}, kMode32).address_size, 2);
}

TEST(DecodeAddressTest, OldSegmentOverridesMeanNothingIn64BitCode) {
  EXPECT_EQ(decoded({0x64, 0x2e, 0x8b, 0x00}).seg, Fs);
  EXPECT_EQ(decoded({0x64, 0x2e, 0x8b, 0x00}, kMode32).seg, Cs);
}

TEST(DecodePrefixTest, LockNeedsMemoryAndAnInstructionThatAllowsIt) {
  EXPECT_EQ(status({0xf0, 0x01, 0x00}), DecodeStatus::Ok);
  EXPECT_EQ(status({0xf0, 0x01, 0xc0}), DecodeStatus::Invalid);
  EXPECT_EQ(status({0xf0, 0x03, 0x00}), DecodeStatus::Invalid);
  EXPECT_EQ(status({0xf0, 0x39, 0x00}), DecodeStatus::Invalid);
}

TEST(DecodePrefixTest, RexCountsOnlyBeforeTheOpcode) {
  EXPECT_EQ(decoded({0x48, 0x66, 0x89, 0xc0}).operand_size, 2);
  EXPECT_EQ(decoded({0x66, 0x48, 0x89, 0xc0}).operand_size, 8);
}

TEST(DecodePrefixTest, MandatoryPrefixesRepeatBeforeOperandSize) {
  EXPECT_EQ(mnemonic(decoded({0x66, 0xf3, 0x0f, 0x10, 0xc0})), "movss");
  EXPECT_EQ(mnemonic(decoded({0xf2, 0xf3, 0x0f, 0x10, 0xc0})), "movss");
  EXPECT_EQ(mnemonic(decoded({0x66, 0x0f, 0x10, 0xc0})), "movupd");
  EXPECT_EQ(decoded({0x66, 0xf3, 0x0f, 0xb8, 0xc0}).op[0], gpr(Rax, 2));  // popcnt ax,ax
}

TEST(DecodePrefixTest, NopIsAnExchangeOnlyWithRexB) {
  EXPECT_EQ(mnemonic(decoded({0x90})), "nop");
  EXPECT_EQ(mnemonic(decoded({0xf3, 0x90})), "pause");
  EXPECT_EQ(mnemonic(decoded({0x41, 0x90})), "xchg");
  EXPECT_EQ(mnemonic(decoded({0xf3, 0x41, 0x90})), "xchg");
}

TEST(DecodePrefixTest, NearBranchesWith66FollowTheVendor) {
  EXPECT_EQ(decoded({0x66, 0xe9, 0x34, 0x12}).operand_size, 2);
  EXPECT_EQ(decoded({0x66, 0xe9, 0x78, 0x56, 0x34, 0x12}, {.amd = false}).operand_size, 8);
}

TEST(DecodePrefixTest, PushIsWideIn64BitCode) {
  EXPECT_EQ(decoded({0x50}).op[0], gpr(Rax, 8));
  EXPECT_EQ(decoded({0x66, 0x50}).op[0], gpr(Rax, 2));
  EXPECT_EQ(decoded({0x66, 0x50}, kMode16).op[0], gpr(Rax, 4));
}

TEST(DecodeVexTest, LesAndLdsOutsideProtectedMode) {
  EXPECT_EQ(mnemonic(decoded({0xc5, 0x00}, kReal)), "lds");
  EXPECT_EQ(status({0xc5, 0xf8, 0x77}, kReal), DecodeStatus::Invalid);
  EXPECT_EQ(mnemonic(decoded({0xc5, 0xf8, 0x77}, kMode32)), "vzeroupper");
}

TEST(DecodeVexTest, NoOtherPrefixes) {
  EXPECT_EQ(status({0x66, 0xc5, 0xf8, 0x77}), DecodeStatus::Invalid);
  EXPECT_EQ(status({0xf0, 0xc5, 0xf8, 0x77}), DecodeStatus::Invalid);
  EXPECT_EQ(status({0x48, 0xc5, 0xf8, 0x77}), DecodeStatus::Invalid);
  EXPECT_EQ(status({0x64, 0xc5, 0xf8, 0x77}), DecodeStatus::Ok);
}

TEST(DecodeVexTest, UnusedRegisterMustBeAllOnes) {
  EXPECT_EQ(status({0xc5, 0xf8, 0x28, 0xc1}), DecodeStatus::Ok);  // vmovaps xmm0,xmm1
  EXPECT_EQ(status({0xc5, 0xf0, 0x28, 0xc1}), DecodeStatus::Invalid);
}

TEST(DecodeVexTest, EightRegistersOutside64BitCode) {
  EXPECT_EQ(decoded({0xc4, 0xe1, 0x34, 0x58, 0xc1}).op[1], vector(9, 32));  // vaddps
  EXPECT_EQ(decoded({0xc4, 0xe1, 0x34, 0x58, 0xc1}, kMode32).op[1], vector(1, 32));
}

TEST(DecodeStatusTest, FifteenBytesAreTheLimit) {
  Bytes bytes(14, 0x66);
  bytes.push_back(0x90);
  EXPECT_EQ(status(bytes), DecodeStatus::Ok);
  bytes.insert(bytes.begin(), 0x66);
  EXPECT_EQ(status(bytes), DecodeStatus::TooLong);
}

TEST(DecodeStatusTest, BytesThatEndTooSoonAreAskedFor) {
  EXPECT_EQ(status({}), DecodeStatus::NeedMore);
  EXPECT_EQ(status({0x0f}), DecodeStatus::NeedMore);
  EXPECT_EQ(status({0x48, 0x81, 0xc1, 0, 0, 0}), DecodeStatus::NeedMore);
}

TEST(DecodeStatusTest, ModesHaveTheirOwnInstructions) {
  EXPECT_EQ(status({0x37}), DecodeStatus::Invalid);
  EXPECT_EQ(mnemonic(decoded({0x37}, kMode32)), "aaa");
  EXPECT_EQ(mnemonic(decoded({0x63, 0xc0})), "movsxd");
  EXPECT_EQ(mnemonic(decoded({0x63, 0xc0}, kMode32)), "arpl");
  EXPECT_EQ(status({0x63, 0xc0}, kReal), DecodeStatus::Invalid);
}

TEST(DecodeStatusTest, LoadingCsIsInvalid) {
  EXPECT_EQ(status({0x8e, 0xc8}), DecodeStatus::Invalid);
  EXPECT_EQ(status({0x8c, 0xc8}), DecodeStatus::Ok);
}

TEST(DecodeStatusTest, SegmentRegistersThatDoNotExistAreInvalid) {
  for (const u8 reg : {6, 7})
    for (const u8 opcode : {0x8c, 0x8e})
      EXPECT_EQ(status({opcode, static_cast<u8>(0xc0 | reg << 3)}), DecodeStatus::Invalid);
}

TEST(DecodeFeaturesTest, WhatIsOffIsInvalid) {
  FeatureSet none;
  FeatureSet avx;
  avx.set(static_cast<size_t>(Feature::Avx));
  EXPECT_EQ(status({0xf3, 0x0f, 0xb8, 0xc0}, {.features = &none}), DecodeStatus::Invalid);
  EXPECT_EQ(status({0xc5, 0xf1, 0xfc, 0xc0}, {.features = &avx}), DecodeStatus::Ok);  // xmm
  EXPECT_EQ(status({0xc5, 0xf5, 0xfc, 0xc0}, {.features = &avx}), DecodeStatus::Invalid);
}

TEST(DecodeFeaturesTest, CountingZerosIsScanningWithoutTheFeature) {
  FeatureSet none;
  EXPECT_EQ(mnemonic(decoded({0xf3, 0x0f, 0xbc, 0xc0}, {.features = &none})), "bsf");
  EXPECT_EQ(mnemonic(decoded({0xf3, 0x0f, 0xbd, 0xc0}, {.features = &none})), "bsr");
  EXPECT_EQ(mnemonic(decoded({0xf3, 0x0f, 0xbc, 0xc0})), "tzcnt");
}

TEST(DecodeFeaturesTest, LockedControlRegisterMoveIsCr8WithAmdsFeature) {
  FeatureSet cr8;
  cr8.set(static_cast<size_t>(Feature::Cr8Legacy));
  const Insn insn = decoded({0xf0, 0x0f, 0x20, 0xc0}, {.code_bits = 32, .features = &cr8});
  EXPECT_EQ(insn.op[1], (Operand{OperandKind::Control, 8, 4}));
  EXPECT_EQ(status({0xf0, 0x0f, 0x20, 0xd0}, {.features = &cr8}), DecodeStatus::Invalid);
}

/// Rows of which some random encodings were not decoded as that row, or that have none in any mode.
std::string undecoded_rows(isa::GenerateMode mode) {
  constexpr unsigned kEncodings = 100;
  isa::Random random(mode.code_bits);
  std::string wrong;
  const auto rows = isa::rows();
  for (u16 number = 0; number < rows.size(); ++number) {
    for (unsigned i = 0; i < kEncodings; ++i) {
      Bytes bytes;
      if (!isa::generate(rows[number], random, mode, bytes)) break;
      Insn insn;
      const DecodeStatus got = decode(bytes, {.code_bits = mode.code_bits}, insn);
      if (got == DecodeStatus::Ok && insn.row == number && insn.length == bytes.size()) continue;
      wrong += fmt::format("{} {}: {:02x}\n", rows[number].mnemonic, rows[number].operands,
                           fmt::join(bytes, " "));
      break;
    }
  }
  return wrong;
}

unsigned rows_without_encoding() {
  isa::Random random(1);
  const auto has_one = [&](const isa::Row& row) {
    Bytes bytes;
    return isa::generate(row, random, {.code_bits = 64}, bytes) ||
           isa::generate(row, random, {.code_bits = 32}, bytes);
  };
  return static_cast<unsigned>(std::ranges::count_if(isa::rows(), std::not_fn(has_one)));
}

TEST(InstructionTableTest, EveryRowHasAnEncoding) { EXPECT_EQ(rows_without_encoding(), 0U); }

TEST(InstructionTableTest, EveryRowDecodesIn64BitCode) {
  EXPECT_EQ(undecoded_rows({.code_bits = 64}), "");
}

TEST(InstructionTableTest, EveryRowDecodesIn32BitCode) {
  EXPECT_EQ(undecoded_rows({.code_bits = 32}), "");
}

TEST(InstructionTableTest, EveryRowDecodesIn16BitCode) {
  EXPECT_EQ(undecoded_rows({.code_bits = 16}), "");
}

TEST(InstructionTableTest, EveryRowDecodesWithASimpleAddress) {
  EXPECT_EQ(undecoded_rows({.code_bits = 64, .prefixes = false, .base = Rbx, .avoid = 0x18}), "");
}

}  // namespace
}  // namespace rhea::x86
