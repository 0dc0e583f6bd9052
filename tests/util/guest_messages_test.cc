// SPDX-License-Identifier: GPL-2.0-or-later
// How many messages of each kind a guest gets into the log.
#include "util/guest_messages.h"

#include "rhea/util/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using Verdict = GuestMessages::Verdict;

constexpr GuestMessages::Clock::time_point kThen{std::chrono::seconds(1000)};
constexpr std::string_view kText = "write of {:#x} to nothing";
constexpr std::string_view kOtherText = "read of nothing";

/// How many of `count` messages at `now` are said.
unsigned said_of(GuestMessages& messages, unsigned count, std::string_view device,
                 std::string_view format, GuestMessages::Clock::time_point now) {
  unsigned said = 0;
  for (unsigned i = 0; i < count; ++i)
    said += messages.pass(device, format, now) != Verdict::HoldBack ? 1 : 0;
  return said;
}

TEST(GuestMessages, TenOfAKindPassInASecondAndTheLastIsToldApart) {
  GuestMessages messages;
  EXPECT_EQ(said_of(messages, 9, "rtc", kText, kThen), 9U);
  EXPECT_EQ(messages.pass("rtc", kText, kThen), Verdict::SayLast);
  EXPECT_EQ(messages.pass("rtc", kText, kThen + milliseconds(999)), Verdict::HoldBack);
  EXPECT_EQ(messages.pass("rtc", kText, kThen + milliseconds(1000)), Verdict::Say);
}

TEST(GuestMessages, AnotherDeviceIsAnotherKind) {
  GuestMessages messages;
  said_of(messages, 100, "rtc", kText, kThen);
  EXPECT_EQ(messages.pass("fdc", kText, kThen), Verdict::Say);
}

TEST(GuestMessages, AnotherTextIsAnotherKind) {
  GuestMessages messages;
  said_of(messages, 100, "rtc", kText, kThen);
  EXPECT_EQ(messages.pass("rtc", kOtherText, kThen), Verdict::Say);
}

TEST(GuestMessages, AfterTheSecondItIsToldOnceHowManyThereWere) {
  GuestMessages messages;
  said_of(messages, 110, "rtc", kText, kThen);
  EXPECT_EQ(messages.settle(kThen + milliseconds(999)), "");
  EXPECT_EQ(messages.settle(kThen + milliseconds(1000)),
            "rtc: 100 more like \"write of {:#x} to nothing\"\n");
  EXPECT_EQ(messages.settle(kThen + milliseconds(1000)), "");
}

TEST(GuestMessages, AtTheEndAllIsTold) {
  GuestMessages messages;
  said_of(messages, 11, "rtc", kText, kThen);
  said_of(messages, 12, "fdc", kText, kThen);
  EXPECT_EQ(messages.settle_all(),
            "fdc: 2 more like \"write of {:#x} to nothing\"\n"
            "rtc: 1 more like \"write of {:#x} to nothing\"\n");
}

TEST(GuestMessages, ManyDevicesAtOnceShareALimit) {
  GuestMessages messages;
  unsigned said = 0;
  for (unsigned i = 0; i < 10000; ++i)
    said += said_of(messages, 1, std::to_string(i), kText, kThen);
  EXPECT_EQ(said, GuestMessages::kMostKinds + GuestMessages::kBurst);
}

TEST(GuestMessages, KindsThatAreSilentMakeRoom) {
  GuestMessages messages;
  for (unsigned i = 0; i < GuestMessages::kMostKinds; ++i)
    said_of(messages, 1, std::to_string(i), kText, kThen);
  EXPECT_EQ(said_of(messages, 100, "new", kText, kThen + milliseconds(1000)), 10U);
  EXPECT_EQ(said_of(messages, 100, "newer", kText, kThen + milliseconds(1000)), 10U);
}

TEST(Log, AGuestInALoopGetsAFewLinesAndTheirCount) {
  ASSERT_TRUE(log_enable("guest_errors"));
  testing::internal::CaptureStderr();
  for (unsigned i = 0; i < 1000000; ++i) log_guest("loop", "write {} to nothing", i);
  log_settle();
  log_mask = 0;
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_LT(log.size(), 10000U);
  EXPECT_THAT(log, HasSubstr("loop: write 0 to nothing\n"));
  EXPECT_THAT(log, HasSubstr("loop: write 9 to nothing (more like this is counted)\n"));
  EXPECT_THAT(log, HasSubstr(" more like \"write {} to nothing\"\n"));
}

TEST(Log, WhatIsTracedIsNotHeldBack) {
  testing::internal::CaptureStderr();
  for (unsigned i = 0; i < 1000; ++i) log_write(fmt::format("event {}\n", i));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("event 999\n"));
}

}  // namespace
}  // namespace rhea::test
