// SPDX-License-Identifier: GPL-2.0-or-later
// Hubs: what comes in at a port goes out at all others.
#include "net/hub.h"

#include "net/backend.h"
#include "tests/net/net_card.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace rhea::test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

const FrameBytes kOne(60, 1), kTwo(1514, 2);

class HubTest : public testing::Test {
 protected:
  void port(const std::string& options) {
    const auto made = create_netdev(net.bench.machine(), "hubport," + options);
    ASSERT_TRUE(made) << made.error().message();
  }
  std::string trouble(const std::string& options) {
    const auto made = create_netdev(net.bench.machine(), "hubport," + options);
    return made ? "none" : made.error().message();
  }
  bool has(TestCard& card, std::size_t frames) {
    return net.eventually([&] { return card.received().size() == frames; });
  }

  NetBench net;
  NetPeer peer{net.bench.machine(), "net0"};
};

TEST_F(HubTest, AFrameGoesToAllOthersAndNotBack) {
  port("id=h0,hubid=3,netdev=net0");
  port("id=h1,hubid=3");
  port("id=h2,hubid=3");
  TestCard& first = net.card({{"netdev", "h1"}});
  TestCard& second = net.card({{"netdev", "h2"}});
  first.send({kOne, kTwo});
  EXPECT_TRUE(has(second, 2));
  EXPECT_THAT(second.received(), ElementsAre(kOne, kTwo));
  EXPECT_EQ(peer.take(), kOne);
  EXPECT_EQ(peer.take(), kTwo);
  peer.give(kTwo);
  EXPECT_TRUE(has(first, 1));
  EXPECT_TRUE(has(second, 3));
  EXPECT_THAT(first.received(), ElementsAre(kTwo));
}

TEST_F(HubTest, HubsAreApart) {
  port("id=h0,hubid=0,netdev=net0");
  port("id=h1,hubid=1");
  TestCard& card = net.card({{"netdev", "h1"}});
  card.send({kOne});
  peer.give(kTwo);
  EXPECT_TRUE(peer.all_taken());
  EXPECT_THAT(peer.take_all(), IsEmpty());
  EXPECT_THAT(card.received(), IsEmpty());
}

TEST_F(HubTest, ACardThatTakesNothingHoldsUpNobodyAndKeepsABoundOfFrames) {
  port("id=h1,hubid=0");
  port("id=h2,hubid=0");
  port("id=h3,hubid=0");
  TestCard& sender = net.card({{"netdev", "h1"}});
  TestCard& deaf = net.card({{"netdev", "h2"}});
  TestCard& other = net.card({{"netdev", "h3"}});
  deaf.room_for(0);
  const std::vector<FrameBytes> many(500, kOne);
  for (unsigned n = 1; n <= 10; ++n) {
    EXPECT_EQ(sender.send(many), 500u);
    EXPECT_TRUE(has(other, n * 500));
  }
  deaf.room_for(1000000);
  EXPECT_TRUE(net.eventually([&] {
    sender.send({kTwo});
    const auto all = deaf.received();
    return !all.empty() && all.back() == kTwo;
  }));
  const auto heard = deaf.received();
  EXPECT_THAT(std::ranges::count(heard, kOne), Le(2 * i64{net::HubPort::kMostFrames}));
}

TEST_F(HubTest, WhoIsUnpluggedHearsNothingMore) {
  port("id=h0,hubid=0,netdev=net0");
  port("id=h1,hubid=0");
  TestCard& card = net.card({{"netdev", "h1"}});
  ASSERT_TRUE(net::remove_netdev(net.bench.machine(), "h0"));
  EXPECT_FALSE(peer.netdev().attached());
  card.send({kOne});
  EXPECT_THAT(peer.take_all(), IsEmpty());
}

TEST_F(HubTest, ABackEndThatGoesLeavesItsPortBehind) {
  port("id=h1,hubid=0");
  port("id=h2,hubid=0");
  TestCard& card = net.card({{"netdev", "h1"}});
  TestCard& other = net.card({{"netdev", "h2"}});
  ASSERT_TRUE(create_netdev(net.bench.machine(), "socket,id=s,listen=127.0.0.1:0"));
  port("id=h0,hubid=0,netdev=s");
  ASSERT_TRUE(net::remove_netdev(net.bench.machine(), "s"));
  card.send({kOne});
  EXPECT_TRUE(has(other, 1));
}

TEST_F(HubTest, ARefusedPortTakesNothingFromOthers) {
  port("id=h0,hubid=0,netdev=net0");
  EXPECT_THAT(trouble("id=h1,hubid=1,netdev=net0"), HasSubstr("already in use by 'a hub'"));
  EXPECT_TRUE(peer.netdev().attached());
}

TEST_F(HubTest, AWayBackToTheSameHubIsRefused) {
  port("id=a,hubid=0");
  EXPECT_THAT(trouble("id=b,hubid=0,netdev=a"), HasSubstr("frames would go round for ever"));
  port("id=c,hubid=1,netdev=a");
  port("id=d,hubid=2");
  port("id=e,hubid=1,netdev=d");
  port("id=f,hubid=2");
  EXPECT_THAT(trouble("id=g,hubid=0,netdev=f"), HasSubstr("frames would go round for ever"));
  EXPECT_FALSE(find_netdev(net.bench.machine(), "f")->attached());
}

TEST_F(HubTest, MistakesAreNamed) {
  EXPECT_THAT(trouble("id=h"), HasSubstr("Parameter 'hubid' is missing"));
  EXPECT_THAT(trouble("id=h,hubid=x"), HasSubstr("'hubid' expects"));
  EXPECT_THAT(trouble("id=h,hubid=0,netdev=foo"), HasSubstr("netdev 'foo' not found"));
  port("id=h0,hubid=0,netdev=net0");
  EXPECT_THAT(trouble("id=h1,hubid=1,netdev=net0"), HasSubstr("already in use by 'a hub'"));
}

}  // namespace
}  // namespace rhea::test
