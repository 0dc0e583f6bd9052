// SPDX-License-Identifier: GPL-2.0-or-later
// An instruction that lies on two pages, in translated code: it is what both pages hold now, and
// which page is the second depends on the page tables.
#include "target/x86/comparing.h"
#include "tests/jit/row_guest.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr u64 kFirst = RowGuest::kCode, kSecond = kFirst + kPageSize, kOther = kSecond + kPageSize;

/// Adds what an instruction across the pages loads five times, in a loop.
class PageCrossing : public testing::Test {
 protected:
  void SetUp() override {
    x86::comparing::linked = true;
    guest_.load(std::array<u8, 12>{
        0x31, 0xdb,                    // xor ebx, ebx
        0xb9, 0x05, 0x00, 0x00, 0x00,  // mov ecx, 5
        0xe9, 0xeb, 0x00, 0x00, 0x00,  // jmp 0x100f7
    });
    guest_.store(kFirst + 0xf7, std::array<u8, 5>{0xe9, 0x02, 0x0f, 0x00, 0x00});  // jmp 0x10ffe
    guest_.store(kFirst + 0xffe, std::array<u8, 2>{0xb8, 0x11});  // mov eax, 0x??????11
    const std::array<u8, 14> rest{
        0x00, 0x00, 0x00,                    // the rest of it
        0x01, 0xc3,                          // add ebx, eax
        0xff, 0xc9,                          // dec ecx
        0x0f, 0x85, 0xea, 0xf0, 0xff, 0xff,  // jnz 0x100f7
        0xf4,                                // hlt
    };
    guest_.store(kSecond, rest);
    guest_.store(kOther, rest);
    guest_.store(kOther, std::array<u8, 1>{0x22});
  }
  void TearDown() override { x86::comparing::linked = false; }
  RowState run() {
    RowState state;
    state.flags = 2;
    state.gpr[x86::Rsp] = RowGuest::kStack + 0x800;
    return guest_.run(state);
  }
  u64 sum() { return run().gpr[x86::Rbx]; }

  RowGuest guest_{true, RowMode::Long};
};

TEST_F(PageCrossing, IsTranslated) {
  sum();
  EXPECT_EQ(sum(), 5U * 0x11);
  // The beginning, the jump, the instruction, what is behind it, and behind the loop.
  EXPECT_EQ(guest_.translated(), 5U);
}

TEST_F(PageCrossing, IsAnotherWhereAnotherPageFollows) {
  ASSERT_EQ(sum(), 5U * 0x11);
  guest_.map(kSecond, kOther);
  EXPECT_EQ(sum(), 5U * 0x2211);
  guest_.map(kSecond, kSecond);
  EXPECT_EQ(sum(), 5U * 0x11);
}

TEST_F(PageCrossing, IsAnotherWhenTheSecondPageChanges) {
  ASSERT_EQ(sum(), 5U * 0x11);
  guest_.store(kSecond, std::array<u8, 1>{0x33});
  EXPECT_EQ(sum(), 5U * 0x3311);
}

TEST_F(PageCrossing, IsAnotherWhenTheFirstPageChanges) {
  ASSERT_EQ(sum(), 5U * 0x11);
  guest_.store(kFirst + 0xfff, std::array<u8, 1>{0x44});
  EXPECT_EQ(sum(), 5U * 0x44);
}

TEST_F(PageCrossing, FaultsWhereTheSecondPageIsGone) {
  ASSERT_EQ(sum(), 5U * 0x11);
  guest_.map(kSecond, RowGuest::kAbsent);
  const RowState after = run();
  EXPECT_EQ(after.cr2, kSecond);
  EXPECT_EQ(after.gpr[x86::Rbx], 0U);
  EXPECT_EQ(after.gpr[x86::Rcx], 5U);
}

}  // namespace
}  // namespace rhea::test
