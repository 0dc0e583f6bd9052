// SPDX-License-Identifier: GPL-2.0-or-later
// Accesses by a register that has just been accessed by, which translated code does not look up
// again: on one page, over a page's ends in both directions, and where the register has changed.
#include "tests/jit/row_guest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::ElementsAreArray;

constexpr u64 kPage = RowGuest::kData + kPageSize, kMissing = RowGuest::kAbsent;

// mov rax, [rbx]; mov rcx, [rbx+0x18]; mov rdx, [rbx-0x20]; mov rsi, [rbx+0x40]
constexpr std::array<u8, 15> kLoads{0x48, 0x8b, 0x03, 0x48, 0x8b, 0x4b, 0x18, 0x48,
                                    0x8b, 0x53, 0xe0, 0x48, 0x8b, 0x73, 0x40};
// mov [rbx], rax; mov [rbx+0x18], rcx; mov [rbx-0x20], rdx; mov rsi, [rbx+0x18]
constexpr std::array<u8, 15> kStores{0x48, 0x89, 0x03, 0x48, 0x89, 0x4b, 0x18, 0x48,
                                     0x89, 0x53, 0xe0, 0x48, 0x8b, 0x73, 0x18};
// mov rax, [rbx]; mov [rbx+8], rcx
constexpr std::array<u8, 7> kLoadAndStore{0x48, 0x8b, 0x03, 0x48, 0x89, 0x4b, 0x08};
// mov rax, [rbx]; mov cl, [rbx+3]; mov dl, [rbx+8]
constexpr std::array<u8, 9> kWithinTheFirst{0x48, 0x8b, 0x03, 0x8a, 0x4b, 0x03, 0x8a, 0x53, 0x08};
// cmp rsi, rdi; mov rax, [rbx]; mov rcx, [rbx+0x18]; setb dl
constexpr std::array<u8, 13> kBetweenFlags{0x48, 0x39, 0xfe, 0x48, 0x8b, 0x03, 0x48,
                                           0x8b, 0x4b, 0x18, 0x0f, 0x92, 0xc2};
// mov rax, [rbx]; add rbx, 0x1000; mov rcx, [rbx+8]
constexpr std::array<u8, 14> kAdded{0x48, 0x8b, 0x03, 0x48, 0x81, 0xc3, 0x00,
                                    0x10, 0x00, 0x00, 0x48, 0x8b, 0x4b, 0x08};
// mov rax, [rbx]; xchg rbx, rbp; mov rcx, [rbx+8]
constexpr std::array<u8, 10> kExchanged{0x48, 0x8b, 0x03, 0x48, 0x87, 0xeb, 0x48, 0x8b, 0x4b, 0x08};
// mov rbx, [rbx]; mov rcx, [rbx+8]
constexpr std::array<u8, 7> kFollowed{0x48, 0x8b, 0x1b, 0x48, 0x8b, 0x4b, 0x08};
// push rax; mov rcx, [rsp]; mov [rsp+8], rdx; pop rsi; pop rdi; mov r8, [rsp-8]
constexpr std::array<u8, 17> kStack{0x50, 0x48, 0x8b, 0x0c, 0x24, 0x48, 0x89, 0x54, 0x24,
                                    0x08, 0x5e, 0x5f, 0x4c, 0x8b, 0x44, 0x24, 0xf8};

