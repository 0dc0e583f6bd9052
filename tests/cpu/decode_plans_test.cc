// SPDX-License-Identifier: GPL-2.0-or-later
// What is decoded by plans is what the general decoder makes of it, to the last field.
// RHEA_DECODE_CASES=N in the environment: cases a mode (a million unless it is there).
#include "target/x86/decode/decode.h"
#include "target/x86/decode/plans.h"
#include "target/x86/decode/prefix.h"
#include "target/x86/decode/rows.h"
#include "target/x86/isa/generate.h"
#include "tests/support/environment.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

namespace rhea::x86 {
namespace {

/// One that is unlike anything that could be left behind by mistake.
Insn stale() {
  Insn insn;
  std::memset(static_cast<void*>(&insn), 0xa5, sizeof insn);
  return insn;
}

std::string text(DecodeStatus status, const Insn& insn) {
  std::string all = fmt::format(
      "status {} length {} exec {} native {} imm {:x} disp {:x} imm2 {:x} row {} prefixes {:x} "
      "sizes {} {} address {} {} {} {} opcode {:x} modrm {:x} vvvv {}",
      static_cast<int>(status), insn.length, insn.exec != nullptr, insn.native != nullptr, insn.imm,
      insn.disp, insn.imm2, insn.row, insn.prefixes, insn.operand_size, insn.address_size,
      insn.base, insn.index, insn.scale, insn.seg, insn.opcode, insn.modrm, insn.vvvv);
  for (const Operand& op : insn.op)
    all += fmt::format(" {}:{}:{}", static_cast<int>(op.kind), op.reg, op.size);
  return all;
}

bool same(const Insn& a, const Insn& b) {
  return a.exec == b.exec && a.native == b.native && a.imm == b.imm && a.disp == b.disp &&
         a.imm2 == b.imm2 && a.row == b.row && a.prefixes == b.prefixes && a.length == b.length &&
         a.operand_size == b.operand_size && a.address_size == b.address_size && a.base == b.base &&
         a.index == b.index && a.scale == b.scale && a.seg == b.seg && a.opcode == b.opcode &&
         a.modrm == b.modrm && a.vvvv == b.vvvv && a.op == b.op;
}

using Bytes = std::array<u8, decoding::kReadable>;

/// Random bytes after what makes plans apply: a prefix or REX or neither, 0F, VEX.
Bytes random_bytes(std::mt19937_64& random) {
  Bytes bytes{};
  for (unsigned at = 0; at < bytes.size(); at += 8) {
    const u64 eight = random();
    std::memcpy(&bytes[at], &eight, 8);
  }
  const u64 shape = random();
  unsigned at = 0;
  constexpr std::array<u8, 8> kPrefixes{0x66, 0xf2, 0xf3, 0xf0, 0x67, 0x64, 0x2e, 0x66};
  if ((shape & 7) < 3) bytes[at++] = kPrefixes[shape >> 3 & 7];
  if ((shape >> 6 & 3) != 0) bytes[at++] = static_cast<u8>(0x40 | (shape >> 8 & 15));
  if ((shape >> 12 & 3) == 0) bytes[at++] = 0x0f;
  if ((shape >> 14 & 7) == 0) bytes[at++] = 0xc5;
  if ((shape >> 14 & 7) == 1) {
    bytes[at] = 0xc4;
    bytes[at + 1] = static_cast<u8>((bytes[at + 1] & 0xe0) | (shape >> 17 & 3));
  }
  // Half of VEX's forms want this.
  if ((shape >> 20 & 1) != 0) bytes[at + 1] |= 0x78;
  return bytes;
}

/// The first difference, or nothing.
std::string difference(const Bytes& bytes, const DecodeMode& mode) {
  Insn fast = stale();
  Insn general = stale();
  const DecodeStatus status = decode(bytes, mode, fast);
  const DecodeStatus right = decoding::decode_by_rows(bytes, mode, general);
  if (status == right && same(fast, general)) return {};
  return fmt::format("{} bits, {:02x}:\n{}\ninstead of\n{}", mode.code_bits,
                     fmt::join(bytes.begin(), bytes.begin() + kLongestInsn, " "),
                     text(status, fast), text(right, general));
}

u64 cases() { return test::from_environment("RHEA_DECODE_CASES", 1'000'000); }

/// Every mode's share of random bytes; features are random, too, in every other case.
void compare(u8 code_bits) {
  std::mt19937_64 random(code_bits);
  for (u64 i = 0; i < cases(); ++i) {
    const Bytes bytes = random_bytes(random);
    const u64 choice = random();
    FeatureSet features;
    for (unsigned feature = 0; feature < kFeatures; ++feature)
      features[feature] = (random() & 7) != 0;
    const DecodeMode mode{.code_bits = code_bits,
                          .real_or_v86 = code_bits == 16 && (choice & 1) != 0,
                          .features = (choice & 2) != 0 ? &features : nullptr,
                          .amd = (choice & 4) != 0};
    ASSERT_EQ(difference(bytes, mode), "");
  }
}

TEST(DecodePlansTest, RandomBytesIn64BitCodeDecodeAsWithoutPlans) { compare(64); }
TEST(DecodePlansTest, RandomBytesIn32BitCodeDecodeAsWithoutPlans) { compare(32); }
TEST(DecodePlansTest, RandomBytesIn16BitCodeDecodeAsWithoutPlans) { compare(16); }

TEST(DecodePlansTest, EveryRowsEncodingsDecodeAsWithoutPlans) {
  isa::Random random(1);
  for (const isa::Row& row : isa::rows())
    for (const u8 code_bits : {u8{16}, u8{32}, u8{64}})
      for (unsigned i = 0; i < 100; ++i) {
        std::vector<u8> encoding;
        if (!isa::generate(row, random, {.code_bits = code_bits, .prefixes = i % 2 != 0}, encoding))
          continue;
        Bytes bytes{};
        std::ranges::copy(encoding, bytes.begin());
        ASSERT_EQ(difference(bytes, {.code_bits = code_bits}), "");
      }
}

TEST(DecodePlansTest, UsualInstructionsHavePlans) {
  const std::vector<std::vector<u8>> usual{
      {0x48, 0x89, 0xe5},                                            // mov rbp,rsp
      {0x8b, 0x44, 0x24, 0x08},                                      // mov eax,[rsp+8]
      {0x4c, 0x8d, 0x05, 0x00, 0x00, 0x00, 0x00},                    // lea r8,[rip]
      {0x0f, 0xb6, 0xc0},                                            // movzx eax,al
      {0x74, 0x10},                                                  // jz
      {0x66, 0x0f, 0x6f, 0x06},                                      // movdqa xmm0,[rsi]
      {0xf3, 0x0f, 0x1e, 0xfa},                                      // endbr64
      {0xd1, 0xe0},                                                  // shl eax,1
      {0xc5, 0xfd, 0x74, 0x0f},                                      // vpcmpeqb ymm1,ymm0,[rdi]
      {0x48, 0xb8, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08},  // mov rax,imm64
  };
  for (const auto& encoding : usual) {
    Bytes bytes{};
    std::ranges::copy(encoding, bytes.begin());
    Insn insn;
    EXPECT_TRUE(decoding::Plans::try_decode(bytes.data(), {}, insn))
        << fmt::format("{:02x}", fmt::join(encoding, " "));
    EXPECT_EQ(insn.length, encoding.size());
  }
}

}  // namespace
}  // namespace rhea::x86
