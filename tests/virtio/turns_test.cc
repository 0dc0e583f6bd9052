// SPDX-License-Identifier: GPL-2.0-or-later
// How much a virtio device does before others have their turn: drivers that make buffers of as many
// descriptors as there may be.
#include "hw/virtio/blk_requests.h"
#include "rhea/ui/input.h"
#include "tests/support/fake_rng.h"
#include "tests/virtio/blk_fixture.h"
#include "tests/virtio/net_fixture.h"
#include "tests/virtio/serial_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

constexpr u64 kLongTable = 0x48'0000;
constexpr unsigned kLong = 1000;
/// Of buffers with so many descriptors that there are in one turn.
constexpr unsigned kOfOneTurn = hw::QueueHost::kTurn / kLong + 1;

/// Pieces, and as many empty ones before the last that it is a long buffer.
std::vector<Piece> drawn_out(std::vector<Piece> pieces) {
  const Piece empty{.address = kLongTable, .length = 0, .write = pieces.back().write};
  pieces.insert(pieces.end() - 1, kLong - pieces.size(), empty);
  return pieces;
}

unsigned take_all_used(RingDriver& ring) {
  unsigned taken = 0;
  while (ring.take_used()) ++taken;
  return taken;
}

class VirtioBlkTurns : public VirtioBlkTest {
 protected:
  /// Requests for the serial number, which are answered at once.
  static void add_long_requests(Bench& bench, RingDriver& ring, unsigned count) {
    bench.store(kHeads, kBlkGetId, 4);
    for (unsigned n = 0; n < count; ++n)
      ring.add_indirect(drawn_out({{kHeads, 16}, {kHeads + 32, 1, true}}), kLongTable);
  }
  bool answered(unsigned count) {
    return bench.run_until([&] { return (taken += take_all_used(*ring)) == count; });
  }
  unsigned taken{0};
};

TEST_F(VirtioBlkTurns, LongRequestsOfAQueueTakeSeveral) {
  use({}, kAllOfBlk | kIndirect);
  add_long_requests(bench, *ring, 64);
  driver->notify(0);
  taken = take_all_used(*ring);
  EXPECT_LE(taken, kOfOneTurn);
  EXPECT_GT(taken, 0u);
  EXPECT_TRUE(answered(64));
}

TEST_F(VirtioBlkTurns, QueuesThatWaitedShareOne) {
  insert();
  driver.emplace(bench, "virtio-blk-pci",
                 Properties{{"drive", "disk0"}, {"num-queues", "3"}, {"queue-size", "64"}});
  ASSERT_TRUE(driver->negotiate(kAllOfBlk | kIndirect));
  std::vector<std::unique_ptr<SplitDriver>> rings;
  for (const u16 number : {u16{0}, u16{1}, u16{2}}) {
    const u64 at = 0x4'0000 + u64{0x1'0000} * number;
    const RingPlace own{
        .descriptors = at, .driver = at + 0x4000, .device = at + 0x8000, .entries = 64};
    driver->enable_queue(number, own);
    rings.push_back(std::make_unique<SplitDriver>(bench.machine().memory(), own));
    add_long_requests(bench, *rings.back(), 16);
    driver->notify(number);
  }
  driver->drive();
  const auto used = [&] {
    return take_all_used(*rings[0]) + take_all_used(*rings[1]) + take_all_used(*rings[2]);
  };
  taken = used();
  EXPECT_LE(taken, kOfOneTurn);
  EXPECT_TRUE(bench.run_until([&] { return (taken += used()) == 48; }));
}

TEST_F(VirtioBlkTurns, DataForTheDriveIsCopiedPieceByPiece) {
  use({}, kAllOfBlk | kIndirect);
  gate->close();
  bench.store(kHeads, kBlkOut, 4);
  for (unsigned n = 0; n < 16; ++n)
    ring->add_indirect({{kHeads, 16}, {kBlkData, 1 * MiB}, {kHeads + 32, 1, true}},
                       kLongTable + u64{64} * n);
  driver->notify(0);
  constexpr u64 kPiece = hw::BlkRequests::kPiece;
  EXPECT_LE(backend->in_flight(), hw::BlkRequests::kTurnBytes / kPiece);
  constexpr u64 kMost = hw::BlkRequests::kMostBytes / kPiece;
  EXPECT_TRUE(bench.run_until([&] { return backend->in_flight() == kMost; }));
  gate->open();
  EXPECT_TRUE(answered(16));
}

