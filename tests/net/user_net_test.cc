// SPDX-License-Identifier: GPL-2.0-or-later
// The user network as a guest sees it, and what becomes of it when its process dies.
#include "tests/net/user_bench.h"

#include <gmock/gmock.h>

#include <csignal>
#include <random>

namespace rhea::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

TEST_F(UserNet, DhcpOffersTheFirstAddress) {
  GuestStack& stack = start();
  const auto offer = stack.dhcp_offer();
  ASSERT_TRUE(offer);
  EXPECT_EQ(Ip({(*offer)[16], (*offer)[17], (*offer)[18], (*offer)[19]}), kGuestIp);
}

TEST_F(UserNet, DhcpOffersWhatWasAskedFor) {
  GuestStack& stack = start("net=192.168.7.0/24,dhcpstart=192.168.7.40,bootfile=boot.0");
  const auto offer = stack.dhcp_offer();
  ASSERT_TRUE(offer);
  EXPECT_EQ(Ip({(*offer)[16], (*offer)[17], (*offer)[18], (*offer)[19]}), Ip({192, 168, 7, 40}));
  EXPECT_STREQ(reinterpret_cast<const char*>(offer->data() + 108), "boot.0");
}

TEST_F(UserNet, UdpReachesTheHostsLoopbackAndComesBack) {
  LoopbackSocket server(SOCK_DGRAM);
  GuestStack& stack = start();
  ASSERT_TRUE(stack.arp());
  stack.send_udp(kGatewayIp, 3000, server.port(), "question");
  EXPECT_EQ(server.receive(), "question");
  server.answer("answer");
  EXPECT_EQ(stack.expect_udp(3000).value_or(Received{}).data, "answer");
}

TEST_F(UserNet, TcpReachesTheHostsLoopback) {
  LoopbackSocket server(SOCK_STREAM);
  GuestStack& stack = start();
  ASSERT_TRUE(stack.arp());
  stack.send_tcp(
      {.port = 1025, .to_port = server.port(), .sequence = 7, .flags = GuestStack::kSyn});
  const auto answer = stack.expect_tcp(1025, GuestStack::kSyn | GuestStack::kReset);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->flags & GuestStack::kSyn, GuestStack::kSyn);
  const FileDescriptor peer = server.accept();
  EXPECT_TRUE(peer);
}

TEST_F(UserNet, RestrictedItReachesNothing) {
  LoopbackSocket server(SOCK_DGRAM);
  GuestStack& stack = start("restrict=on");
  ASSERT_TRUE(stack.arp());
  stack.send_udp(kGatewayIp, 3000, server.port(), "question");
  ASSERT_TRUE(stack.arp());
  char byte{};
  EXPECT_EQ(::recv(server.fd(), &byte, 1, MSG_DONTWAIT), -1);
}

TEST_F(UserNet, AForwardedPortReachesTheGuest) {
  GuestStack& stack = start("hostfwd=udp:127.0.0.1:0-:7");
  const unsigned port = netdev->process().forwards()[0].port;
  ASSERT_TRUE(stack.arp());
  LoopbackSocket client(SOCK_DGRAM);
  client.send_to(port, "knock");
  const auto knock = stack.expect_udp(7);
  ASSERT_TRUE(knock);
  EXPECT_EQ(knock->data, "knock");
  stack.send_udp(kGatewayIp, 7, knock->from_port, "come in");
  EXPECT_EQ(client.receive(), "come in");
}

