// SPDX-License-Identifier: GPL-2.0-or-later
// The network device's commands: filters, addresses, and what makes no sense.
#include "rhea/net/net_port.h"
#include "tests/virtio/net_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

TEST_F(VirtioNetTest, FiltersUnicastByAddress) {
  use({}, kUsual | kCommands);
  offer(8);
  EXPECT_EQ(command(kRx, 0, {0}), kAckFine);
  peer.give({frame_to({2, 0, 0, 0, 0, 9}), frame_to_it()});
  EXPECT_EQ(receive(), frame_to_it());
  EXPECT_EQ(command(kMacs, 0, {1, 0, 0, 0, 2, 0, 0, 0, 0, 9, 0, 0, 0, 0}), kAckFine);
  peer.give({frame_to({2, 0, 0, 0, 0, 8}), frame_to({2, 0, 0, 0, 0, 9})});
  EXPECT_EQ(receive(), frame_to({2, 0, 0, 0, 0, 9}));
}

TEST_F(VirtioNetTest, FiltersMulticastByTableAndMode) {
  use({}, kUsual | kCommands);
  offer(8);
  command(kRx, 0, {0});
  peer.give({frame_to({1, 0, 0x5e, 0, 0, 1}), frame_to({0xff, 0xff, 0xff, 0xff, 0xff, 0xff})});
  EXPECT_EQ(receive(), frame_to({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
  command(kMacs, 0, {0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0x5e, 0, 0, 1});
  command(kRx, 5, {1});
  peer.give({frame_to({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), frame_to({1, 0, 0x5e, 0, 0, 1})});
  EXPECT_EQ(receive(), frame_to({1, 0, 0x5e, 0, 0, 1}));
}

TEST_F(VirtioNetTest, FiltersVlans) {
  use({}, kUsual | kCommands);
  offer(8);
  command(kRx, 0, {0});
  FrameBytes tagged = frame_to_it();
  tagged[12] = 0x81;
  tagged[13] = 0;
  tagged[14] = 0x20;
  tagged[15] = 7;
  peer.give({tagged, frame_to_it()});
  EXPECT_EQ(receive(), frame_to_it());
  EXPECT_EQ(command(kVlans, 0, {7, 0}), kAckFine);
  peer.give(tagged);
  EXPECT_EQ(receive(), tagged);
  EXPECT_EQ(command(kVlans, 1, {7, 0}), kAckFine);
  peer.give({tagged, frame_to_it()});
  EXPECT_EQ(receive(), frame_to_it());
}

TEST_F(VirtioNetTest, MoreAddressesThanFitLetAllPass) {
  use({}, kUsual | kCommands);
  offer(4);
  command(kRx, 0, {0});
  std::vector<u8> table{65, 0, 0, 0};
  table.resize(4 + 65 * 6 + 4);
  EXPECT_EQ(command(kMacs, 0, table), kAckFine);
  peer.give(frame_to({2, 0, 0, 0, 0, 9}));
  EXPECT_EQ(receive(), frame_to({2, 0, 0, 0, 0, 9}));
}

TEST_F(VirtioNetTest, TheAddressIsSetByACommand) {
  use({}, kUsual | kCommands);
  EXPECT_EQ(command(kMacs, 1, {2, 1, 2, 3, 4, 5}), kAckFine);
  EXPECT_EQ(config(0, 4), 0x0302'0102u);
  driver->set_status(0);
  EXPECT_EQ(config(0, 4), 0x1200'5452u);
}

TEST_F(VirtioNetTest, CommandsThatMakeNoSenseAreRefused) {
  use({}, kUsual | kCommands);
  EXPECT_EQ(command(kRx, 6, {0}), kAckBad);
  EXPECT_EQ(command(kRx, 0, {}), kAckBad);
  EXPECT_EQ(command(kMacs, 0, {9, 0, 0, 0, 1}), kAckBad);
  EXPECT_EQ(command(kMacs, 0, {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}), kAckBad);
  EXPECT_EQ(command(kVlans, 0, {0, 0x10}), kAckBad);
  EXPECT_EQ(command(kPairs, 0, {1, 0}), kAckBad) << "not negotiated";
  EXPECT_EQ(command(kGuestOffload, 0, std::vector<u8>(8)), kAckBad) << "not negotiated";
  EXPECT_EQ(command(77, 0, {0}), kAckBad);
}

TEST_F(VirtioNetTest, ItsFilterCanBeAskedFor) {
  use({}, kUsual | kCommands);
  command(kRx, 0, {0});
  command(kMacs, 0, {1, 0, 0, 0, 2, 0, 0, 0, 0, 9, 0, 0, 0, 0});
  command(kVlans, 0, {7, 0});
  const NetPort* port = bench.machine().service<NetPorts>().all().front();
  const RxFilterState filter = *port->filter();
  EXPECT_FALSE(filter.promiscuous);
  EXPECT_EQ(filter.main.text(), "52:54:00:12:34:56");
  EXPECT_EQ(filter.vlans, std::vector<u16>{7});
  EXPECT_EQ(filter.unicast_table.front().text(), "02:00:00:00:00:09");
}

}  // namespace
}  // namespace rhea::test
