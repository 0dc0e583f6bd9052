// SPDX-License-Identifier: GPL-2.0-or-later
// What the comparison of translated with interpreted blocks sees, and what it passes over.
#include "accel/jit/verifier.h"

#include "accel/jit/block_cache.h"
#include "target/x86/decode/decode.h"
#include "target/x86/interp/bind.h"
#include "tests/support/cpu_bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr u32 kData = 0x5000;

/// A processor in protected mode, with a block that it is to execute.
class VerifiedBlock : public testing::Test {
 protected:
  VerifiedBlock() : verifier_(bench_, bench_.model) {
    bench_.enter_protected();
    bench_.cpu.set_rip(0x1000);
    bench_.cpu.gpr[x86::Rbx] = kData;
  }
  void decode(std::vector<u8> code) {
    code_ = std::move(code);
    std::span<const u8> left = code_;
    while (!left.empty()) {
      x86::Insn& insn = insns_.emplace_back();
      const x86::DecodeMode how{.code_bits = bench_.cpu.code_bits,
                                .features = &bench_.model.features};
      ASSERT_EQ(x86::decode(left, how, insn), x86::DecodeStatus::Ok);
      x86::interp::bind(insn);
      left = left.subspan(insn.length);
    }
    block_.insns = insns_;
    block_.code_bytes = code_;
  }
  /// As the processor may have done it, right or wrong.
  std::string after(const std::function<void(x86::Cpu&)>& executed, bool left_early = false) {
    verifier_.begin(bench_.cpu, block_);
    executed(bench_.cpu);
    return verifier_.finish(bench_.cpu, left_early);
  }

  CpuBench bench_;
  jit::Verifier verifier_;
  std::vector<u8> code_;
  std::vector<x86::Insn> insns_;
  jit::Block block_;
};

TEST_F(VerifiedBlock, WhatIsTheSameIsNoDifference) {
  decode({0xff, 0xc0, 0x89, 0x03});  // INC EAX; MOV [EBX], EAX
  bench_.poke<u32>(kData, 7);
  const std::string found = after([this](x86::Cpu& cpu) {
    cpu.gpr[x86::Rax] += 1;
    bench_.poke<u32>(kData, static_cast<u32>(cpu.gpr[x86::Rax]));
    cpu.flags.set_value(0);
    cpu.set_rip(0x1004);
  });
  EXPECT_EQ(found, "");
  EXPECT_EQ(verifier_.counts().compared, 1U);
}

TEST_F(VerifiedBlock, AnotherRegisterIsTold) {
  decode({0x90});  // NOP
  const std::string found = after([](x86::Cpu& cpu) {
    cpu.set_rip(0x1001);
    cpu.gpr[x86::Rcx] = 5;
  });
  EXPECT_THAT(found, testing::HasSubstr("RCX 0x0 0x5\n"));
  EXPECT_EQ(verifier_.counts().different, 1U);
}

TEST_F(VerifiedBlock, AStoreThatWasNotMadeIsTold) {
  decode({0xc7, 0x03, 1, 0, 0, 0});  // MOV DWORD [EBX], 1
  const std::string found = after([](x86::Cpu& cpu) { cpu.set_rip(0x1006); });
  EXPECT_THAT(found, testing::HasSubstr("memory at 0x5000 0x1 0x0\n"));
}

TEST_F(VerifiedBlock, TheInterpretersStoresAreNotTheGuests) {
  decode({0xc7, 0x03, 1, 0, 0, 0});
  after([](x86::Cpu& cpu) { cpu.set_rip(0x1006); });
  EXPECT_EQ(bench_.peek<u32>(kData), 0U);
}

TEST_F(VerifiedBlock, TheInterpretersMemoryIsAlignedAsTheGuests) {
  bench_.enter_long();
  bench_.cpu.set_rip(0x1000);
  bench_.cpu.gpr[x86::Rdx] = 0;      // as what is there
  decode({0x48, 0x0f, 0xc7, 0x0b});  // CMPXCHG16B [RBX]
  const std::string found = after([this](x86::Cpu& cpu) {
    cpu.set_rip(0x1004);
    cpu.flags.set_value(x86::eflags::kZf);
    bench_.poke<u64>(kData, kData);
  });
  EXPECT_EQ(found, "");
}

