// SPDX-License-Identifier: GPL-2.0-or-later
// -netdev socket, stream and dgram: what they take, and machines that talk to each other by them.
#include "tests/net/net_card.h"
#include "tests/support/no_descriptors.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <filesystem>
#include <fstream>

namespace rhea::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const FrameBytes kThere(60, 1), kBack(1514, 2);

std::string trouble(const std::string& options) {
  Bench bench;
  const auto made = create_netdev(bench.machine(), options);
  return made ? "none" : made.error().message();
}

class TwoMachines : public testing::Test {
 protected:
  void connect(const std::string& first, const std::string& second) {
    const auto one = create_netdev(here.bench.machine(), first);
    ASSERT_TRUE(one) << one.error().message();
    card = &here.card({{"netdev", "n"}});
    const auto two = create_netdev(there.bench.machine(), second);
    ASSERT_TRUE(two) << two.error().message();
    other = &there.card({{"netdev", "n"}});
  }
  /// A frame until it arrives: before there is a connection, they are lost.
  void talk() {
    EXPECT_TRUE(here.eventually([&] {
      card->send({kThere});
      return !other->received().empty();
    }));
    EXPECT_TRUE(there.eventually([&] {
      other->send({kBack});
      return !card->received().empty();
    }));
    EXPECT_EQ(other->received().front(), kThere);
    EXPECT_EQ(card->received().front(), kBack);
  }
  /// The port that a listening back end got.
  std::string port() {
    const std::string info = find_netdev(here.bench.machine(), "n")->info();
    return info.substr(info.rfind(':') + 1);
  }
  std::string path(const char* name) const { return (folder / name).string(); }

  NetBench here, there;
  TestCard* card{};
  TestCard* other{};
  std::filesystem::path folder{std::filesystem::path(testing::TempDir()) /
                               testing::UnitTest::GetInstance()->current_test_info()->name()};
  void SetUp() override { std::filesystem::create_directories(folder); }
  void TearDown() override { std::filesystem::remove_all(folder); }
};

TEST_F(TwoMachines, TalkOverSocketListenAndConnect) {
  const auto listener = create_netdev(here.bench.machine(), "socket,id=n,listen=127.0.0.1:0");
  ASSERT_TRUE(listener);
  card = &here.card({{"netdev", "n"}});
  ASSERT_TRUE(create_netdev(there.bench.machine(), "socket,id=n,connect=127.0.0.1:" + port()));
  other = &there.card({{"netdev", "n"}});
  talk();
}

TEST_F(TwoMachines, TalkOverAStreamOnAUnixSocket) {
  connect("stream,id=n,server=on,addr.type=unix,addr.path=" + path("s"),
          "stream,id=n,addr.type=unix,addr.path=" + path("s"));
  talk();
}

TEST_F(TwoMachines, TalkOverADatagramPairOfUnixSockets) {
  connect(R"({"type":"dgram","id":"n","local":{"type":"unix","path":")" + path("a") +
              R"("},"remote":{"type":"unix","path":")" + path("b") + R"("}})",
          "dgram,id=n,local.type=unix,local.path=" + path("b") +
              ",remote.type=unix,remote.path=" + path("a"));
  talk();
}

TEST_F(TwoMachines, TalkOverUdp) {
  connect("socket,id=n,udp=127.0.0.1:39517,localaddr=127.0.0.1:39518",
          "dgram,id=n,local.type=inet,local.host=127.0.0.1,local.port=39517,"
          "remote.type=inet,remote.host=127.0.0.1,remote.port=39518");
  talk();
}

TEST_F(TwoMachines, TalkInAMulticastGroup) {
  connect("socket,id=n,mcast=230.0.0.17:39519,localaddr=127.0.0.1",
          "dgram,id=n,remote.type=inet,remote.host=230.0.0.17,remote.port=39519,"
          "local.type=inet,local.host=127.0.0.1,local.port=0");
  EXPECT_EQ(find_netdev(there.bench.machine(), "n")->info(), "mcast=230.0.0.17:39519");
  EXPECT_TRUE(here.eventually([&] {
    card->send({kThere});
    return !other->received().empty();
  }));
}

