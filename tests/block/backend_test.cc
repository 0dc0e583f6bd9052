// SPDX-License-Identifier: GPL-2.0-or-later
// Drives: requests, their completions, media changes.
#include "rhea/softmmu/tool_events.h"
#include "tests/block/gate_node.h"
#include "tests/support/bench.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rhea::test {
namespace {

class Backend : public testing::Test {
 protected:
  Backend() { disk = make_fake_disk(bench, "d", 64 * KiB); }
  BlockBackend& drive() { return *find_drive(bench.machine(), "d"); }
  // The result of a request: empty while it is under way.
  BlockBackend::Completion note() {
    return [this](const Result<>& result) { outcome = result ? "ok" : result.error().message(); };
  }
  std::string settle() {
    bench.run_until([this] { return !outcome.empty(); });
    return outcome;
  }
  Bench bench;
  std::shared_ptr<std::vector<u8>> disk;
  std::string outcome;
  std::vector<u8> buffer = std::vector<u8>(512);
};

TEST_F(Backend, ReadsComplete) {
  disk->at(1024) = 7;
  drive().read(1024, buffer, note());
  EXPECT_EQ(outcome, "");
  EXPECT_EQ(settle(), "ok");
  EXPECT_EQ(buffer[0], 7);
}

TEST_F(Backend, WritesComplete) {
  buffer[511] = 9;
  drive().write(512, buffer, note());
  EXPECT_EQ(settle(), "ok");
  EXPECT_EQ(disk->at(1023), 9);
}

TEST_F(Backend, ARangeBeyondTheEndFailsLater) {
  drive().read(64 * KiB - 511, buffer, note());
  EXPECT_EQ(outcome, "");
  EXPECT_EQ(settle(), "512 bytes at 65025 are beyond the end of 'memory'");
}

TEST_F(Backend, AnOffsetThatWrapsFails) {
  drive().read(~u64{0} - 100, buffer, note());
  EXPECT_NE(settle(), "ok");
}

// What the guest asks for in vain is its own affair.
TEST_F(Backend, ErrorsOfTheHostAreToldToTools) {
  std::vector<std::string> told;
  bench.machine().service<ToolEvents>().observe(
      [&told](const std::string& name, const ToolEvents::Data& data) {
        told.push_back(name);
        for (const auto& [key, value] : data) told.push_back(key + "=" + to_text(value));
      });
  auto node = std::make_unique<GateNode>(4096);
  node->gate()->break_at(600);
  drive().insert(std::move(node));
  const std::string node_name = drive().medium()->node_name;
  drive().read(1 << 20, buffer, note());
  EXPECT_NE(settle(), "broken");
  outcome.clear();
  drive().write(512, buffer, note());
  EXPECT_EQ(settle(), "broken");
  ASSERT_TRUE(bench.run_until([&told] { return !told.empty(); }));
  EXPECT_EQ(told, std::vector<std::string>({"BLOCK_IO_ERROR", "device=d", "node-name=" + node_name,
                                            "operation=write", "action=report", "reason=broken"}));
}

TEST_F(Backend, AReadOnlyMediumRefusesWrites) {
  make_fake_disk(bench, "ro", 4096, true);
  find_drive(bench.machine(), "ro")->write(0, buffer, note());
  EXPECT_EQ(settle(), "'memory' is read-only");
}

TEST_F(Backend, WithoutAMediumEverythingFails) {
  drive().eject();
  EXPECT_FALSE(drive().inserted());
  EXPECT_EQ(drive().size(), 0U);
  drive().read(0, buffer, note());
  EXPECT_EQ(settle(), "no medium");
}

TEST_F(Backend, DrainCompletesWithoutTheMainLoop) {
  drive().read(0, buffer, note());
  EXPECT_EQ(drive().in_flight(), 1U);
  drive().drain();
  EXPECT_EQ(outcome, "ok");
  EXPECT_EQ(drive().in_flight(), 0U);
}

TEST_F(Backend, DrainFollowsRequestsThatCompletionsStart) {
  drive().read(0, buffer, [this](const Result<>&) { drive().read(512, buffer, note()); });
  drive().drain();
  EXPECT_EQ(outcome, "ok");
}

TEST_F(Backend, ManyRequestsKeepTheirOrder) {
  std::vector<int> order;
  std::vector<u8> buffers(1000 * 16);
  for (int i = 0; i < 1000; ++i)
    drive().read(0, std::span(buffers).subspan(static_cast<std::size_t>(i) * 16, 16),
                 [&order, i](const Result<>&) { order.push_back(i); });
  drive().drain();
  ASSERT_EQ(order.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(Backend, WithdrawnRequestsAreForgottenWithTheirBuffers) {
  auto node = std::make_unique<GateNode>(4096);
  node->gate()->close();
  auto gate = node->gate();
  drive().insert(std::move(node));
  auto wanted = std::make_shared<std::vector<u8>>(512), unwanted = wanted;
  unwanted = std::make_shared<std::vector<u8>>(512);
  drive().read(0, *wanted, [wanted, this](const Result<>&) { outcome = "wanted"; });
  const auto ticket = drive().read(0, *unwanted, [unwanted](const Result<>&) { FAIL(); });
  EXPECT_TRUE(drive().withdraw(ticket));
  EXPECT_FALSE(drive().withdraw(ticket));
  EXPECT_EQ(unwanted.use_count(), 1);
  EXPECT_EQ(drive().in_flight(), 1U);
  gate->open();
  EXPECT_EQ(settle(), "wanted");
}

TEST_F(Backend, ARequestThatIsDoneButNotHeardOfCanBeWithdrawn) {
  const auto ticket = drive().read(0, buffer, note());
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(drive().withdraw(ticket));
  EXPECT_EQ(drive().in_flight(), 0U);
  drive().flush([](const Result<>&) {});
  drive().drain();
  EXPECT_EQ(outcome, "");
}

TEST_F(Backend, StatisticsCountWhatWasDone) {
  drive().read(0, buffer, note());
  drive().write(0, buffer, note());
  drive().write(1 * GiB, buffer, note());
  drive().flush(note());
  drive().drain();
  const auto& statistics = drive().statistics();
  EXPECT_EQ(statistics.reads, 1U);
  EXPECT_EQ(statistics.writes, 2U);
  EXPECT_EQ(statistics.flushes, 1U);
  EXPECT_EQ(statistics.read_bytes, 512U);
  EXPECT_EQ(statistics.written_bytes, 512U);
}

// A device without a tray that writes down what it hears.
class Slot final : public Device, public MediaDevice {
 public:
  void medium_changed(bool loaded) override { heard.push_back(loaded); }
  std::vector<bool> heard;
};

TEST_F(Backend, TheDeviceHearsOfMediaChangesUntilItLeaves) {
  Slot slot;
  ASSERT_TRUE(drive().attach(slot, &slot));
  drive().eject();
  drive().insert(std::make_unique<GateNode>(4096));
  drive().set_medium(nullptr);
  drive().detach();
  drive().insert(std::make_unique<GateNode>(4096));
  EXPECT_EQ(slot.heard, (std::vector<bool>{false, true}));
}

TEST_F(Backend, IsInOneDeviceAtATime) {
  Slot one, two;
  ASSERT_TRUE(drive().attach(one, &one));
  EXPECT_EQ(drive().attach(two, &two).error().message(),
            "Drive 'd' is already in use by another device");
  drive().detach();
  EXPECT_TRUE(drive().attach(two));
  EXPECT_FALSE(drive().removable());
}

TEST_F(Backend, EjectWaitsForRequestsUnderWay) {
  auto node = std::make_unique<GateNode>(4096);
  node->gate()->close();
  auto gate = node->gate();
  drive().insert(std::move(node));
  drive().read(0, buffer, note());
  gate->open_after(20);
  drive().eject();
  EXPECT_EQ(outcome, "ok");
}

TEST(BackendLife, AMachineMayEndWithRequestsUnderWay) {
  std::vector<u8> buffer(512);
  bool called = false;
  {
    Bench bench;
    auto node = std::make_unique<GateNode>(4096);
    node->gate()->close();
    auto gate = node->gate();
    auto& drive = bench.machine().container("/drives").add_child("g", create<BlockBackend>());
    drive.insert(std::move(node));
    drive.read(0, buffer, [&called](const Result<>&) { called = true; });
    gate->open_after(20);
  }
  EXPECT_FALSE(called);
}

// The gate opens long after the machine has to be gone.
TEST(BackendLife, AMachineEndsThoughADiskHangsInAReadNobodyWants) {
  using Clock = std::chrono::steady_clock;
  auto node = std::make_unique<GateNode>(4096);
  node->gate()->close();
  auto gate = node->gate();
  const auto start = Clock::now();
  {
    Bench bench;
    auto& drive = bench.machine().container("/drives").add_child("g", create<BlockBackend>());
    drive.insert(std::move(node));
    auto buffer = std::make_shared<std::vector<u8>>(512);
    drive.read(0, *buffer, [buffer](const Result<>&) {});
    drive.read(0, *buffer, [buffer](const Result<>&) {});
    gate->open_after(3000);
  }
  EXPECT_LT(Clock::now() - start, std::chrono::milliseconds(2000));
}

TEST(BackendLife, AMachineEndsWithItsWritesDone) {
  auto node = std::make_unique<GateNode>(4096);
  node->gate()->close();
  auto gate = node->gate();
  {
    Bench bench;
    auto& drive = bench.machine().container("/drives").add_child("g", create<BlockBackend>());
    drive.insert(std::move(node));
    auto buffer = std::make_shared<std::vector<u8>>(512, 0x42);
    drive.write(512, *buffer, [buffer](const Result<>&) {});
    drive.write(1024, *buffer, [buffer](const Result<>&) {});
    gate->open_after(400);
  }
  EXPECT_EQ(gate->data[512], 0x42);
  EXPECT_EQ(gate->data[1535], 0x42);
}

// One disk's trouble is not another's.
TEST(BackendLife, ADiskThatHangsHoldsUpNoOther) {
  Bench bench;
  auto node = std::make_unique<GateNode>(4096);
  node->gate()->close();
  auto gate = node->gate();
  auto& slow = bench.machine().container("/drives").add_child("g", create<BlockBackend>());
  slow.insert(std::move(node));
  make_fake_disk(bench, "d", 4096);
  auto buffer = std::make_shared<std::vector<u8>>(512);
  bool done = false;
  slow.read(0, *buffer, [buffer](const Result<>&) {});
  find_drive(bench.machine(), "d")->read(0, *buffer, [buffer, &done](const Result<>&) {
    done = true;
  });
  EXPECT_TRUE(bench.run_until([&done] { return done; }));
  gate->open();
}

}  // namespace
}  // namespace rhea::test
