// SPDX-License-Identifier: GPL-2.0-or-later
// Blocks that go on behind a conditional jump: how far, and that whoever leaves them in the middle
// has all that the interpreter would have.
#include "accel/jit/block_cache.h"
#include "target/x86/comparing.h"
#include "tests/jit/row_guest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::ElementsAreArray;

class BlocksWithJumps : public testing::Test {
 protected:
  BlocksWithJumps() {
    model_.features.set();
    pages_.at(0).watch([] {});
  }
  /// How many instructions the block has that begins with these bytes.
  std::size_t length(std::span<const u8> code) {
    u8* const host = pages_.ram()->host();
    std::ranges::copy(code, host);
    const jit::Block* const block =
        cache_->block(cache_->page(host, pages_, 0), host, 0, jit::CodeMode(64, false, false));
    return block->insns.size();
  }
  x86::CpuModel model_;
  x86::CodeEpochs epochs_;
  jit::CodeMemory memory_;
  std::unique_ptr<jit::BlockCache> cache_ =
      std::make_unique<jit::BlockCache>(model_, epochs_, memory_);
  jit::CodePages pages_{std::shared_ptr<RamBlock>(RamBlock::create("ram", kPageSize, {}).value())};
};

TEST_F(BlocksWithJumps, GoOnBehindAJumpForwards) {
  EXPECT_EQ(length(std::array<u8, 4>{0x74, 0x10, 0x90, 0xc3}), 3U);  // jz; nop; ret
}

TEST_F(BlocksWithJumps, EndBehindAJumpBackwards) {
  EXPECT_EQ(length(std::array<u8, 4>{0x90, 0x74, 0xf0, 0x90}), 2U);  // nop; jz; nop
}

TEST_F(BlocksWithJumps, HaveFiveOfThemAtMost) {
  EXPECT_EQ(length(std::array<u8, 12>{0x74, 0x10, 0x74, 0x10, 0x74, 0x10, 0x74, 0x10, 0x74, 0x10,
                                      0x74, 0x10}),
            5U);
}

TEST_F(BlocksWithJumps, EndBeforeWhatWantsVectorsThatWhatIsBeforeTheJumpDoesNot) {
  constexpr std::array<u8, 6> kCode{0x74, 0x10, 0x0f, 0x28, 0xc1, 0xc3};  // jz; movaps; ret
  EXPECT_EQ(length(kCode), 1U);
}

TEST_F(BlocksWithJumps, GoOnWithVectorsThatTheyHaveAlready) {
  constexpr std::array<u8, 9> kCode{0x0f, 0x28, 0xc1, 0x74, 0x10,
                                    0x0f, 0x28, 0xc1, 0xc3};  // movaps; jz; movaps; ret
  EXPECT_EQ(length(kCode), 4U);
}

/// What the code does to RAX, CMP RAX, RBX; JB; then what is below.
class LeavingInTheMiddle : public testing::Test {
 protected:
  void SetUp() override { x86::comparing::linked = true; }
  void TearDown() override { x86::comparing::linked = false; }
  /// The third run is translated code's all the way.
  static RowState run(RowGuest& guest, std::span<const u8> code, u64 rax) {
    RowState state;
    state.flags = 2;
    state.gpr[x86::Rax] = rax;
    state.gpr[x86::Rbx] = 5;
    state.gpr[x86::Rdi] = RowGuest::kData;
    state.gpr[x86::Rsi] = RowGuest::kAbsent;
    state.gpr[x86::Rsp] = RowGuest::kStack + 0x800;
    guest.load(code);
    guest.run(state);
    guest.run(state);
    return guest.run(state);
  }
  void expect_alike(std::span<const u8> code, u64 rax) {
    const RowState is = run(translates_, code, rax), wanted = run(interprets_, code, rax);
    EXPECT_THAT(is.gpr, ElementsAreArray(wanted.gpr));
    EXPECT_EQ(is.flags, wanted.flags);
    EXPECT_EQ(is.rip, wanted.rip);
    EXPECT_EQ(is.cr2, wanted.cr2);
    EXPECT_EQ(std::memcmp(translates_.memory() + RowGuest::kData,
                          interprets_.memory() + RowGuest::kData, kPageSize),
              0);
  }
  RowGuest translates_{true, RowMode::Long}, interprets_{false, RowMode::Long};
};

// cmp rax, rbx; jb +12; mov [rdi], rax; jz +7; mov [rdi+8], rbx; add ecx, 3; hlt
constexpr std::array<u8, 18> kTwoJumps{0x48, 0x39, 0xd8, 0x72, 0x0c, 0x48, 0x89, 0x07, 0x74,
                                       0x07, 0x48, 0x89, 0x5f, 0x08, 0x83, 0xc1, 0x03, 0xf4};

