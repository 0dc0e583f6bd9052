// SPDX-License-Identifier: GPL-2.0-or-later
// What follows when a watchdog expires, as monitors choose and hear of it.
#include "rhea/softmmu/actions.h"

#include "rhea/softmmu/tool_events.h"
#include "tests/monitor/fixture.h"

namespace rhea::test {
namespace {

using testing::ElementsAre;

class WatchdogActionTest : public MonitorTest {
 protected:
  WatchdogActionTest() {
    machine().service<ToolEvents>().observe(
        [this](const std::string& name, const ToolEvents::Data& data) {
          heard.push_back(name + " " + to_text(data.front().second));
        });
    machine().on_event([this](MachineEvent event, ShutdownCause) {
      if (event == MachineEvent::Reset) heard.emplace_back("RESET");
      if (event == MachineEvent::Powerdown) heard.emplace_back("POWERDOWN");
      if (event == MachineEvent::Stop) heard.emplace_back("STOP");
    });
    machine().resume();
  }
  void expire() { machine().service<MachineActions>().watchdog_expired(); }
  bool hears(std::size_t count) {
    return bench_.run_until([&] { return heard.size() >= count; });
  }
  std::vector<std::string> heard;
};

TEST_F(WatchdogActionTest, ResetIsTheUsualOne) {
  bench_.machine().loop().defer([this] { expire(); });
  ASSERT_TRUE(hears(2));
  EXPECT_THAT(heard, testing::UnorderedElementsAre("WATCHDOG reset", "RESET"));
}

TEST_F(WatchdogActionTest, BothMonitorsChooseIt) {
  EXPECT_EQ(qmp(R"({"execute":"watchdog-set-action","arguments":{"action":"pause"}})"),
            R"({"return": {}})");
  expire();
  ASSERT_TRUE(hears(2));
  EXPECT_THAT(heard, ElementsAre("WATCHDOG pause", "STOP"));
  EXPECT_EQ(hmp("watchdog_action shutdown"), "");
  expire();
  ASSERT_TRUE(hears(4));
  EXPECT_EQ(machine().service<MachineActions>().watchdog, WatchdogAction::Shutdown);
  EXPECT_EQ(hmp("watchdog_action bark").substr(0, 6), "Error:");
}

TEST_F(WatchdogActionTest, ShutdownPressesThePowerButton) {
  machine().service<MachineActions>().watchdog = WatchdogAction::Shutdown;
  expire();
  ASSERT_TRUE(hears(2));
  EXPECT_THAT(heard, testing::UnorderedElementsAre("WATCHDOG shutdown", "POWERDOWN"));
}

TEST_F(WatchdogActionTest, PoweroffEndsTheProgram) {
  machine().service<MachineActions>().watchdog = WatchdogAction::Poweroff;
  expire();
  EXPECT_THAT(heard, ElementsAre("WATCHDOG poweroff"));
  EXPECT_EQ(machine().exit_code(), 0);
}

TEST_F(WatchdogActionTest, OfManyTheLatestIsToldOnceASecond) {
  machine().service<MachineActions>().watchdog = WatchdogAction::None;
  for (unsigned i = 0; i < 1000; ++i) expire();
  ASSERT_TRUE(hears(1));
  EXPECT_THAT(heard, ElementsAre("WATCHDOG none"));
}

TEST_F(WatchdogActionTest, DebugSaysSoOnce) {
  machine().service<MachineActions>().watchdog = WatchdogAction::Debug;
  testing::internal::CaptureStderr();
  expire();
  expire();
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(said.find("watchdog: timer fired"), said.rfind("watchdog: timer fired"));
  EXPECT_NE(said.find("watchdog: timer fired"), std::string::npos);
}

TEST_F(WatchdogActionTest, AnNmiGoesToTheProcessors) {
  unsigned nmis = 0;
  machine().service<MachineActions>().inject_nmi = [&nmis] { ++nmis; };
  machine().service<MachineActions>().watchdog = WatchdogAction::InjectNmi;
  expire();
  EXPECT_EQ(nmis, 1u);
}

}  // namespace
}  // namespace rhea::test