TEST_F(VirtioBlkTurns, RoomThatAResetOfAQueueMakesIsForTheOthers) {
  insert();
  driver.emplace(bench, "virtio-blk-pci",
                 Properties{{"drive", "disk0"}, {"num-queues", "2"}, {"queue-size", "1024"}});
  ASSERT_TRUE(driver->negotiate(kAllOfBlk | kIndirect | kRingReset));
  const RingPlace full{
      .descriptors = 0x4'0000, .driver = 0x5'0000, .device = 0x6'0000, .entries = 1024};
  const RingPlace waiting{.descriptors = 0x7'0000, .driver = 0x7'4000, .device = 0x7'8000};
  driver->enable_queue(0, full);
  driver->enable_queue(1, waiting);
  driver->drive();
  gate->close();
  bench.store(kHeads, kBlkFlush, 4);
  bench.store(kHeads + 64, kBlkGetId, 4);
  SplitDriver flushes(bench.machine().memory(), full), other(bench.machine().memory(), waiting);
  for (unsigned n = 0; n < 1024; ++n)
    flushes.add_indirect({{kHeads, 16}, {kHeads + 32, 1, true}}, kLongTable);
  driver->notify(0);
  other.add({{kHeads + 64, 16}, {kHeads + 96, 1, true}});
  driver->notify(1);
  ASSERT_EQ(other.take_used(), std::nullopt) << "there is no room";
  driver->modern(0x16, 0, 2);
  driver->modern(0x3a, 1, 2);
  unsigned answers = 0;
  EXPECT_TRUE(bench.run_until([&] { return (answers += take_all_used(other)) == 1; }));
}

class VirtioNetTurns : public VirtioNetTest {
 protected:
  /// Buffers for frames, of tables that lie one behind another.
  void offer_long(unsigned count, u32 bytes) {
    for (unsigned n = 0; n < count; ++n) {
      const u64 number = offered++ % 256;
      receiving->add_indirect(
          drawn_out({{kBuffers + kBufferBytes * number, bytes, true}, {kBuffers, 0, true}}),
          kLongTable + 16 * kLong * number);
    }
    driver->notify(0);
  }
};

TEST_F(VirtioNetTurns, FramesForLongBuffersTakeSeveral) {
  use({}, kUsual | kIndirect);
  offer_long(32, kBufferBytes);
  peer.give(std::vector<FrameBytes>(32, frame_to_it()));
  EXPECT_TRUE(peer.refused());
  EXPECT_TRUE(peer.all_taken());
  EXPECT_EQ(take_all_used(*receiving), 32u);
}

TEST_F(VirtioNetTurns, AFrameHasNoMoreDescriptorsThanABuffer) {
  use({}, kUsual | kIndirect);
  offer_long(2, 20);
  offer(1);
  peer.give(frame_to_it(200));
  EXPECT_TRUE(peer.all_taken());
  EXPECT_EQ(receiving->take_used(), std::nullopt);
  peer.give(frame_to_it(20 - 14));
  EXPECT_TRUE(peer.all_taken());
  EXPECT_EQ(take_all_used(*receiving), 2u);
}

TEST_F(VirtioNetTurns, LongFramesThatAreSentTakeSeveral) {
  use({}, kUsual | kIndirect);
  bench.write(kOut, std::vector<u8>(12, 0));
  bench.write(kOut + 0x100, frame_to_it());
  for (unsigned n = 0; n < 64; ++n)
    sending->add_indirect(
        drawn_out({{kOut, 12}, {kOut + 0x100, static_cast<u32>(frame_to_it().size())}}),
        kLongTable);
  driver->notify(1);
  EXPECT_LE(peer.take_all().size(), kOfOneTurn);
  unsigned used = 0;
  EXPECT_TRUE(bench.run_until([&] { return (used += take_all_used(*sending)) == 64; }));
}

TEST_F(VirtioNetTurns, LongCommandsTakeSeveral) {
  use({}, kUsual | kCommands | kIndirect);
  bench.store(kCommand, 0, 4);
  for (unsigned n = 0; n < 64; ++n)
    commanding->add_indirect(drawn_out({{kCommand, 3}, {kCommand + 0x1000, 1, true}}), kLongTable);
  driver->notify(control);
  unsigned used = take_all_used(*commanding);
  EXPECT_LE(used, kOfOneTurn);
  EXPECT_TRUE(bench.run_until([&] { return (used += take_all_used(*commanding)) == 64; }));
}

TEST(VirtioBalloonTurns, LongBuffersTakeSeveral) {
  Bench bench;
  VirtioPciDriver driver(bench, "virtio-balloon-pci");
  const RingPlace place{.entries = 32};
  const auto ring = driver.start(kVersion1 | kIndirect, place);
  for (unsigned n = 0; n < 32; ++n)
    ring->add_indirect(drawn_out({{kBlkData, 1}, {kBlkData, 0}}), kLongTable);
  driver.notify(0);
  unsigned used = take_all_used(*ring);
  EXPECT_LE(used, kOfOneTurn);
  EXPECT_TRUE(bench.run_until([&] { return (used += take_all_used(*ring)) == 32; }));
}

TEST(VirtioSerialTurns, LongBuffersOfDataAndOfControlTakeSeveral) {
  Bench bench;
  VirtioPciDriver driver(bench, "virtio-serial-pci");
  ASSERT_TRUE(driver.negotiate(kVersion1 | kIndirect | hw::virtio::bit(1)));
  const RingPlace control_in{
      .descriptors = 0x4'0000, .driver = 0x4'4000, .device = 0x4'8000, .entries = 32};
  const RingPlace control{
      .descriptors = 0x5'0000, .driver = 0x5'4000, .device = 0x5'8000, .entries = 32};
  const RingPlace data{
      .descriptors = 0x6'0000, .driver = 0x6'4000, .device = 0x6'8000, .entries = 32};
  driver.enable_queue(2, control_in);
  driver.enable_queue(3, control);
  driver.enable_queue(5, data);
  driver.drive();
  SplitDriver says(bench.machine().memory(), control), sends(bench.machine().memory(), data);
  for (unsigned n = 0; n < 32; ++n) {
    says.add_indirect(drawn_out({{kBlkData, 8}, {kBlkData, 0}}), kLongTable);
    sends.add_indirect(drawn_out({{kBlkData, 8}, {kBlkData, 0}}), kLongTable);
  }
  driver.notify(3);
  unsigned heard = take_all_used(says);
  EXPECT_LE(heard, kOfOneTurn);
  EXPECT_TRUE(bench.run_until([&] { return (heard += take_all_used(says)) == 32; }));
  driver.notify(5);
  unsigned sent = take_all_used(sends);
  EXPECT_LE(sent, kOfOneTurn);
  EXPECT_TRUE(bench.run_until([&] { return (sent += take_all_used(sends)) == 32; }));
}

TEST_F(VirtioSerialTest, BytesAreNotSoughtARoomForWithoutEnd) {
  FakeChardev& peer = FakeChardev::make(bench, "agent");
  use();
  plug("virtserialport", {{"chardev", "agent"}});
  begin(kManyPorts | kIndirect);
  open_port(1);
  for (unsigned n = 0; n < 32; ++n)
    in[1]->add_indirect(drawn_out({{kIn, 0, true}, {kIn, 0, true}}), kLongTable);
  peer.say("x");
  EXPECT_LE(take_all_used(*in[1]), kOfOneTurn) << "that have no room";
}

class VirtioInputTurns : public testing::Test {
 protected:
  VirtioInputTurns() {
    driver.negotiate(kVersion1 | kIndirect);
    driver.enable_queue(0, kEventPlace);
    driver.enable_queue(1, kLampPlace);
    driver.drive();
    driver.notify(0);
    bench.machine().loop().iterate(false);
  }
  void offer_long(unsigned count) {
    for (unsigned n = 0; n < count; ++n)
      events.add_indirect(drawn_out({{kBlkData, 8, true}, {kBlkData, 0, true}}), kLongTable);
  }
  /// Two events each.
  void press(unsigned count) {
    for (unsigned n = 0; n < count; ++n) hub.key(0x1e, n % 2 == 0);
  }
  bool all_used(RingDriver& ring, unsigned count) {
    return bench.run_until([&] { return (used += take_all_used(ring)) == count; });
  }
  static constexpr RingPlace kEventPlace{
      .descriptors = 0x4'0000, .driver = 0x4'4000, .device = 0x4'8000, .entries = 64};
  static constexpr RingPlace kLampPlace{
      .descriptors = 0x5'0000, .driver = 0x5'4000, .device = 0x5'8000, .entries = 64};
  Bench bench;
  VirtioPciDriver driver{bench, "virtio-keyboard-pci"};
  SplitDriver events{bench.machine().memory(), kEventPlace};
  SplitDriver lamps{bench.machine().memory(), kLampPlace};
  InputHub& hub = bench.machine().service<InputHub>();
  unsigned used{0};
};

TEST_F(VirtioInputTurns, EventsForLongBuffersTakeSeveral) {
  press(10);
  offer_long(22);
  press(1);
  used = take_all_used(events);
  EXPECT_LE(used, kOfOneTurn);
  EXPECT_TRUE(all_used(events, 22));
}

TEST_F(VirtioInputTurns, LongBuffersOfLampsTakeSeveral) {
  for (unsigned n = 0; n < 32; ++n)
    lamps.add_indirect(drawn_out({{kBlkData, 8}, {kBlkData, 0}}), kLongTable);
  driver.notify(1);
  used = take_all_used(lamps);
  EXPECT_LE(used, kOfOneTurn);
  EXPECT_TRUE(all_used(lamps, 32));
}

TEST(VirtioRngTurns, LongBuffersTakeSeveral) {
  Bench bench;
  FakeRng& source = FakeRng::make(bench.machine(), "source");
  source.there = 1000;
  VirtioPciDriver driver(bench, "virtio-rng-pci", {{"rng", "source"}});
  const auto ring = driver.start(kVersion1 | kIndirect);
  for (unsigned n = 0; n < 8; ++n)
    ring->add_indirect(drawn_out({{kBlkData, 1, true}, {kBlkData, 0, true}}), kLongTable);
  driver.notify(0);
  unsigned used = take_all_used(*ring);
  EXPECT_LE(used, kOfOneTurn);
  EXPECT_TRUE(bench.run_until([&] { return (used += take_all_used(*ring)) == 8; }));
}

}  // namespace
}  // namespace rhea::test
