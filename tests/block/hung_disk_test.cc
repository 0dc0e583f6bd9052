// SPDX-License-Identifier: GPL-2.0-or-later
// A disk that does not answer: who waits for it, and for how long.
#include "block/block_service.h"
#include "rhea/softmmu/snapshot.h"
#include "tests/block/gate_node.h"
#include "tests/support/bench.h"

#include <gtest/gtest.h>

#include <functional>
#include <tuple>

namespace rhea::test {
namespace {

class HungDisk : public testing::Test {
 protected:
  HungDisk() {
    auto node = std::make_unique<GateNode>(4096);
    gate = node->gate();
    gate->close();
    bench->machine()
        .container("/drives")
        .add_child("g", create<BlockBackend>())
        .insert(std::move(node));
  }
  ~HungDisk() override { gate->open(); }
  BlockBackend& drive() { return *find_drive(bench->machine(), "g"); }
  block::BlockService& service() { return bench->machine().service<block::BlockService>(); }
  void read() {
    auto buffer = std::make_shared<std::vector<u8>>(512);
    drive().read(0, *buffer, [this, buffer](const Result<>& result) {
      outcomes.push_back(result ? "ok" : result.error().message());
    });
  }
  void write() {
    auto buffer = std::make_shared<std::vector<u8>>(512, 0x42);
    drive().write(0, *buffer,
                  [this, buffer](const Result<>&) { outcomes.emplace_back("written"); });
  }
  void turn_a_while() {
    for (int i = 0; i < 20; ++i) {
      bench->machine().loop().iterate(false);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  std::optional<Bench> bench{std::in_place};
  std::shared_ptr<Gate> gate;
  std::vector<std::string> outcomes;
  bool told{false};
};

TEST_F(HungDisk, StoppingWaitsForItOutsideOfEverything) {
  bench->machine().resume();
  read();
  bench->machine().pause();
  std::ignore = service().when_stopped([this] { told = true; });
  turn_a_while();
  EXPECT_FALSE(told);
  EXPECT_EQ(bench->machine().run_state(), RunState::Paused);
  gate->open();
  EXPECT_TRUE(bench->run_until([this] { return told; }));
  EXPECT_EQ(outcomes, std::vector<std::string>({"ok"}));
}

TEST_F(HungDisk, WhoWaitedForTheStopHearsWhenTheMachineRunsAgain) {
  read();
  std::ignore = service().when_stopped([this] { told = true; });
  turn_a_while();
  EXPECT_FALSE(told);
  bench->machine().resume();
  EXPECT_TRUE(bench->run_until([this] { return told; }));
}

TEST_F(HungDisk, AMediumGoesWhenTheDiskIsDoneAndWhatWaitedFindsTheNextOne) {
  read();
  std::ignore = service().when_quiet(drive(), [this] {
    drive().set_medium(nullptr);
    told = true;
  });
  read();
  turn_a_while();
  EXPECT_FALSE(told);
  gate->open();
  EXPECT_TRUE(bench->run_until([this] { return outcomes.size() == 2; }));
  EXPECT_TRUE(told);
  EXPECT_EQ(outcomes, std::vector<std::string>({"ok", "the medium has been changed"}));
}

// A drive may be asked for ever; who waits for it waits for what it was asked before.
TEST_F(HungDisk, AGuestThatGoesOnAskingKeepsNobodyWaiting) {
  gate->open();
  std::function<void(Result<>)> again = [this, &again](const Result<>&) {
    auto buffer = std::make_shared<std::vector<u8>>(512);
    if (outcomes.empty()) drive().read(0, *buffer, [buffer, &again](Result<> r) { again(r); });
  };
  again({});
  std::ignore = service().when_quiet(drive(), [this] { told = true; });
  EXPECT_TRUE(bench->run_until([this] { return told; }));
  outcomes.emplace_back("enough");
  drive().drain();
}

TEST_F(HungDisk, AWaiterOutlivesTheDrive) {
  read();
  std::ignore = service().when_quiet(drive(), [this] { told = true; });
  remove_drive(drive());
  EXPECT_TRUE(bench->run_until([this] { return told; }));
}

TEST_F(HungDisk, SavingTheMachineIsRefused) {
  read();
  auto& checks = bench->machine().service<SaveChecks>();
  const Result<> refused = checks.run();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(), "Drive 'g': 'gate' does not finish a request");
  gate->open();
  EXPECT_TRUE(checks.run());
}

TEST_F(HungDisk, ARemovedDriveIsNotWaitedForAndItsWritesAreStillDone) {
  write();
  const auto start = std::chrono::steady_clock::now();
  remove_drive(drive());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(1500));
  gate->open();
  bench.reset();
  EXPECT_EQ(gate->data[0], 0x42);
}

TEST_F(HungDisk, TheEndOfTheMachineWaitsForItInBoundsAndSaysWhatIsLost) {
  write();
  write();
  testing::internal::CaptureStderr();
  const auto start = std::chrono::steady_clock::now();
  bench.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(2900));
  EXPECT_NE(testing::internal::GetCapturedStderr().find(
                "drive 'g': its disk does not answer; what was written last may be lost"),
            std::string::npos);
}

}  // namespace
}  // namespace rhea::test