TEST_F(LeavingInTheMiddle, NoJumpIsTaken) {
  expect_alike(kTwoJumps, 6);
  EXPECT_EQ(translates_.translated(), 1U);
}

TEST_F(LeavingInTheMiddle, TheFirstJumpIsTakenWithItsFlags) { expect_alike(kTwoJumps, 4); }

TEST_F(LeavingInTheMiddle, TheSecondJumpIsTakenWithTheSameFlagsBehindAStore) {
  expect_alike(kTwoJumps, 5);
}

// cmp rax, rbx; jb +7; mov ecx, [rsi]; add ecx, 3; hlt: the page is not there.
constexpr std::array<u8, 11> kFaultBehindAJump{0x48, 0x39, 0xd8, 0x72, 0x05, 0x8b,
                                               0x0e, 0x83, 0xc1, 0x03, 0xf4};

TEST_F(LeavingInTheMiddle, AFaultBehindAJumpHasTheFlagsOfBefore) {
  expect_alike(kFaultBehindAJump, 6);
  EXPECT_EQ(run(translates_, kFaultBehindAJump, 6).cr2, RowGuest::kAbsent);
}

// cmp rax, rbx; jb to the next page; add ecx, 3; hlt
constexpr std::array<u8, 13> kJumpToAnotherPage{0x48, 0x39, 0xd8, 0x0f, 0x82, 0xf7, 0x0f,
                                                0x00, 0x00, 0x83, 0xc1, 0x03, 0xf4};

TEST_F(LeavingInTheMiddle, AJumpToAnotherPageHasItsFlags) {
  const std::array<u8, 1> halt{0xf4};
  translates_.store(RowGuest::kCode + kPageSize, halt);
  interprets_.store(RowGuest::kCode + kPageSize, halt);
  expect_alike(kJumpToAnotherPage, 4);
  EXPECT_EQ(run(translates_, kJumpToAnotherPage, 4).rip, RowGuest::kCode + kPageSize + 1);
}

TEST_F(LeavingInTheMiddle, AJumpToAnotherPageThatIsNotTakenLeadsOn) {
  expect_alike(kJumpToAnotherPage, 6);
}

/// CMP RAX, RBX and a jump that is not taken, which ends so many bytes behind the page's end.
void expect_to_go_on_behind_the_page(unsigned behind, std::span<const u8> jump) {
  RowGuest guest(true, RowMode::Long);
  constexpr u64 kEnd = RowGuest::kCode + kPageSize;
  const u64 start = kEnd + behind - jump.size() - 3;
  guest.store(start, std::array<u8, 3>{0x48, 0x39, 0xd8});
  guest.store(start + 3, jump);
  guest.store(kEnd + behind, std::array<u8, 4>{0x83, 0xc1, 0x03, 0xf4});  // add ecx, 3; hlt
  RowState state;
  state.flags = 2;
  state.rip = start;
  state.gpr[x86::Rsp] = RowGuest::kStack + 0x800;
  guest.run(state);
  guest.run(state);
  const RowState after = guest.run(state);
  EXPECT_EQ(after.rip, kEnd + behind + 4);
  EXPECT_EQ(after.gpr[x86::Rcx], 3U);
}

TEST_F(LeavingInTheMiddle, AJumpAtThePagesEndThatIsNotTakenLeadsOn) {
  expect_to_go_on_behind_the_page(0, std::array<u8, 2>{0x72, 0x10});
}

TEST_F(LeavingInTheMiddle, AJumpOverThePagesEndThatIsNotTakenLeadsOn) {
  expect_to_go_on_behind_the_page(3, std::array<u8, 6>{0x0f, 0x82, 0x10, 0x00, 0x00, 0x00});
}

// 66 cmp ax, bx; 66 jb +3 (AMD: RIP is cut; Intel: no prefix); add ecx, 3; hlt
constexpr std::array<u8, 12> kOddJump{0x66, 0x39, 0xd8, 0x66, 0x72, 0x03,
                                      0x83, 0xc1, 0x03, 0xf4, 0xf4, 0xf4};

TEST_F(LeavingInTheMiddle, AJumpThatIsCalledAndNotTakenLeadsOn) { expect_alike(kOddJump, 6); }

TEST_F(LeavingInTheMiddle, AJumpThatIsCalledAndTakenLeaves) { expect_alike(kOddJump, 4); }

}  // namespace
}  // namespace rhea::test
