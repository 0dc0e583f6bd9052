// SPDX-License-Identifier: GPL-2.0-or-later
// Frames over sockets.
#include "net/datagram.h"

#include "tests/net/net_card.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <array>

namespace rhea::test {
namespace {

using testing::Each;
using testing::ElementsAre;

class SocketPairNetdev final : public net::DatagramNetdev {
 public:
  static constexpr std::string_view kName = "netdev-test-datagram";
  SocketPairNetdev() : DatagramNetdev(FileDescriptor()) {}
  void use(FileDescriptor socket) { change_socket(std::move(socket)); }
  std::string_view kind() const override { return "test"; }
  std::string info() const override { return ""; }
};
const RegisterType<SocketPairNetdev, Netdev> socket_pair_netdev;

class DatagramTest : public testing::Test {
 protected:
  DatagramTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
    auto netdev = create<SocketPairNetdev>();
    netdev->use(FileDescriptor(ends[0]));
    net.bench.machine().container(Netdev::kLinkRoot).add_child("net0", std::move(netdev));
    other = FileDescriptor(ends[1]);
    card = &net.card({{"netdev", "net0"}});
  }
  void put(const FrameBytes& frame) const {
    EXPECT_EQ(::send(other.get(), frame.data(), frame.size(), 0),
              static_cast<ssize_t>(frame.size()));
  }
  FrameBytes got() const {
    FrameBytes frame(kLongestFrame);
    const ssize_t length = ::recv(other.get(), frame.data(), frame.size(), MSG_DONTWAIT);
    frame.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
    return frame;
  }

  NetBench net;
  FileDescriptor other;
  TestCard* card{};
};

TEST_F(DatagramTest, AMessageIsAFrameBothWays) {
  const FrameBytes shortest(60, 7), longest(65000, 9);
  put(shortest);
  put(longest);
  EXPECT_TRUE(net.eventually([&] { return card->received().size() == 2; }));
  EXPECT_THAT(card->received(), ElementsAre(shortest, longest));
  EXPECT_EQ(card->send({longest, shortest}), 2u);
  EXPECT_EQ(got(), longest);
  EXPECT_EQ(got(), shortest);
}

TEST_F(DatagramTest, AFrameOfNoBytesIsDroppedAndStopsNothing) {
  put({});
  put(FrameBytes(60, 1));
  EXPECT_TRUE(net.eventually([&] { return card->received().size() == 1; }));
}

TEST_F(DatagramTest, WhatTheCardDoesNotTakeWaitsInOrder) {
  card->room_for(3);
  for (u8 n = 0; n < 10; ++n) put(FrameBytes(60, n));
  EXPECT_TRUE(net.eventually([&] { return card->received().size() == 3; }));
  card->room_for(100);
  EXPECT_TRUE(net.eventually([&] { return card->received().size() == 10; }));
  EXPECT_EQ(card->received()[3][0], 3);
  EXPECT_EQ(card->received()[9][0], 9);
}

TEST_F(DatagramTest, AFullSocketRefusesAndTellsWhenThereIsRoom) {
  const FrameBytes frame(1500, 5);
  const std::vector<FrameBytes> many(5000, frame);
  const unsigned before = card->calls_to_send();
  const std::size_t taken = card->send(many);
  EXPECT_LT(taken, many.size());
  for (std::size_t n = 0; n < taken; ++n) EXPECT_EQ(got(), frame);
  EXPECT_TRUE(net.eventually([&] { return card->calls_to_send() > before; }));
  EXPECT_EQ(card->send({frame}), 1u);
}

TEST_F(DatagramTest, APeerThatIsGoneCostsFramesOnly) {
  other.reset();
  EXPECT_EQ(card->send({FrameBytes(60, 1), FrameBytes(60, 2)}), 2u);
}

/// Sockets of this host, of which one is bound to a port that the other is connected to.
class UdpTest : public testing::Test {
 protected:
  static FileDescriptor bound(u16 port = 0) {
    FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_in name = here(port);
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    return socket;
  }
  static sockaddr_in here(u16 port) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name.sin_port = htons(port);
    return name;
  }
  static u16 port_of(int socket) {
    sockaddr_in name{};
    socklen_t length = sizeof name;
    EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&name), &length), 0);
    return ntohs(name.sin_port);
  }
  static void connect(int socket, u16 port) {
    const sockaddr_in name = here(port);
    EXPECT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  }
  NetBench net;
};

TEST_F(UdpTest, ARefusalEndsNothing) {
  FileDescriptor own = bound(), other = bound();
  const u16 own_port = port_of(own.get()), other_port = port_of(other.get());
  connect(own.get(), other_port);
  auto netdev = create<SocketPairNetdev>();
  netdev->use(std::move(own));
  net.bench.machine().container(Netdev::kLinkRoot).add_child("net0", std::move(netdev));
  TestCard& card = net.card({{"netdev", "net0"}});
  other.reset();
  card.send({FrameBytes(60, 1)});  // an ICMP message comes back
  other = bound(other_port);
  connect(other.get(), own_port);
  EXPECT_TRUE(net.eventually([&] {
    ::send(other.get(), "frame", 5, 0);
    return !card.received().empty();
  }));
}

TEST(PacketsInSequence, APeerThatIsGoneIsListenedToNoMore) {
  NetBench net;
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()),
            0);
  auto netdev = create<SocketPairNetdev>();
  netdev->use(FileDescriptor(ends[0]));
  net.bench.machine().container(Netdev::kLinkRoot).add_child("net0", std::move(netdev));
  net.bench.add("plain-card", {{"netdev", "net0"}});
  ::close(ends[1]);
  EventLoop& loop = net.bench.machine().loop();
  EXPECT_TRUE(net.eventually([&] { return !loop.iterate(false); })) << "it is called for ever";
}

}  // namespace
}  // namespace rhea::test