TEST_F(TwoMachines, TalkOverDescriptorsThatSomebodyPassed) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  connect(fmt::format("socket,id=n,fd={}", ends[0]),
          fmt::format("stream,id=n,addr.type=fd,addr.str={}", ends[1]));
  talk();
}

TEST_F(TwoMachines, TalkOverDatagramDescriptorsThatSomebodyPassed) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM, 0, ends.data()), 0);
  connect(fmt::format("socket,id=n,fd={}", ends[0]),
          fmt::format("dgram,id=n,local.type=fd,local.str={}", ends[1]));
  talk();
}

TEST_F(TwoMachines, AListenerTakesTheNextPeerWhenOneIsGone) {
  connect("stream,id=n,server=on,addr.type=unix,addr.path=" + path("s"),
          "stream,id=n,addr.type=unix,addr.path=" + path("s"));
  talk();
  NetBench third;
  there.bench.machine().container(Netdev::kLinkRoot);
  find_netdev(there.bench.machine(), "n")->detach();
  const auto again =
      create_netdev(third.bench.machine(), "stream,id=n,addr.type=unix,addr.path=" + path("s"));
  ASSERT_TRUE(again);
  there.bench.machine()
      .container(Netdev::kLinkRoot)
      .remove_child(*find_netdev(there.bench.machine(), "n"));
  TestCard& newcomer = third.card({{"netdev", "n"}});
  EXPECT_TRUE(here.eventually([&] {
    card->send({kThere});
    return !newcomer.received().empty();
  }));
}

TEST_F(TwoMachines, TalkByAbstractNames) {
  const std::string a = path("a"), b = path("b");
  connect("dgram,id=n,local.type=unix,local.abstract=on,local.path=" + a +
              ",remote.type=unix,remote.abstract=on,remote.path=" + b,
          "dgram,id=n,local.type=unix,local.abstract=on,local.path=" + b +
              ",remote.type=unix,remote.abstract=on,remote.path=" + a);
  talk();
  EXPECT_FALSE(std::filesystem::exists(a));
}

TEST_F(TwoMachines, FilesThatAreNoSocketsStay) {
  std::ofstream(path("a")) << "dear";
  EXPECT_THAT(trouble("dgram,id=n,local.type=unix,local.path=" + path("a") +
                      ",remote.type=unix,remote.path=/nope/b"),
              HasSubstr("it is there, and no socket"));
  EXPECT_THAT(trouble("stream,id=n,server=on,addr.type=unix,addr.path=" + path("a")),
              HasSubstr("it is there, and no socket"));
  EXPECT_EQ(std::filesystem::file_size(path("a")), 4u);
}

