// SPDX-License-Identifier: GPL-2.0-or-later
// Drives: requests, their completions, media changes.
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

TEST_F(Backend, ObserversHearOfMediaChanges) {
  std::vector<bool> seen;
  drive().on_media_change([&seen](bool inserted) { seen.push_back(inserted); });
  drive().eject();
  drive().insert(std::make_unique<GateNode>(4096));
  EXPECT_EQ(seen, (std::vector<bool>{false, true}));
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

TEST(BackendLife, PausingTheMachineDrains) {
  Bench bench;
  make_fake_disk(bench, "d", 4096);
  std::vector<u8> buffer(512);
  bool called = false;
  bench.machine().resume();
  find_drive(bench.machine(), "d")->read(0, buffer, [&called](const Result<>&) { called = true; });
  bench.machine().pause();
  EXPECT_TRUE(called);
}

}  // namespace
}  // namespace rhea::test
