// SPDX-License-Identifier: GPL-2.0-or-later
// Frames over stream sockets, and what peers may do to them.
#include "net/stream_netdev.h"

#include "tests/net/net_card.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

namespace rhea::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// As the wire has it.
FrameBytes with_length(const FrameBytes& frame) {
  const std::size_t n = frame.size();
  FrameBytes bytes = {static_cast<u8>(n >> 24), static_cast<u8>(n >> 16), static_cast<u8>(n >> 8),
                      static_cast<u8>(n)};
  bytes.insert(bytes.end(), frame.begin(), frame.end());
  return bytes;
}

class StreamNetdevTest : public testing::Test {
 protected:
  StreamNetdevTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
    net.bench.machine()
        .container(Netdev::kLinkRoot)
        .add_child("net0",
                   net::StreamNetdev::make(
                       {.kind = "test", .connection = FileDescriptor(ends[0]), .what = "a pair"}));
    other = FileDescriptor(ends[1]);
    card = &net.card({{"netdev", "net0"}});
    // The connection is made.
    EXPECT_TRUE(net.eventually([&] { return card->calls_to_send() > 0; }));
  }
  void put(const FrameBytes& bytes) const {
    EXPECT_EQ(::send(other.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  FrameBytes got(std::size_t bytes) {
    FrameBytes all(bytes);
    std::size_t have = 0;
    EXPECT_TRUE(net.eventually([&] {
      const ssize_t n = ::recv(other.get(), all.data() + have, bytes - have, MSG_DONTWAIT);
      have += n > 0 ? static_cast<std::size_t>(n) : 0;
      return have == bytes;
    }));
    return all;
  }
  bool closed() {
    return net.eventually([&] {
      u8 byte{};
      const ssize_t n = ::recv(other.get(), &byte, 1, MSG_DONTWAIT);
      return n == 0 || (n < 0 && errno != EAGAIN);
    });
  }
  bool received(std::size_t frames) {
    return net.eventually([&] { return card->received().size() == frames; });
  }

  NetBench net;
  FileDescriptor other;
  TestCard* card{};
};

TEST_F(StreamNetdevTest, FramesGoBothWaysBehindTheirLengths) {
  const FrameBytes shortest(60, 7), longest(65000, 9);
  put(with_length(shortest));
  put(with_length(longest));
  EXPECT_TRUE(received(2));
  EXPECT_THAT(card->received(), ElementsAre(shortest, longest));
  EXPECT_EQ(card->send({shortest, longest}), 2u);
  EXPECT_EQ(got(64), with_length(shortest));
  EXPECT_EQ(got(65004), with_length(longest));
}

TEST_F(StreamNetdevTest, AFrameMayComeInPieces) {
  const FrameBytes wire = with_length(FrameBytes(100, 3));
  put(FrameBytes(wire.begin(), wire.begin() + 2));
  put(FrameBytes(wire.begin() + 2, wire.begin() + 50));
  EXPECT_THAT(card->received(), IsEmpty());
  put(FrameBytes(wire.begin() + 50, wire.end()));
  EXPECT_TRUE(received(1));
}

TEST_F(StreamNetdevTest, AFrameOfNoBytesStopsNothing) {
  put(with_length({}));
  put(with_length({}));
  put(with_length(FrameBytes(60, 1)));
  EXPECT_TRUE(received(1));
  EXPECT_THAT(card->received()[0], SizeIs(60));
}

TEST_F(StreamNetdevTest, ALengthThatNoFrameHasEndsTheConnection) {
  put({0x7f, 0xff, 0xff, 0xff, 1, 2, 3});
  EXPECT_TRUE(closed());
  EXPECT_THAT(card->received(), IsEmpty());
  EXPECT_EQ(card->send({FrameBytes(60, 1)}), 1u);
}

TEST_F(StreamNetdevTest, TheLongestFrameIsTaken) {
  const FrameBytes longest(kLongestFrame, 5);
  const FrameBytes wire = with_length(longest);
  put(wire);
  put(wire);
  EXPECT_TRUE(received(2));
  EXPECT_EQ(card->received()[1], longest);
}

TEST_F(StreamNetdevTest, HalfAFrameIsHalfAFrameForever) {
  const FrameBytes wire = with_length(FrameBytes(1000, 3));
  put(FrameBytes(wire.begin(), wire.begin() + 500));
  EXPECT_EQ(card->send({FrameBytes(60, 1)}), 1u);
  EXPECT_EQ(got(64), with_length(FrameBytes(60, 1)));
  EXPECT_THAT(card->received(), IsEmpty());
}

TEST_F(StreamNetdevTest, WhatTheCardDoesNotTakeWaitsInOrder) {
  card->room_for(3);
  for (u8 n = 0; n < 10; ++n) put(with_length(FrameBytes(60, n)));
  EXPECT_TRUE(received(3));
  card->room_for(100);
  EXPECT_TRUE(received(10));
  EXPECT_EQ(card->received()[3][0], 3);
  EXPECT_EQ(card->received()[9][0], 9);
}

TEST_F(StreamNetdevTest, WhatWaitedForACardThatIsTakenOutIsDropped) {
  card->room_for(1);
  FrameBytes two = with_length(FrameBytes(60, 0));
  const FrameBytes second = with_length(FrameBytes(60, 1));
  two.insert(two.end(), second.begin(), second.end());
  put(two);  // they come together
  EXPECT_TRUE(received(1));
  ASSERT_TRUE(net.bench.machine().unplug(*card));
  card = &net.card({{"netdev", "net0"}});
  put(with_length(FrameBytes(60, 9)));
  ASSERT_TRUE(received(1));
  EXPECT_EQ(card->received()[0][0], 9);
}

TEST_F(StreamNetdevTest, APeerThatDoesNotReadHoldsFramesUpAndTellsWhenThereIsRoom) {
  const FrameBytes frame(1500, 5);
  const std::vector<FrameBytes> many(2000, frame);
  const std::size_t taken = card->send(many);
  EXPECT_LT(taken, many.size());
  const unsigned before = card->calls_to_send();
  for (std::size_t n = 0; n < taken; ++n) ASSERT_EQ(got(1504), with_length(frame));
  EXPECT_TRUE(net.eventually([&] { return card->calls_to_send() > before; }));
  EXPECT_EQ(card->send({frame}), 1u);
  EXPECT_EQ(got(1504), with_length(frame));
}

TEST_F(StreamNetdevTest, APeerThatIsGoneCostsFramesOnly) {
  card->send(std::vector<FrameBytes>(2000, FrameBytes(1500, 5)));
  other.reset();
  EXPECT_TRUE(net.eventually([&] { return card->send({FrameBytes(60, 1)}) == 1; }));
}

}  // namespace
}  // namespace rhea::test