TEST_F(VerifiedBlock, OneThatSaysThatItWasLeftInItsMiddleIsPassedOver) {
  decode({0xff, 0xc0, 0xff, 0xc1});  // INC EAX; INC ECX
  EXPECT_EQ(after([](x86::Cpu& cpu) { cpu.set_rip(0x1002); }, true), "");
  EXPECT_EQ(verifier_.counts().passed_over, 1U);
}

TEST_F(VerifiedBlock, OneThatWasLeftInItsMiddleAndDoesNotSaySoIsTold) {
  decode({0xff, 0xc0, 0xff, 0xc1});
  const std::string found = after([](x86::Cpu& cpu) { cpu.set_rip(0x1002); });
  EXPECT_THAT(found, testing::HasSubstr("RIP 0x1004 0x1002\n"));
}

TEST_F(VerifiedBlock, OneThatWasLeftWhereNoInstructionEndsIsTold) {
  decode({0xff, 0xc0, 0xff, 0xc1});
  const std::string found = after([](x86::Cpu& cpu) { cpu.set_rip(0x1003); }, true);
  EXPECT_THAT(found, testing::HasSubstr("RIP 0x1004 0x1003\n"));
}

/// The block reads a page at 2 MiB, whose table entry changes after the processor has looked it up.
class VerifiedBlockWithTables : public VerifiedBlock {
 protected:
  static constexpr u64 kPage = 2 * MiB;
  static constexpr u64 kEntry = CpuBench::kTables + 0x2000 + 8;

  VerifiedBlockWithTables() {
    bench_.enter_long();
    bench_.cpu.set_rip(0x1000);
    bench_.cpu.gpr[x86::Rbx] = kPage;
    bench_.poke<u32>(kPage, 7);
    decode({0x8b, 0x03});  // MOV EAX, [RBX]
  }
  void look_up() { bench_.cpu.read<u32>(x86::Ds, kPage); }
  std::string after_reading(u32 value) {
    return after([value](x86::Cpu& cpu) {
      cpu.set_rip(0x1002);
      cpu.gpr[x86::Rax] = value;
    });
  }
};

TEST_F(VerifiedBlockWithTables, AReadByTablesOfNowIsCompared) {
  look_up();
  EXPECT_EQ(after_reading(7), "");
  EXPECT_EQ(verifier_.counts().compared, 1U);
}

TEST_F(VerifiedBlockWithTables, AReadByATranslationThatHasChangedSinceIsPassedOver) {
  look_up();
  bench_.poke<u64>(kEntry, 0x87);  // at 0 from now on
  EXPECT_EQ(after_reading(7), "");
  EXPECT_EQ(verifier_.counts().passed_over, 1U);
}

TEST_F(VerifiedBlockWithTables, AReadByATranslationThatHasGoneSinceIsPassedOver) {
  look_up();
  bench_.poke<u64>(kEntry, 0);
  EXPECT_EQ(after_reading(7), "");
  EXPECT_EQ(verifier_.counts().passed_over, 1U);
}

TEST_F(VerifiedBlockWithTables, AReadByAnOldTranslationThatNobodyHasIsTold) {
  bench_.poke<u64>(kEntry, 0x87);
  EXPECT_THAT(after_reading(7), testing::HasSubstr("RAX 0x0 0x7\n"));
}

TEST_F(VerifiedBlock, WhatReachesADeviceIsPassedOver) {
  decode({0xe4, 0x60});  // IN AL, 60h
  const std::string found = after([](x86::Cpu& cpu) { cpu.gpr[x86::Rcx] = 5; });
  EXPECT_EQ(found, "");
  EXPECT_EQ(verifier_.counts().passed_over, 1U);
}

TEST(JitVerifier, BlocksAreComparedEverMoreRarely) {
  EXPECT_TRUE(jit::Verifier::is_due(15));
  EXPECT_FALSE(jit::Verifier::is_due(17));
  EXPECT_TRUE(jit::Verifier::is_due(1 << 20));
}

}  // namespace
}  // namespace rhea::test
