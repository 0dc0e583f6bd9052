// SPDX-License-Identifier: GPL-2.0-or-later
// Commands that take long leave the main loop and the machine's lock to others.
#include "monitor/long_work.h"

#include "tests/monitor/fixture.h"

#include <thread>

namespace rhea::test {
namespace {

using qmp::Json;

class LongWorkTest : public MonitorTest {
 protected:
  monitor::LongWork& work() { return machine().service<monitor::LongWork>(); }
};

// Without anybody's help until it is told to stop.
Result<Json> endless(const std::stop_token& stop) {
  while (!stop.stop_requested()) std::this_thread::yield();
  return monitor::stopped();
}

TEST_F(LongWorkTest, AnswersOnTheMainLoop) {
  const auto later =
      work().start("", [](const std::stop_token&) -> Result<Json> { return Json(7); });
  ASSERT_TRUE(later);
  const auto answer = wait_for(**later);
  ASSERT_TRUE(answer);
  EXPECT_EQ(*answer, Json(7));
}

TEST_F(LongWorkTest, OtherCommandsAreAnsweredMeanwhile) {
  ASSERT_TRUE(work().start("", &endless));
  EXPECT_EQ(returned(R"({"execute":"query-status"})")["running"], false);
}

TEST_F(LongWorkTest, TheEndOfTheProgramStopsIt) {
  ASSERT_TRUE(work().start("", &endless));
  work().shutdown();
}

TEST_F(LongWorkTest, TheMostThatMayBeUnderWay) {
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(work().start("", &endless));
  EXPECT_FALSE(work().start("", &endless));
}

TEST_F(LongWorkTest, AFileSystemThatDoesNotAnswerLeavesTheOthersToTheOthers) {
  ASSERT_TRUE(work().start("/proc/first", &endless));
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(work().start("/proc/next", &endless));
  EXPECT_TRUE(work().start(scratch_.file("a"), &endless));
  EXPECT_EQ(work().start("/proc/last", &endless).error().message(),
            "8 commands are still at work on the file system '/proc', the first of them with "
            "'/proc/first'");
}

TEST_F(LongWorkTest, MemsaveTakesTheLockInSlices) {
  const std::string request =
      Json{{"execute", "pmemsave"},
           {"arguments", {{"val", 0}, {"size", 4 * GiB}, {"filename", scratch_.file("memory")}}}}
          .dump();
  qmp::Context context{.machine = machine(), .client = client_};
  EXPECT_EQ(qmp::respond(context, request), "");
  ASSERT_NE(context.later, nullptr);
  // 4 GiB take seconds; the lock is had, and given back, while they are written.
  for (int i = 0; i < 10; ++i) {
    machine().lock().unlock();
    std::this_thread::yield();
    machine().lock().lock();
  }
  bool finished = false;
  context.later->on_finish([&finished](const Result<Json>&) { finished = true; });
  EXPECT_FALSE(finished);
}

}  // namespace
}  // namespace rhea::test
