// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of single devices: which are shown for which patterns, and how.
#include "rhea/qom/device_trace.h"

#include "rhea/util/log.h"
#include "tests/support/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;

const trace::DeviceEvent<int> test_spoken{"test_spoken", "value {}"};
const trace::Event<int> test_happened{"test_happened", "value {}"};

constexpr u64 kBar = 0xe000'0000;

class DeviceTrace : public testing::Test {
 protected:
  DeviceTrace() : first(plug("first")), second(plug("second")) {
    testing::internal::CaptureStderr();
  }
  ~DeviceTrace() override {
    if (!taken_) shown();
    set_message_style({});
    EXPECT_TRUE(trace::enable("*", false));
  }
  Device& plug(std::string id) { return **bench.machine().plug("edu", {}, id); }
  std::string shown() {
    taken_ = true;
    return testing::internal::GetCapturedStderr();
  }
  /// What both devices say once.
  std::string both_speak() {
    test_spoken(first, 1);
    test_spoken(second, 2);
    return shown();
  }
  void access_registers(Device& device) {
    const unsigned devfn = static_cast<PciDevice&>(device).devfn();
    bench.config_write(devfn, 0x10, kBar, 4);
    bench.config_write(devfn, 4, 2, 2);
    bench.load(kBar + 4, 4);
    bench.config_write(devfn, 4, 0, 2);
  }

  Bench bench;
  Device &first, &second;

 private:
  bool taken_{false};
};

TEST_F(DeviceTrace, AnEventIsShownOfAllDevicesByName) {
  ASSERT_TRUE(trace::enable("test_spoken"));
  EXPECT_EQ(both_speak(), "test_spoken first: value 1\ntest_spoken second: value 2\n");
}

TEST_F(DeviceTrace, NothingIsShownUntilAskedFor) { EXPECT_EQ(both_speak(), ""); }

TEST_F(DeviceTrace, AnIdSelectsItsDevice) {
  ASSERT_TRUE(trace::enable("second:test_spoken"));
  EXPECT_EQ(both_speak(), "test_spoken second: value 2\n");
}

TEST_F(DeviceTrace, IdsAndEventsMayBePatterns) {
  ASSERT_TRUE(trace::enable("fir*:test_*"));
  EXPECT_EQ(both_speak(), "test_spoken first: value 1\n");
}

TEST_F(DeviceTrace, ATypeSelectsAllOfIt) {
  ASSERT_TRUE(trace::enable("edu:test_spoken"));
  EXPECT_EQ(both_speak(), "test_spoken first: value 1\ntest_spoken second: value 2\n");
}

TEST_F(DeviceTrace, ABaseOfATypeSelectsItsDevices) {
  ASSERT_TRUE(trace::enable("pci-device:test_spoken"));
  test_spoken(bench.pci(), 0);
  EXPECT_EQ(both_speak(), "test_spoken first: value 1\ntest_spoken second: value 2\n");
}

TEST_F(DeviceTrace, APathSelectsItsDevice) {
  ASSERT_TRUE(trace::enable("/machine/peripheral/first:test_spoken"));
  EXPECT_EQ(both_speak(), "test_spoken first: value 1\n");
}

TEST_F(DeviceTrace, APathWithBracketsSelectsItsDevice) {
  Device& third = bench.add("edu");
  ASSERT_TRUE(trace::enable(third.path() + ":test_spoken"));
  test_spoken(third, 3);
  EXPECT_EQ(both_speak(), "test_spoken edu: value 3\n");
}

TEST_F(DeviceTrace, ThePartsOfADeviceCountAsIt) {
  ASSERT_TRUE(trace::enable("first:test_spoken"));
  Object& part = first.add_child("part", create_object("serial").value());
  test_spoken(part, 5);
  EXPECT_EQ(both_speak(), "test_spoken first: value 5\ntest_spoken first: value 1\n");
}

