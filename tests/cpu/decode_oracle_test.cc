// SPDX-License-Identifier: GPL-2.0-or-later
// The decoder against Zydis: random bytes have the same length to both, or are invalid to both.
// RHEA_DECODE_CASES=N in the environment: cases a mode (a million unless it is there).
#include "target/x86/decode/decode.h"
#include "target/x86/isa/row.h"
#include "tests/support/environment.h"

#include <Zydis/Zydis.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>

namespace rhea::x86 {
namespace {

/// What Zydis decodes and Rhea does not: extensions that Rhea's processors do not have.
struct Missing {
  ZydisISAExt extension;
  const char* reason;
};
constexpr Missing kMissing[] = {
    {ZYDIS_ISA_EXT_AMD3DNOW, "3DNow!; AMD dropped it in 2010"},
    {ZYDIS_ISA_EXT_AMD_INVLPGB, "not in any processor model"},
    {ZYDIS_ISA_EXT_AMX_BF16, "AMX"},
    {ZYDIS_ISA_EXT_AMX_INT8, "AMX"},
    {ZYDIS_ISA_EXT_AMX_TILE, "AMX"},
    {ZYDIS_ISA_EXT_AVX512EVEX, "AVX-512"},
    {ZYDIS_ISA_EXT_AVX512VEX, "AVX-512's mask registers"},
    {ZYDIS_ISA_EXT_AVX_VNNI, "later than AVX2"},
    {ZYDIS_ISA_EXT_CET, "shadow stacks; without them these encodings are NOP or #UD"},
    {ZYDIS_ISA_EXT_ENQCMD, "not in any processor model"},
    {ZYDIS_ISA_EXT_FMA4, "AMD's Bulldozer family only"},
    {ZYDIS_ISA_EXT_GFNI, "not in any processor model"},
    {ZYDIS_ISA_EXT_KEYLOCKER, "not in any processor model"},
    {ZYDIS_ISA_EXT_KEYLOCKER_WIDE, "not in any processor model"},
    {ZYDIS_ISA_EXT_KNC, "Xeon Phi coprocessors"},
    {ZYDIS_ISA_EXT_KNCE, "Xeon Phi coprocessors"},
    {ZYDIS_ISA_EXT_KNCV, "Xeon Phi coprocessors"},
    {ZYDIS_ISA_EXT_MCOMMIT, "not in any processor model"},
    {ZYDIS_ISA_EXT_MONITORX, "not in any processor model"},
    {ZYDIS_ISA_EXT_MOVDIR, "not in any processor model"},
    {ZYDIS_ISA_EXT_PADLOCK, "VIA's processors"},
    {ZYDIS_ISA_EXT_PCONFIG, "not in any processor model"},
    {ZYDIS_ISA_EXT_PT, "Intel Processor Trace"},
    {ZYDIS_ISA_EXT_RDPRU, "not in any processor model"},
    {ZYDIS_ISA_EXT_RTM, "transactional memory"},
    {ZYDIS_ISA_EXT_SERIALIZE, "not in any processor model"},
    {ZYDIS_ISA_EXT_SGX, "enclaves"},
    {ZYDIS_ISA_EXT_SGX_ENCLV, "enclaves"},
    {ZYDIS_ISA_EXT_SMX, "measured launch"},
    {ZYDIS_ISA_EXT_SNP, "encrypted virtual machines"},
    {ZYDIS_ISA_EXT_SVM, "virtualisation is not emulated; VMMCALL is there"},
    {ZYDIS_ISA_EXT_TBM, "AMD's Bulldozer family only"},
    {ZYDIS_ISA_EXT_TDX, "encrypted virtual machines"},
    {ZYDIS_ISA_EXT_UINTR, "not in any processor model"},
    {ZYDIS_ISA_EXT_VMFUNC, "virtualisation is not emulated"},
    {ZYDIS_ISA_EXT_VTX, "virtualisation is not emulated; VMCALL is there"},
    {ZYDIS_ISA_EXT_WAITPKG, "not in any processor model"},
    {ZYDIS_ISA_EXT_XOP, "AMD's Bulldozer family only"},
    {ZYDIS_ISA_EXT_XSAVES, "not in any processor model"},
    {ZYDIS_ISA_EXT_HRESET, "not in any processor model"},
    {ZYDIS_ISA_EXT_TSX_LDTRK, "transactional memory"},
    {ZYDIS_ISA_EXT_CLDEMOTE, "a NOP"},
};

/// What Zydis decodes and Rhea does not, although both know the instruction.
struct Refused {
  ZydisMnemonic mnemonic;
  const char* reason;
};
constexpr Refused kRefused[] = {
    {ZYDIS_MNEMONIC_NOP, "0F 0D with a register: NOP to Intel's processors, #UD to AMD's"},
};

/// What Rhea decodes and Zydis does not.
struct Accepted {
  std::string_view mnemonic;
  const char* reason;
};
constexpr Accepted kAccepted[] = {
    {"vmcall", "with 66, F2 or F3: the SDM forbids them, AMD's processors ignore them"},
    {"rdpkru", "likewise"},
    {"wrpkru", "likewise"},
};

bool is_missing(const ZydisDecodedInstruction& theirs) {
  for (const Missing& row : kMissing)
    if (theirs.meta.isa_ext == row.extension) return true;
  for (const Refused& row : kRefused)
    if (theirs.mnemonic == row.mnemonic) return true;
  return false;
}

bool is_accepted(const Insn& ours) {
  for (const Accepted& row : kAccepted)
    if (isa::rows()[ours.row].mnemonic == row.mnemonic) return true;
  return false;
}

ZydisDecoder oracle(unsigned bits) {
  ZydisDecoder made;
  if (bits == 64)
    ZydisDecoderInit(&made, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  else if (bits == 32)
    ZydisDecoderInit(&made, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
  else
    ZydisDecoderInit(&made, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
  ZydisDecoderEnableMode(&made, ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE);
  ZydisDecoderEnableMode(&made, ZYDIS_DECODER_MODE_CET, ZYAN_FALSE);
  ZydisDecoderEnableMode(&made, ZYDIS_DECODER_MODE_CLDEMOTE, ZYAN_FALSE);
  ZydisDecoderEnableMode(&made, ZYDIS_DECODER_MODE_AMD_BRANCHES, ZYAN_TRUE);
  return made;
}

using Bytes = std::array<u8, kLongestInsn + 1>;

/// Random bytes, with more prefixes, escapes and VEX than chance would give.
Bytes random_bytes(std::mt19937_64& random) {
  constexpr u8 kPrefixes[] = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x3e,
                              0x64, 0x26, 0x48, 0x41, 0x44, 0x4f};
  Bytes bytes{};
  const u64 low = random();
  const u64 high = random();
  std::memcpy(bytes.data(), &low, 8);
  std::memcpy(&bytes[8], &high, 8);
  const u64 shape = random();
  unsigned at = 0;
  const unsigned prefixes = shape % 8 < 5 ? 0 : shape % 8 - 4;
  for (unsigned i = 0; i < prefixes; ++i)
    bytes[at++] = kPrefixes[(shape >> (8 + 8 * i) & 0xff) % std::size(kPrefixes)];
  const u64 escape = shape >> 60;
  if (escape < 6) bytes[at] = 0x0f;
  if (escape == 4) bytes[at + 1] = 0x38;
  if (escape == 5) bytes[at + 1] = 0x3a;
  if (escape == 6 || escape == 7) bytes[at] = 0xc5;
  if (escape == 8 || escape == 9) {
    bytes[at] = 0xc4;
    bytes[at + 1] = static_cast<u8>((bytes[at + 1] & 0xe0) | (shape >> 58 & 3));
    if (escape == 9) bytes[at + 2] |= 0x78;
  }
  return bytes;
}

/// Everything that Zydis knows, but for AMD's CR8 outside 64-bit mode.
FeatureSet features() {
  FeatureSet all;
  all.set();
  all.reset(static_cast<size_t>(Feature::Cr8Legacy));
  return all;
}

std::string difference(const Bytes& bytes, DecodeStatus status, const Insn& ours, bool valid,
                       const ZydisDecodedInstruction& theirs) {
  const bool good = status == DecodeStatus::Ok;
  const std::string row = good ? std::string(isa::rows()[ours.row].mnemonic) : "(bad)";
  return fmt::format(
      "{:02x}: Rhea {} {}, Zydis {} {}", fmt::join(bytes, " "), row, good ? ours.length : 0,
      valid ? ZydisMnemonicGetString(theirs.mnemonic) : "(bad)", valid ? theirs.length : 0);
}

/// The first difference of each pair of mnemonics.
std::map<std::string, std::string> differences(unsigned bits, u64 seed, u64 cases) {
  const ZydisDecoder decoder = oracle(bits);
  const FeatureSet on = features();
  const DecodeMode mode{.code_bits = static_cast<u8>(bits), .features = &on};
  std::mt19937_64 random(seed);
  std::map<std::string, std::string> found;
  for (u64 i = 0; i < cases; ++i) {
    const Bytes bytes = random_bytes(random);
    Insn ours;
    const DecodeStatus status = decode(std::span(bytes).first(kLongestInsn), mode, ours);
    ZydisDecodedInstruction theirs{};
    const bool valid = ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(
        &decoder, static_cast<ZydisDecoderContext*>(nullptr), bytes.data(), kLongestInsn, &theirs));
    const bool good = status == DecodeStatus::Ok;
    if (good == valid && (!good || ours.length == theirs.length)) continue;
    if (valid && !good && is_missing(theirs)) continue;
    if (good && !valid && is_accepted(ours)) continue;
    found.emplace(fmt::format("{} {}", good ? isa::rows()[ours.row].mnemonic : "(bad)",
                              valid ? ZydisMnemonicGetString(theirs.mnemonic) : "(bad)"),
                  difference(bytes, status, ours, valid, theirs));
  }
  return found;
}

u64 cases() { return test::from_environment("RHEA_DECODE_CASES", 1'000'000); }

std::string differences_text(unsigned bits) {
  std::string text;
  for (const auto& [what, example] : differences(bits, bits, cases())) text += example + "\n";
  return text;
}

TEST(DecodeOracleTest, RandomBytesIn64BitCodeAgreeWithZydis) {
  EXPECT_EQ(differences_text(64), "");
}

TEST(DecodeOracleTest, RandomBytesIn32BitCodeAgreeWithZydis) {
  EXPECT_EQ(differences_text(32), "");
}

TEST(DecodeOracleTest, RandomBytesIn16BitCodeAgreeWithZydis) {
  EXPECT_EQ(differences_text(16), "");
}

}  // namespace
}  // namespace rhea::x86
