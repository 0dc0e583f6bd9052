// SPDX-License-Identifier: GPL-2.0-or-later
// The network device: frames both ways, buffers, commands, filters, configuration.
#include "tests/virtio/net_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::HasSubstr;

TEST_F(VirtioNetTest, SendsAFrame) {
  use();
  const u16 id = send(frame_to_it());
  EXPECT_EQ(peer.take(), frame_to_it());
  EXPECT_EQ(sending->take_used(), (UsedBuffer{.id = id, .written = 0}));
  EXPECT_TRUE(driver->interrupted());
}

TEST_F(VirtioNetTest, ReceivesAFrame) {
  use();
  offer(4);
  peer.give(frame_to_it());
  EXPECT_EQ(receive(), frame_to_it());
  EXPECT_EQ(bench.load(at_buffer + 10, 2), 1u) << "num_buffers";
  EXPECT_TRUE(bench.run_until([&] { return driver->interrupted(); }));
}

TEST_F(VirtioNetTest, FramesPassPackedRings) {
  use({{"packed", "on"}}, kUsual | kPacked);
  offer(4);
  peer.give(frame_to_it());
  EXPECT_EQ(receive(), frame_to_it());
  send(frame_to_it(700));
  EXPECT_EQ(peer.take(), frame_to_it(700));
}

TEST_F(VirtioNetTest, WithoutMergingNumBuffersIsOne) {
  use({}, kVersion1);
  offer(1);
  peer.give(frame_to_it());
  EXPECT_EQ(receive(), frame_to_it());
  EXPECT_EQ(bench.load(at_buffer + 10, 2), 1u);
}

TEST_F(VirtioNetTest, AFrameMayTakeSeveralBuffers) {
  use();
  offer(4, 100);
  peer.give(frame_to_it(250));
  const auto first = received(), second = received(), third = received();
  EXPECT_EQ(first->written, 100u);
  EXPECT_EQ(second->written, 100u);
  EXPECT_EQ(third->written, 76u);
  EXPECT_EQ(bench.load(kBuffers + 10, 2), 3u);
  FrameBytes got = bench.read(kBuffers + 12, 88);
  const auto more = bench.read(kBuffers + kBufferBytes, 100);
  const auto rest = bench.read(kBuffers + 2 * kBufferBytes, 76);
  got.insert(got.end(), more.begin(), more.end());
  got.insert(got.end(), rest.begin(), rest.end());
  EXPECT_EQ(got, frame_to_it(250));
}

TEST_F(VirtioNetTest, MergedBuffersOfPackedRingsComeTogether) {
  use({{"packed", "on"}}, kUsual | kPacked);
  offer(3, 100);
  peer.give(frame_to_it(250));
  EXPECT_EQ(received()->written, 100u);
  EXPECT_EQ(received()->written, 100u);
  EXPECT_EQ(received()->written, 76u);
}

TEST_F(VirtioNetTest, AFrameWaitsForEnoughBuffers) {
  use();
  offer(2, 100);
  peer.give(frame_to_it(250));
  ASSERT_TRUE(peer.refused());
  EXPECT_EQ(receiving->take_used(), std::nullopt);
  offer(1, 100);
  EXPECT_EQ(received()->written, 100u);
  EXPECT_TRUE(peer.all_taken());
}

TEST_F(VirtioNetTest, WithoutBuffersFramesWaitInTheBackEnd) {
  use();
  peer.give(frame_to_it());
  ASSERT_TRUE(peer.refused());
  offer(1);
  EXPECT_EQ(receive(), frame_to_it());
}

TEST_F(VirtioNetTest, AFrameThatFitsNoLoneBufferIsDropped) {
  use({}, kVersion1);
  offer(2, 100);
  peer.give(frame_to_it(250));
  peer.give(frame_to_it(20));
  EXPECT_EQ(receive(), frame_to_it(20));
}

