// SPDX-License-Identifier: GPL-2.0-or-later
// A card's end of a back end: addresses, links, back-pressure, ends.
#include "tests/net/net_card.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const RegisterType<TestCard, IsaDevice> test_card;

/// Without a lock of its own, and so without a thread.
class PlainCard final : public IsaDevice {
 public:
  static constexpr std::string_view kName = "plain-card";
  static void describe(Schema<PlainCard>& s) {
    s.help("a card for tests, on the main loop");
    NetPort::declare(s, &PlainCard::port_);
  }
  const MacAddress& mac() const { return port_.mac(); }

 protected:
  Result<> realize() override {
    return port_.attach(*this,
                        {.receive = [](std::span<const Frame> frames) { return frames.size(); },
                         .can_send = {},
                         .link_changed = {}});
  }

 private:
  NetPort port_;
};
const RegisterType<PlainCard, IsaDevice> plain_card;

const FrameBytes kFirst(60, 1), kSecond(1514, 2), kThird(64, 3);

class NetPortTest : public testing::Test {
 protected:
  NetBench net;
  NetPeer peer{net.bench.machine(), "net0"};
};

TEST_F(NetPortTest, FramesGoBothWays) {
  TestCard& card = net.card({{"netdev", "net0"}});
  peer.give({kFirst, kSecond});
  EXPECT_TRUE(peer.all_taken());
  EXPECT_THAT(card.received(), ElementsAre(kFirst, kSecond));
  EXPECT_EQ(card.send({kThird}), 1u);
  EXPECT_EQ(peer.take(), kThird);
}

TEST_F(NetPortTest, WhatTheCardDoesNotTakeComesWhenItHasRoom) {
  TestCard& card = net.card({{"netdev", "net0"}});
  card.room_for(1);
  peer.give({kFirst, kSecond, kThird});
  EXPECT_TRUE(peer.refused());
  card.room_for(10);
  EXPECT_TRUE(peer.all_taken());
  EXPECT_THAT(card.received(), ElementsAre(kFirst, kSecond, kThird));
}

TEST_F(NetPortTest, TheCardHearsOfRoomAfterAShortSend) {
  TestCard& card = net.card({{"netdev", "net0"}});
  peer.room_for(1);
  EXPECT_TRUE(net.eventually([&] { return card.calls_to_send() > 0; }));
  const unsigned before = card.calls_to_send();
  EXPECT_EQ(card.send({kFirst, kSecond}), 1u);
  peer.room_for(10);
  EXPECT_TRUE(net.eventually([&] { return card.calls_to_send() > before; }));
  EXPECT_THAT(peer.take_all(), ElementsAre(kFirst));
}

TEST_F(NetPortTest, NothingMovesWhileTheMachineStands) {
  TestCard& card = net.card({{"netdev", "net0"}});
  net.bench.machine().pause();
  peer.give(kFirst);
  EXPECT_TRUE(peer.refused());
  EXPECT_THAT(card.received(), ElementsAre());
  net.bench.machine().resume();
  EXPECT_TRUE(peer.all_taken());
  EXPECT_THAT(card.received(), ElementsAre(kFirst));
}

TEST_F(NetPortTest, ALinkThatIsDownDropsBothWays) {
  TestCard& card = net.card({{"netdev", "net0"}});
  peer.netdev().set_link(false);
  peer.give(kFirst);
  EXPECT_TRUE(peer.all_taken());
  EXPECT_EQ(card.send({kSecond}), 1u);
  peer.netdev().set_link(true);
  card.port().set_link(false);
  peer.give(kThird);
  EXPECT_TRUE(peer.all_taken());
  EXPECT_THAT(card.received(), ElementsAre());
  EXPECT_THAT(peer.take_all(), ElementsAre());
  EXPECT_THAT(card.links(), ElementsAre(false, true, false));
}

TEST_F(NetPortTest, ACardWithoutABackEndSendsIntoNothing) {
  TestCard& card = net.card();
  EXPECT_EQ(card.send({kFirst}), 1u);
  EXPECT_FALSE(card.port().link_up());
}

TEST_F(NetPortTest, ABackEndHasOneCard) {
  net.card({{"netdev", "net0"}});
  const auto second = net.bench.try_add("test-card", {{"netdev", "net0"}});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message(),
              HasSubstr("netdev 'net0' is already in use by 'test-card.0'"));
}

TEST_F(NetPortTest, ABackEndIsFreeWhenItsCardIsUnplugged) {
  TestCard& card = net.card({{"netdev", "net0"}});
  peer.give(kFirst);
  ASSERT_TRUE(net.bench.machine().unplug(card));
  EXPECT_FALSE(peer.netdev().attached());
  TestCard& next = net.card({{"netdev", "net0"}});
  peer.give(kSecond);
  EXPECT_TRUE(peer.all_taken());
  EXPECT_THAT(next.received(), testing::Contains(kSecond));
}

TEST_F(NetPortTest, NobodyCallsACardOnceTheMachineEnds) {
  net.card({{"netdev", "net0"}});
  const NetPorts& ports = net.bench.machine().service<NetPorts>();
  net.bench.machine().service<NetPorts>().shutdown();
  EXPECT_TRUE(ports.all().empty());
  EXPECT_FALSE(peer.netdev().attached());
}

TEST_F(NetPortTest, ACardHearsNothingOfALinkThatEndsWithIt) {
  TestCard& card = net.card({{"netdev", "net0"}});
  net.bench.machine().service<NetPorts>().shutdown();
  EXPECT_THAT(card.links(), ElementsAre());
}

TEST_F(NetPortTest, AddressesAreTheNextFreeOnes) {
  const TestCard& first = net.card();
  const TestCard& named = net.card({{"mac", "52:54:00:12:34:57"}});
  const TestCard& third = net.card();
  EXPECT_EQ(first.get("mac"), Value("52:54:00:12:34:56"));
  EXPECT_EQ(named.get("mac"), Value("52:54:00:12:34:57"));
  EXPECT_EQ(third.get("mac"), Value("52:54:00:12:34:58"));
}

TEST_F(NetPortTest, AddressesAreChecked) {
  for (const char* text :
       {"52:54:00:12:34", "52:54:00:12:34:567", "52:54:00:12:34:5g", "", "525400123456"}) {
    const auto card = net.bench.try_add("test-card", {{"mac", text}});
    ASSERT_FALSE(card) << text;
    EXPECT_THAT(card.error().message(),
                HasSubstr(fmt::format("'{}' is not an Ethernet address", text)));
  }
  const auto group = net.bench.try_add("test-card", {{"mac", "01:00:5e:00:00:01"}});
  ASSERT_FALSE(group);
  EXPECT_THAT(group.error().message(), HasSubstr("a group's address"));
}

TEST_F(NetPortTest, AddressesDoNotRunOut) {
  for (int n = 0; n < 256; ++n) net.bench.add("plain-card");
  const auto& next = dynamic_cast<PlainCard&>(net.bench.add("plain-card"));
  EXPECT_EQ(next.mac().text(), "52:54:00:12:35:56");
}

}  // namespace
}  // namespace rhea::test