TEST_F(UserNet, AForwardIsAddedAndRemovedAtRunTime) {
  GuestStack& stack = start();
  ASSERT_TRUE(stack.arp());
  const auto added = netdev->add_forward(net::HostForward::parse("tcp:127.0.0.1:0-:22").value());
  ASSERT_TRUE(added);
  const FileDescriptor client(::socket(AF_INET, SOCK_STREAM, 0));
  const sockaddr_in name = LoopbackSocket::loopback(added->port);
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  EXPECT_TRUE(stack.expect_tcp(22, GuestStack::kSyn));
  EXPECT_TRUE(netdev->process().remove_forward(*added));
  EXPECT_FALSE(netdev->process().remove_forward(*added));
  EXPECT_TRUE(net.eventually([&] {
    const FileDescriptor next(::socket(AF_INET, SOCK_STREAM, 0));
    return ::connect(next.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0;
  }));
}

TEST_F(UserNet, APortInUseIsToldAtOnce) {
  LoopbackSocket taken(SOCK_STREAM);
  EXPECT_THAT(error(fmt::format("hostfwd=tcp:127.0.0.1:{}-:22", taken.port())),
              HasSubstr(fmt::format("Could not set up host forwarding rule 'tcp:127.0.0.1:{}-"
                                    "10.0.2.15:22': Address already in use",
                                    taken.port())));
  LoopbackSocket datagrams(SOCK_DGRAM);
  EXPECT_THAT(error(fmt::format("hostfwd=udp:127.0.0.1:{}-:22", datagrams.port())),
              HasSubstr("Address already in use"));
}

TEST_F(UserNet, AGuestForwardLeadsToAServer) {
  LoopbackSocket server(SOCK_STREAM);
  GuestStack& stack =
      start(fmt::format("guestfwd=tcp:10.0.2.100:80-tcp:127.0.0.1:{}", server.port()));
  ASSERT_TRUE(stack.arp());
  stack.send_tcp({.to = {10, 0, 2, 100}, .to_port = 80, .sequence = 1, .flags = GuestStack::kSyn});
  const auto answer = stack.expect_tcp(1025, GuestStack::kSyn);
  ASSERT_TRUE(answer);
  stack.send_tcp({.to = {10, 0, 2, 100},
                  .to_port = 80,
                  .sequence = 2,
                  .acknowledged = answer->sequence + 1,
                  .flags = GuestStack::kAck,
                  .data = "GET"});
  const FileDescriptor peer = server.accept();
  std::array<char, 3> request{};
  EXPECT_EQ(::recv(peer.get(), request.data(), request.size(), MSG_WAITALL), 3);
  ::send(peer.get(), "page", 4, MSG_NOSIGNAL);
  EXPECT_EQ(stack.expect_tcp(1025, GuestStack::kAck, true).value_or(Received{}).data, "page");
}

TEST_F(UserNet, AGuestForwardLeadsToAProgramForEachConnection) {
  GuestStack& stack = start("guestfwd=tcp:10.0.2.100:80-cmd:tr a-z A-Z");
  ASSERT_TRUE(stack.arp());
  // tr answers at its input's end alone.
  stack.send_tcp({.to = {10, 0, 2, 100}, .to_port = 80, .sequence = 1, .flags = GuestStack::kSyn});
  const auto answer = stack.expect_tcp(1025, GuestStack::kSyn);
  ASSERT_TRUE(answer);
  stack.send_tcp({.to = {10, 0, 2, 100},
                  .to_port = 80,
                  .sequence = 2,
                  .acknowledged = answer->sequence + 1,
                  .flags = GuestStack::kAck | GuestStack::kFin,
                  .data = "loud"});
  EXPECT_EQ(stack.expect_tcp(1025, GuestStack::kAck, true).value_or(Received{}).data, "LOUD");
}

TEST_F(UserNet, NothingIsStartedBeforeTheFirstFrame) {
  GuestStack& stack = start();
  EXPECT_EQ(netdev->process().pid(), 0);
  EXPECT_TRUE(stack.arp());
  EXPECT_NE(netdev->process().pid(), 0);
}

TEST_F(UserNet, AProcessThatIsKilledComesAgainWithItsForwards) {
  GuestStack& stack = start("hostfwd=udp:127.0.0.1:0-:7");
  const unsigned port = netdev->process().forwards()[0].port;
  ASSERT_TRUE(stack.arp());
  const pid_t first = netdev->process().pid();
  testing::internal::CaptureStderr();
  ASSERT_EQ(::kill(first, SIGKILL), 0);
  EXPECT_TRUE(net.eventually([&] {
    const pid_t now = netdev->process().pid();
    return now != 0 && now != first;
  }));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("netdev 'n0': the process of its user network died: Killed; it is started "
                        "again"));
  ASSERT_TRUE(stack.arp());
  LoopbackSocket client(SOCK_DGRAM);
  client.send_to(port, "knock");
  EXPECT_EQ(stack.expect_udp(7).value_or(Received{}).data, "knock");
}

TEST_F(UserNet, ThreeFragmentsSentLastFirstCostTheGuestNoMoreThanItsConnections) {
  GuestStack& stack = start();
  ASSERT_TRUE(stack.arp());
  testing::internal::CaptureStderr();
  for (const unsigned fragment : {2U, 0x2000U | 1U, 0x2000U})
    stack.send(ip_frame({.id = 99, .fragment = fragment}, FrameBytes(8, 0)));
  // After several deaths its process takes its time.
  const bool answers = stack.arp() || stack.arp() || stack.arp();
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(answers) << said;
}

TEST_F(UserNet, HostileFramesStopNothing) {
  constexpr unsigned kFrames = 100000;
  GuestStack& stack = start();
  ASSERT_TRUE(stack.arp());
  testing::internal::CaptureStderr();
  std::mt19937 random(15);
  for (unsigned n = 0; n < kFrames; ++n) {
    FrameBytes frame =
        ip_frame({.protocol = static_cast<u8>(n % 3 == 0   ? 6
                                              : n % 3 == 1 ? 17
                                                           : 1),
                  .id = n,
                  .fragment = n % 7 == 0 ? static_cast<unsigned>(random() & 0x3fff) : 0},
                 FrameBytes(random() % 100));
    for (unsigned change = 0; change < 4; ++change)
      frame[12 + random() % (frame.size() - 12)] = static_cast<u8>(random());
    frame.resize(random() % 50 == 0 ? random() % frame.size() : frame.size());
    stack.send(frame);
  }
  // After several deaths its process takes its time.
  const bool answers = stack.arp() || stack.arp() || stack.arp();
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(answers) << said;
}

TEST_F(UserNet, TheTableOfConnectionsNamesForwards) {
  start("hostfwd=tcp:127.0.0.1:0-:22");
  ASSERT_TRUE(guest->arp());
  EXPECT_THAT(netdev->process().connections().value_or(""), HasSubstr("TCP[HOST_FORWARD]"));
}

TEST_F(UserNet, InfoNamesTheNetwork) {
  start("net=192.168.7.0/24,restrict=on");
  EXPECT_EQ(netdev->info(), "net=192.168.7.0,restrict=on");
}

}  // namespace
}  // namespace rhea::test