TEST_F(VirtioNetTest, FramesBeforeADriverAreDropped) {
  bench.machine().resume();
  bench.add("virtio-net-pci", {{"netdev", "net0"}, {"addr", "3"}});
  peer.give(frame_to_it());
  EXPECT_TRUE(peer.all_taken());
}

TEST_F(VirtioNetTest, TinyAndEmptyFramesStopNothing) {
  use();
  offer(4);
  peer.give({FrameBytes{}, FrameBytes(5, 1), frame_to_it()});
  EXPECT_EQ(receive(), frame_to_it());
}

TEST_F(VirtioNetTest, WhatTheBackEndHasNoRoomForWaitsAndIsSent) {
  peer.room_for(0);
  use();
  send(frame_to_it(100));
  send(frame_to_it(200));
  EXPECT_TRUE(peer.take_all().empty());
  peer.room_for(2);
  EXPECT_TRUE(peer.take());
  EXPECT_TRUE(peer.take());
}

TEST_F(VirtioNetTest, AFullBackEndLeavesFramesInTheQueue) {
  peer.room_for(0);
  use();
  for (unsigned n = 0; n < 120; ++n) send(frame_to_it(40));
  EXPECT_TRUE(sending->take_used());
  EXPECT_EQ(sending->take_used(), std::nullopt) << "only the first was taken";
  peer.room_for(1000);
  unsigned sent = 0;
  while (sent < 120 && peer.take()) ++sent;
  EXPECT_EQ(sent, 120u);
}

TEST_F(VirtioNetTest, AFrameShorterThanItsHeaderComesBackUnsent) {
  use();
  const u16 id = sending->add({{kOut, 5}});
  driver->notify(1);
  EXPECT_EQ(sending->take_used(), (UsedBuffer{.id = id, .written = 0}));
  send(frame_to_it());
  EXPECT_EQ(peer.take(), frame_to_it());
}

TEST_F(VirtioNetTest, FramesOfLegacyDriversHaveTheShortHeader) {
  use({}, 0);
  driver->set_status(0);
  const auto queues = driver->start_legacy();
  header = 10;
  queues->add({{kBuffers, 2048, true}});
  driver->legacy(0x10, 0, 2);
  peer.give(frame_to_it());
  std::optional<UsedBuffer> used;
  EXPECT_TRUE(bench.run_until([&] { return used || (used = queues->take_used()); }));
  EXPECT_EQ(used->written, 10 + frame_to_it().size());
}

