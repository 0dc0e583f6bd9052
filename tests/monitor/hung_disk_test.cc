// SPDX-License-Identifier: GPL-2.0-or-later
// A disk that does not answer keeps the client waiting whose command needs it, and nobody else.
#include "block/file_lock.h"
#include "tests/block/gate_node.h"
#include "tests/block/temp_dir.h"
#include "tests/monitor/fixture.h"

#include <fcntl.h>

namespace rhea::test {
namespace {

using qmp::Json;

class HungDiskMonitor : public MonitorTest {
 protected:
  HungDiskMonitor() {
    auto node = std::make_unique<GateNode>(4096);
    gate_ = node->gate();
    gate_->close();
    machine().container("/drives").add_child("g", create<BlockBackend>()).insert(std::move(node));
    auto buffer = std::make_shared<std::vector<u8>>(512);
    drive().read(0, *buffer, [buffer](const Result<>&) {});
    bench_.run_until([this] { return gate_->arrivals == 1; });
  }
  ~HungDiskMonitor() override { gate_->open(); }
  BlockBackend& drive() { return *find_drive(machine(), "g"); }

  // Sends a command whose answer has to wait.
  void begin(std::string_view message) {
    qmp::Context context{.machine = machine(), .client = client_};
    EXPECT_EQ(qmp::respond(context, message), "");
    waiting_ = context.later;
    ASSERT_NE(waiting_, nullptr);
    waiting_->on_finish(
        [this](const Result<Json>& result) { answer_ = result ? "ok" : result.error().message(); });
    for (int turn = 0; turn < 20; ++turn) machine().loop().iterate(false);
    EXPECT_EQ(answer_, "");
  }
  std::string end() {
    bench_.run_until([this] { return !answer_.empty(); });
    return answer_;
  }

  std::shared_ptr<Gate> gate_;
  std::shared_ptr<qmp::Later> waiting_;
  std::string answer_;
};

TEST_F(HungDiskMonitor, StopStopsTheGuestAtOnceAndAnswersWhenTheDiskDoes) {
  machine().resume();
  begin(R"({"execute":"stop"})");
  EXPECT_EQ(returned(R"({"execute":"query-status"})")["status"], "paused");
  EXPECT_EQ(returned(R"({"execute":"query-block"})").size(), 1U);
  gate_->open();
  EXPECT_EQ(end(), "ok");
}

TEST_F(HungDiskMonitor, ContAnswersWhoWaitsForTheStop) {
  machine().resume();
  begin(R"({"execute":"stop"})");
  qmp(R"({"execute":"cont"})");
  EXPECT_EQ(end(), "ok");
}

TEST_F(HungDiskMonitor, EjectTakesTheMediumWhenTheDiskHasAnswered) {
  begin(R"({"execute":"eject","arguments":{"device":"g"}})");
  EXPECT_EQ(returned(R"({"execute":"query-status"})")["running"], false);
  EXPECT_TRUE(drive().inserted());
  gate_->open();
  EXPECT_EQ(end(), "ok");
  EXPECT_FALSE(drive().inserted());
}

TEST_F(HungDiskMonitor, ADriveThatGoesMeanwhileIsAnError) {
  begin(R"({"execute":"eject","arguments":{"device":"g"}})");
  remove_drive(drive());
  EXPECT_EQ(end(), "Device 'g' not found");
}

TEST_F(HungDiskMonitor, ChangeWaitsAndThenPutsTheNewMediumIn) {
  const TempDir folder;
  const std::string image = folder.file("next.img", 1024, 'x');
  begin(Json{{"execute", "blockdev-change-medium"},
             {"arguments", {{"device", "g"}, {"filename", image}, {"format", "raw"}}}}
            .dump());
  gate_->open();
  EXPECT_EQ(end(), "ok");
  EXPECT_EQ(drive().filename(), image);
}

TEST_F(HungDiskMonitor, AMediumWhoseFileCannotBeOpenedAnewStays) {
  const TempDir folder;
  const std::string image = folder.file("same.img", 1024, 'x');
  const FileDescriptor other(::open(image.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(block::lock_image(other.get(), block::ImageUse::Write));
  machine()
      .container("/drives")
      .add_child("s", create<BlockBackend>())
      .insert(std::make_unique<GateNode>(4096, false, image));
  const std::string said =
      error(Json{{"execute", "blockdev-change-medium"},
                 {"arguments", {{"device", "s"}, {"filename", image}, {"format", "raw"}}}}
                .dump());
  EXPECT_THAT(said, testing::HasSubstr("Failed to get"));
  EXPECT_EQ(find_drive(machine(), "s")->filename(), image);
}

TEST_F(HungDiskMonitor, AClientThatGoesLeavesTheCommandToItsEnd) {
  begin(R"({"execute":"eject","arguments":{"device":"g"}})");
  waiting_->on_finish(nullptr);
  waiting_.reset();
  gate_->open();
  EXPECT_TRUE(bench_.run_until([this] { return !drive().inserted(); }));
}

}  // namespace
}  // namespace rhea::test