TEST_F(DeviceTrace, OneDeviceCanBeLeftOut) {
  ASSERT_TRUE(trace::enable("test_spoken"));
  ASSERT_TRUE(trace::enable("first:test_spoken", false));
  EXPECT_EQ(both_speak(), "test_spoken second: value 2\n");
}

TEST_F(DeviceTrace, TheLaterOfTwoPatternsCounts) {
  ASSERT_TRUE(trace::enable("edu:test_spoken"));
  ASSERT_TRUE(trace::enable("second:test_spoken", false));
  ASSERT_TRUE(trace::enable("edu:test_spoken"));
  EXPECT_THAT(both_speak(), HasSubstr("second"));
}

TEST_F(DeviceTrace, AnEventSwitchedOffIsOffForAll) {
  ASSERT_TRUE(trace::enable("first:test_spoken"));
  ASSERT_TRUE(trace::enable("test_spoken", false));
  EXPECT_FALSE(test_spoken.enabled());
  EXPECT_EQ(both_speak(), "");
}

TEST_F(DeviceTrace, TheLastDeviceSwitchedOffCostsNothingAnyMore) {
  ASSERT_TRUE(trace::enable("first:test_spoken"));
  ASSERT_TRUE(trace::enable("first:test_spoken", false));
  EXPECT_FALSE(test_spoken.enabled());
}

TEST_F(DeviceTrace, WhoIsNoDeviceIsMeantByNoFilter) {
  ASSERT_TRUE(trace::enable("*:test_spoken"));
  test_spoken(nullptr, 0);
  EXPECT_EQ(both_speak(), "test_spoken first: value 1\ntest_spoken second: value 2\n");
}

TEST_F(DeviceTrace, AllAccessesOfOneDeviceAreShownByAStar) {
  ASSERT_TRUE(trace::enable("first:*"));
  access_registers(second);
  access_registers(first);
  const std::string text = shown();
  EXPECT_THAT(text, HasSubstr("memory_region_read first: region edu-mmio offset 0x4 size 4"));
  EXPECT_THAT(text, HasSubstr("first: LIVENESS -> "));
  EXPECT_THAT(text, HasSubstr("pci_config_write first: "));
  EXPECT_THAT(text, Not(HasSubstr("second")));
}

TEST_F(DeviceTrace, EventsThatAreNoDevicesKnowNoDevice) {
  EXPECT_EQ(trace::enable("first:test_happened").error().message(),
            "-trace first:test_happened: no trace event of devices has this name");
}

TEST_F(DeviceTrace, ADeviceMustStandBeforeTheColon) {
  EXPECT_EQ(trace::enable(":test_spoken").error().message(),
            "-trace :test_spoken: a device is expected before the colon");
}

TEST_F(DeviceTrace, DevicesThatWereNamedAreFoundInTheTree) {
  ASSERT_TRUE(trace::enable("first:test_spoken"));
  ASSERT_TRUE(trace::enable("nobody:test_spoken"));
  EXPECT_THAT(trace::named_devices(), testing::IsSupersetOf({"first", "nobody"}));
  EXPECT_TRUE(trace::finds(bench.machine(), "first"));
  EXPECT_FALSE(trace::finds(bench.machine(), "nobody"));
}

TEST_F(DeviceTrace, AnEventThatComesLaterIsOnIfItWasAskedFor) {
  ASSERT_TRUE(trace::enable("first:test_*"));
  static const trace::DeviceEvent<int> late{"test_late", "value {}"};
  late(second, 2);
  late(first, 1);
  EXPECT_EQ(shown(), "test_late first: value 1\n");
}

TEST_F(DeviceTrace, LinesHaveTheTimeWhereMessagesHaveIt) {
  ASSERT_TRUE(trace::enable("test_*"));
  set_message_style({.timestamp = true});
  test_happened(4);
  EXPECT_THAT(shown(), MatchesRegex("[0-9]+@[0-9]+\\.[0-9][0-9][0-9][0-9][0-9][0-9]:"
                                    "test_happened value 4\n"));
}

}  // namespace
}  // namespace rhea::test