TEST_F(VirtioNetTest, TheConfigurationTellsOfTheCard) {
  use({{"host_mtu", "1400"}, {"speed", "1000"}, {"duplex", "full"}});
  EXPECT_EQ(config(0, 4), 0x1200'5452u);
  EXPECT_EQ(config(4, 2), 0x5634u);
  EXPECT_EQ(config(6, 2), 1u);
  EXPECT_EQ(config(8, 2), 1u);
  EXPECT_EQ(config(10, 2), 1400u);
  EXPECT_EQ(config(12, 4), 1000u);
  EXPECT_EQ(config(16, 1), 1u);
  EXPECT_NE(driver->offered() & hw::virtio::bit(net_bits::kSpeedDuplex), 0u);
}

TEST_F(VirtioNetTest, TheLinkGoesDownAndUp) {
  use();
  driver->take_interrupt_status();
  peer.netdev().set_link(false);
  EXPECT_EQ(config(6, 2), 0u);
  EXPECT_EQ(driver->take_interrupt_status(), hw::VirtioCore::kConfigInterrupt);
  peer.netdev().set_link(true);
  EXPECT_EQ(config(6, 2), 1u);
}

TEST_F(VirtioNetTest, GoodChecksumsAreToldUntilACommandForbidsIt) {
  constexpr u64 kWanted =
      hw::virtio::bit(net_bits::kGuestSums) | hw::virtio::bit(net_bits::kGuestOffloads);
  use({}, kUsual | kCommands | kWanted);
  offer(4);
  FrameBytes udp{0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x52, 0x55, 0, 0, 0, 1, 8, 0};
  const FrameBytes packet{0x45, 0,  0, 30, 0,  0, 0, 0, 64, 17, 0,  0,    10,   0, 2,
                          2,    10, 0, 2,  15, 0, 1, 0, 2,  0,  10, 0xe7, 0xc0, 0, 0};
  udp.insert(udp.end(), packet.begin(), packet.end());
  // Pseudo header, ports, length and checksum add up to all ones.
  unsigned sum = 0x0a00 + 0x0202 + 0x0a00 + 0x020f + 17 + 10 + 1 + 2 + 10;
  sum = (sum & 0xffff) + (sum >> 16);
  udp[40] = static_cast<u8>(~sum >> 8);
  udp[41] = static_cast<u8>(~sum);
  peer.give(udp);
  ASSERT_TRUE(receive());
  EXPECT_EQ(bench.load(at_buffer, 1), 2u);
  EXPECT_EQ(command(kGuestOffload, 0, std::vector<u8>(8)), kAckFine);
  peer.give(udp);
  ASSERT_TRUE(receive());
  EXPECT_EQ(bench.load(at_buffer, 1), 0u);
}

TEST_F(VirtioNetTest, AWrongChecksumIsLeftToTheGuest) {
  use({}, kUsual | hw::virtio::bit(net_bits::kGuestSums));
  offer(1);
  FrameBytes udp = frame_to_it(30);
  udp[12] = 8;
  udp[13] = 0;
  peer.give(udp);
  ASSERT_TRUE(receive());
  EXPECT_EQ(bench.load(at_buffer, 1), 0u);
}

TEST_F(VirtioNetTest, AFlowComesBackByThePairThatSentIt) {
  constexpr u64 kMany = hw::virtio::bit(net_bits::kMultiQueue);
  peer.offer_queues(2);
  control = 4;
  use({{"mq", "on"}}, kUsual | kCommands | kMany);
  const auto receiving2 = queue(2, 0xa'0000, false), sending2 = queue(3, 0xc'0000, false);
  EXPECT_EQ(config(8, 2), 2u);
  EXPECT_EQ(driver->modern(0x12, 2), 5u);
  EXPECT_EQ(command(kPairs, 0, {3, 0}), kAckBad);
  EXPECT_EQ(command(kPairs, 0, {2, 0}), kAckFine);
  FrameBytes there = frame_to({0x52, 0x55, 0, 0, 0, 1}, 30);
  const FrameBytes ip{8, 0, 0x45, 0, 0, 30, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2};
  std::ranges::copy(ip, there.begin() + 12);
  FrameBytes back = there;
  std::swap_ranges(back.begin() + 26, back.begin() + 30, back.begin() + 30);
  std::swap_ranges(back.begin() + 34, back.begin() + 36, back.begin() + 36);
  bench.write(kOut, std::vector<u8>(12, 0));
  bench.write(kOut + 12, there);
  sending2->add({{kOut, static_cast<u32>(12 + there.size())}});
  driver->notify(3);
  EXPECT_EQ(peer.take(), there);
  offer(2);
  receiving2->add({{kCommand + 0x2000, 2048, true}});
  driver->notify(2);
  peer.give(back);
  std::optional<UsedBuffer> used;
  EXPECT_TRUE(bench.run_until([&] { return used || (used = receiving2->take_used()); }));
  EXPECT_EQ(bench.read(kCommand + 0x200c, back.size()), back);
}

TEST_F(VirtioNetTest, ADriverOfOnePairCommandsByTheThirdQueue) {
  peer.offer_queues(2);
  use({{"mq", "on"}}, kUsual | kCommands);
  EXPECT_EQ(command(kRx, 0, {0}), kAckFine);
}

TEST_F(VirtioNetTest, FramesWaitForNoQueueThatWasReset) {
  use({}, kUsual | kRingReset);
  peer.give(frame_to_it());
  ASSERT_TRUE(peer.refused());
  driver->modern(0x16, 0, 2);
  driver->modern(0x3a, 1, 2);
  EXPECT_TRUE(peer.all_taken());
}

TEST_F(VirtioNetTest, ATimerMayWaitForMoreFrames) {
  use({{"tx", "timer"}, {"x-txtimer", "1000000"}});
  send(frame_to_it(100));
  EXPECT_TRUE(peer.take_all().empty());
  bench.advance(1'000'000);
  EXPECT_EQ(peer.take(), frame_to_it(100));
  send(frame_to_it(100));
  send(frame_to_it(200));
  EXPECT_EQ(peer.take(), frame_to_it(100));
  EXPECT_EQ(peer.take(), frame_to_it(200));
}

TEST_F(VirtioNetTest, SavingLoadingAndSavingAgainChangesNothing) {
  peer.room_for(0);
  use({}, kUsual | kCommands);
  command(kRx, 0, {0});
  command(kMacs, 0, {1, 0, 0, 0, 2, 0, 0, 0, 0, 9, 0, 0, 0, 0});
  send(frame_to_it(300));
  bench.machine().pause();
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(bench.save(), saved);
  peer.room_for(1);
  bench.machine().resume();
  EXPECT_EQ(peer.take(), frame_to_it(300));
}

TEST_F(VirtioNetTest, AfterALoadTheGuestIsAskedToAnnounceItself) {
  constexpr u64 kAnnounces = hw::virtio::bit(net_bits::kAnnounce);
  use({}, kUsual | kCommands | kAnnounces);
  bench.machine().pause();
  const auto saved = bench.save();
  ASSERT_TRUE(bench.load(saved));
  bench.machine().resume();
  EXPECT_EQ(config(6, 2), 3u);
  EXPECT_EQ(command(3, 0, {}), kAckFine);
  EXPECT_EQ(config(6, 2), 1u);
}

TEST_F(VirtioNetTest, FramesWaitWhileTheMachineStands) {
  use();
  offer(2);
  bench.machine().pause();
  peer.give(frame_to_it());
  send(frame_to_it(80));
  peer.settle();
  EXPECT_EQ(receiving->take_used(), std::nullopt);
  EXPECT_TRUE(peer.take_all().empty());
  bench.machine().resume();
  EXPECT_EQ(receive(), frame_to_it());
  EXPECT_EQ(peer.take(), frame_to_it(80));
}

TEST_F(VirtioNetTest, TakenOutItLeavesItsLineLow) {
  use();
  ASSERT_TRUE(bench.machine().unplug(driver->device()));
  EXPECT_FALSE(bench.intx(3));  // pin A of slot 3
}

TEST_F(VirtioNetTest, TakenOutAndPutInAgainItWorks) {
  use();
  ASSERT_TRUE(bench.machine().unplug(driver->device()));
  bench.machine().pause();
  use();
  send(frame_to_it());
  EXPECT_EQ(peer.take(), frame_to_it());
}

TEST_F(VirtioNetTest, PropertiesThatCannotBeAreRefused) {
  const auto refusal = [this](const Properties& properties) {
    const auto added = bench.try_add("virtio-net-pci", properties);
    return added ? std::string("it works") : added.error().message();
  };
  EXPECT_THAT(refusal({{"rx_queue_size", "300"}}), HasSubstr("rx_queue_size"));
  EXPECT_THAT(refusal({{"tx_queue_size", "16"}}), HasSubstr("tx_queue_size"));
  EXPECT_THAT(refusal({{"duplex", "both"}}), HasSubstr("'duplex'"));
  EXPECT_THAT(refusal({{"speed", "-2"}}), HasSubstr("'speed'"));
  EXPECT_THAT(refusal({{"tx", "soon"}}), HasSubstr("tx=soon"));
  EXPECT_THAT(refusal({{"host_mtu", "20"}}), HasSubstr("host_mtu"));
}

}  // namespace
}  // namespace rhea::test