class NearAccesses : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<u8> data(16 * kPageSize);
    for (std::size_t n = 0; n < data.size(); ++n) data[n] = static_cast<u8>(n * 7 + n / kPageSize);
    translates_.fill(data);
    interprets_.fill(data);
  }
  /// The last run is translated code's.
  RowState run(RowGuest& guest, std::span<const u8> code, u64 at) {
    RowState state;
    state.flags = 2;
    for (unsigned n = 0; n < 16; ++n) state.gpr[n] = 0x0101'0101'0101'0101 * (n + 1);
    state.gpr[x86::Rbx] = state.gpr[x86::Rsp] = at;
    state.gpr[x86::Rbp] = RowGuest::kData + 0x340;
    guest.load(code);
    guest.run(state);
    return guest.run(state);
  }
  void expect_alike(std::span<const u8> code, u64 at) {
    const RowState is = run(translates_, code, at), wanted = run(interprets_, code, at);
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

TEST_F(NearAccesses, LoadsOnOnePage) { expect_alike(kLoads, kPage - 0x800); }
TEST_F(NearAccesses, LoadsBehindThePagesEnd) { expect_alike(kLoads, kPage - 0x10); }
TEST_F(NearAccesses, LoadsOverThePagesEnd) { expect_alike(kLoads, kPage - 0x1c); }
TEST_F(NearAccesses, LoadsUpToThePagesEnd) { expect_alike(kLoads, kPage - 0x20); }
TEST_F(NearAccesses, LoadsBeforeThePagesBeginning) { expect_alike(kLoads, kPage + 0x10); }
TEST_F(NearAccesses, LoadsOverThePagesBeginning) { expect_alike(kLoads, kPage + 0x1c); }
TEST_F(NearAccesses, LoadsFromThePagesBeginning) { expect_alike(kLoads, kPage + 0x20); }
TEST_F(NearAccesses, TheFirstLoadIsOnTwoPages) { expect_alike(kLoads, kPage - 4); }
TEST_F(NearAccesses, LoadsFromAMissingPageBehind) { expect_alike(kLoads, kMissing - 0x10); }
TEST_F(NearAccesses, LoadsReachingIntoAMissingPage) { expect_alike(kLoads, kMissing - 0x1c); }
TEST_F(NearAccesses, LoadsFromAMissingPageBefore) {
  expect_alike(kLoads, kMissing + kPageSize + 0x10);
}

TEST_F(NearAccesses, StoresOnOnePage) { expect_alike(kStores, kPage - 0x800); }
TEST_F(NearAccesses, StoresBehindThePagesEnd) { expect_alike(kStores, kPage - 0x10); }
TEST_F(NearAccesses, StoresOverThePagesEnd) { expect_alike(kStores, kPage - 0x1c); }
TEST_F(NearAccesses, StoresBeforeThePagesBeginning) { expect_alike(kStores, kPage + 0x10); }
TEST_F(NearAccesses, StoresOverThePagesBeginning) { expect_alike(kStores, kPage + 0x1c); }
TEST_F(NearAccesses, TheFirstStoreIsOnTwoPages) { expect_alike(kStores, kPage - 4); }
TEST_F(NearAccesses, StoresIntoAMissingPageBehind) { expect_alike(kStores, kMissing - 0x10); }
TEST_F(NearAccesses, AStoreReachingIntoAMissingPageStoresNothing) {
  expect_alike(kStores, kMissing - 0x1c);
}

TEST_F(NearAccesses, AStoreWhereALoadMayGoIsLookedUp) {
  expect_alike(kLoadAndStore, RowGuest::kReadOnly + 0x100);
}

TEST_F(NearAccesses, LoadsWithinTheFirst) { expect_alike(kWithinTheFirst, kPage - 0x800); }
TEST_F(NearAccesses, ALoadRightBehindTheFirst) { expect_alike(kWithinTheFirst, kPage - 8); }
TEST_F(NearAccesses, LoadsWithinTheFirstOnTwoPages) { expect_alike(kWithinTheFirst, kPage - 5); }

TEST_F(NearAccesses, FlagsStayOnOnePage) { expect_alike(kBetweenFlags, kPage - 0x800); }
TEST_F(NearAccesses, FlagsStayOverThePagesEnd) { expect_alike(kBetweenFlags, kPage - 0x1c); }
TEST_F(NearAccesses, FlagsStayWhereTheFirstIsOnTwoPages) { expect_alike(kBetweenFlags, kPage - 4); }

TEST_F(NearAccesses, ARegisterThatIsAddedToLeadsElsewhere) { expect_alike(kAdded, kPage - 0x800); }
TEST_F(NearAccesses, ARegisterThatIsExchangedLeadsElsewhere) {
  expect_alike(kExchanged, kPage + 0x800);
}

TEST_F(NearAccesses, ARegisterThatIsLoadedLeadsElsewhere) {
  const std::array<u8, 8> pointer{0x40, 0x03, 0x02};  // kData + 0x340
  translates_.store(kPage + 0x800, pointer);
  interprets_.store(kPage + 0x800, pointer);
  expect_alike(kFollowed, kPage + 0x800);
}

TEST_F(NearAccesses, TheStackOnOnePage) { expect_alike(kStack, kPage - 0x800); }
TEST_F(NearAccesses, TheStackFromThePagesEnd) { expect_alike(kStack, kPage); }
TEST_F(NearAccesses, TheStackOverThePagesEnd) { expect_alike(kStack, kPage - 4); }
TEST_F(NearAccesses, TheStackUpToThePagesEnd) { expect_alike(kStack, kPage - 8); }
TEST_F(NearAccesses, TheStackBesideAMissingPage) { expect_alike(kStack, kMissing - 8); }
TEST_F(NearAccesses, TheStackBelowAMissingPage) { expect_alike(kStack, kMissing); }

TEST_F(NearAccesses, WhatIsCalledIsLookedUpBehindIt) {
  run(translates_, kLoads, kPage - 0x800);
  translates_.cpu().flush_tlb();
  const RowState is = run(translates_, kLoads, kPage - 0x800);
  EXPECT_EQ(translates_.translated(), 1U);
  EXPECT_THAT(is.gpr, ElementsAreArray(run(interprets_, kLoads, kPage - 0x800).gpr));
}

TEST_F(NearAccesses, WhereTheFirstIsOnTwoPagesTheBlockIsLeft) {
  run(translates_, kLoads, kPage - 4);
  run(translates_, kLoads, kPage - 4);
  EXPECT_GT(translates_.translated(), 1U);
}

}  // namespace
}  // namespace rhea::test
