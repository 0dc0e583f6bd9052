// SPDX-License-Identifier: GPL-2.0-or-later
// Pushes and pops one behind the other, which translated code looks up in one go: on one page, over
// a page's end, and into a page that is not there.
#include "tests/jit/row_guest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::ElementsAreArray;

// push rax; push r11; push 0x12345678; push r15; push rbx
constexpr std::array<u8, 11> kPushes{0x50, 0x41, 0x53, 0x68, 0x78, 0x56,
                                     0x34, 0x12, 0x41, 0x57, 0x53};
// pop rcx; pop r10; pop rbp; pop r14; pop rdx
constexpr std::array<u8, 7> kPops{0x59, 0x41, 0x5a, 0x5d, 0x41, 0x5e, 0x5a};
// cmp rbx, rax; pop rbx; pop rcx; setb dl
constexpr std::array<u8, 8> kFlagsOverPops{0x48, 0x39, 0xc3, 0x5b, 0x59, 0x0f, 0x92, 0xc2};

class StackRuns : public testing::Test {
 protected:
  /// The second run is translated code's.
  RowState run(RowGuest& guest, std::span<const u8> code, u64 rsp) {
    RowState state;
    state.flags = 2;
    for (unsigned n = 0; n < 16; ++n) state.gpr[n] = 0x0101'0101'0101'0101 * (n + 1);
    state.gpr[x86::Rsp] = rsp;
    guest.load(code);
    guest.run(state);
    return guest.run(state);
  }
  void expect_alike(std::span<const u8> code, u64 rsp) {
    const RowState is = run(translates_, code, rsp), wanted = run(interprets_, code, rsp);
    EXPECT_THAT(is.gpr, ElementsAreArray(wanted.gpr));
    EXPECT_EQ(is.flags, wanted.flags);
    EXPECT_EQ(is.rip, wanted.rip);
    EXPECT_EQ(is.cr2, wanted.cr2);
    EXPECT_EQ(std::memcmp(translates_.memory() + RowGuest::kData,
                          interprets_.memory() + RowGuest::kData, RowGuest::kRam - RowGuest::kData),
              0);
    EXPECT_GT(translates_.translated(), 0U);
  }
  RowGuest translates_{true, RowMode::Long}, interprets_{false, RowMode::Long};
};

TEST_F(StackRuns, PushesOnOnePage) { expect_alike(kPushes, RowGuest::kData + 0x800); }

TEST_F(StackRuns, PushesStoreWhatTheyAreToldTo) {
  const RowState after = run(translates_, kPushes, RowGuest::kData + 0x800);
  EXPECT_EQ(after.gpr[x86::Rsp], RowGuest::kData + 0x800 - 40);
  u64 third = 0;
  std::memcpy(&third, translates_.memory() + RowGuest::kData + 0x800 - 24, sizeof third);
  EXPECT_EQ(third, 0x1234'5678U);
}

TEST_F(StackRuns, PushesOverThePagesEnd) { expect_alike(kPushes, RowGuest::kData + 0x1010); }

TEST_F(StackRuns, PushesIntoAMissingPageFaultAtTheOneThatMeetsIt) {
  expect_alike(kPushes, RowGuest::kAbsent + 0x1010);
}

TEST_F(StackRuns, PushesThroughAMisalignedPointerOverThePagesEnd) {
  expect_alike(kPushes, RowGuest::kData + 0x1013);
}

TEST_F(StackRuns, PushesToAReadOnlyPage) { expect_alike(kPushes, RowGuest::kReadOnly + 0x800); }

TEST_F(StackRuns, PopsOnOnePage) { expect_alike(kPops, RowGuest::kData + 0x800); }

TEST_F(StackRuns, PopsOverThePagesEnd) { expect_alike(kPops, RowGuest::kData + 0xff0); }

TEST_F(StackRuns, PopsIntoAMissingPage) { expect_alike(kPops, RowGuest::kAbsent - 0x10); }

TEST_F(StackRuns, FlagsOfRegistersThatAreThenPoppedStay) {
  expect_alike(kFlagsOverPops, RowGuest::kData + 0x800);
}

TEST_F(StackRuns, FlagsStayWherePopsAreCalledOneByOne) {
  expect_alike(kFlagsOverPops, RowGuest::kData + 0xff8);
}

}  // namespace
}  // namespace rhea::test