TEST(StreamSockets, SendWithoutDelay) {
  Bench bench;
  ASSERT_TRUE(create_netdev(bench.machine(), "socket,id=l,listen=127.0.0.1:0"));
  const std::string where = find_netdev(bench.machine(), "l")->info();
  FileDescriptor connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  name.sin_port = htons(static_cast<u16>(std::stoi(where.substr(where.rfind(':') + 1))));
  ASSERT_EQ(::connect(connection.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  ASSERT_TRUE(create_netdev(
      bench.machine(), fmt::format("socket,id=n,fd={}", ::fcntl(connection.get(), F_DUPFD, 0))));
  bench.add("plain-card", {{"netdev", "n"}});
  int on = 0;
  socklen_t length = sizeof on;
  EXPECT_TRUE(bench.run_until([&] {
    ::getsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, &length);
    return on != 0;
  }));
}

TEST_F(TwoMachines, APeerForWhomThereIsNoDescriptorWaitsAndCostsNothing) {
  EventLoop& loop = here.bench.machine().loop();
  ASSERT_TRUE(create_netdev(here.bench.machine(),
                            "stream,id=n,server=on,addr.type=unix,addr.path=" + path("s")));
  here.bench.add("plain-card", {{"netdev", "n"}});
  ASSERT_TRUE(
      create_netdev(there.bench.machine(), "stream,id=n,addr.type=unix,addr.path=" + path("s")));
  other = &there.card({{"netdev", "n"}});
  {
    const NoMoreDescriptors none;
    EXPECT_TRUE(loop.iterate(false)) << "somebody connects";
    EXPECT_TRUE(here.eventually([&] { return !loop.iterate(false); })) << "it is asked for ever";
  }
  Netdev& listener = *find_netdev(here.bench.machine(), "n");
  EXPECT_TRUE(here.eventually([&] {
    const std::vector<FrameBytes> many(64, FrameBytes(60000, 1));
    return listener.send(std::vector<Frame>(many.begin(), many.end())) < many.size();
  })) << "it is accepted";
}

TEST(SocketNetdev, MistakesAreNamed) {
  EXPECT_THAT(trouble("socket,id=n"), HasSubstr("exactly one of listen="));
  EXPECT_THAT(trouble("socket,id=n,listen=:1,connect=:2"), HasSubstr("exactly one of listen="));
  EXPECT_THAT(trouble("socket,id=n,listen=foo"), HasSubstr("doesn't contain ':'"));
  EXPECT_THAT(trouble("socket,id=n,listen=:x"), HasSubstr("port number 'x' is invalid"));
  EXPECT_THAT(trouble("socket,id=n,listen=:99999"), HasSubstr("port number '99999' is invalid"));
  EXPECT_THAT(trouble("socket,id=n,fd=x"), HasSubstr("Invalid file descriptor number 'x'"));
  EXPECT_THAT(trouble("socket,id=n,fd=99"), HasSubstr("Bad file descriptor"));
  EXPECT_THAT(trouble("socket,id=n,mcast=1.2.3.4:5"), HasSubstr("no multicast address"));
  EXPECT_THAT(trouble("socket,id=n,mcast=230.0.0.1:5,localaddr=foo"),
              HasSubstr("not a valid IPv4 address"));
  EXPECT_THAT(trouble("socket,id=n,udp=127.0.0.1:5"), HasSubstr("localaddr= is mandatory"));
  EXPECT_THAT(trouble("socket,id=n,connect=127.0.0.1:1"), HasSubstr("Connection refused"));
  EXPECT_THAT(trouble("socket,id=n,listen=:1,foo=2"), HasSubstr("foo"));
}

TEST(StreamOptions, MistakesAreNamed) {
  EXPECT_THAT(trouble("stream,id=n"), HasSubstr("Parameter 'addr' is missing"));
  EXPECT_THAT(trouble("stream,id=n,addr.type=inet"), HasSubstr("'addr.host' is missing"));
  EXPECT_THAT(trouble("stream,id=n,addr.type=foo"), HasSubstr("does not accept value 'foo'"));
  EXPECT_THAT(trouble("stream,id=n,addr.type=vsock,addr.cid=3"), HasSubstr("vsock"));
  EXPECT_THAT(trouble("stream,id=n,addr.type=unix,addr.path=/nope/x"), HasSubstr("/nope/x"));
  EXPECT_THAT(trouble("stream,id=n,addr.type=unix,addr.path=/nope/x,server=on"),
              HasSubstr("/nope/x"));
  EXPECT_THAT(trouble("stream,id=n,addr.type=unix,addr.path=/nope/x,reconnect=1"),
              HasSubstr("reconnect"));
}

TEST(DgramOptions, MistakesAreNamed) {
  EXPECT_THAT(trouble("dgram,id=n"), HasSubstr("dgram requires local= parameter"));
  EXPECT_THAT(trouble("dgram,id=n,local.type=unix,local.path=/tmp/a"),
              HasSubstr("requires remote parameter"));
  EXPECT_THAT(trouble("dgram,id=n,local.type=unix,local.path=/tmp/a,"
                      "remote.type=inet,remote.host=1.1.1.1,remote.port=9"),
              HasSubstr("remote and local types must be the same"));
  EXPECT_THAT(trouble("dgram,id=n,local.type=fd,local.str=88"), HasSubstr("88"));
  EXPECT_THAT(trouble("dgram,id=n,local.type=unix,local.path=/nope/a,"
                      "remote.type=unix,remote.path=/nope/b"),
              HasSubstr("can't bind"));
}

TEST(NetdevKinds, QemusAreKnown) {
  EXPECT_THAT(trouble("vde,id=n"), HasSubstr("QEMU has this; Rhea has not yet"));
  EXPECT_THAT(trouble("l2tpv3,id=n"), HasSubstr("QEMU has this; Rhea has not yet"));
  EXPECT_THAT(trouble("steam,id=n"), HasSubstr("did you mean 'stream'?"));
}

}  // namespace
}  // namespace rhea::test
