// SPDX-License-Identifier: GPL-2.0-or-later
// Interfaces of the host. What needs rights for them is skipped without.
#include "net/backend.h"
#include "net/tap_netdev.h"
#include "tests/net/net_card.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace rhea::test {
namespace {

using testing::Contains;
using testing::HasSubstr;

/// Of this process alone: others may run the same tests beside it.
const std::string interface_name = fmt::format("rhea{}", ::getpid());
const std::string tap_options = "tap,id=n,ifname=" + interface_name;

std::string tap_trouble(const std::string& options) {
  Bench bench;
  const auto made = create_netdev(bench.machine(), options);
  return made ? "none" : made.error().message();
}

/// Experimental EtherType 0x88b5, which the host's own programs do not send.
FrameBytes frame(u8 fill) {
  FrameBytes bytes(80, fill);
  std::fill_n(bytes.begin(), 6, u8{0xff});
  bytes[6] = 2;
  bytes[12] = 0x88;
  bytes[13] = 0xb5;
  return bytes;
}

class TapTest : public testing::Test {
 protected:
  void SetUp() override {
    const FileDescriptor device(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    ifreq request{};
    std::strcpy(request.ifr_name, interface_name.c_str());
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (!device || ::ioctl(device.get(), TUNSETIFF, &request) < 0)
      GTEST_SKIP() << "no right to make interfaces here";
    std::filesystem::create_directories(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  void open(const std::string& options) {
    const auto made = create_netdev(net.bench.machine(), options);
    ASSERT_TRUE(made) << made.error().message();
    card = &net.card({{"netdev", "n"}});
  }
  /// The host's end, up, as a socket that sees its frames.
  void listen() {
    host =
        FileDescriptor(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(0x88b5)));
    ifreq request{};
    std::strcpy(request.ifr_name, interface_name.c_str());
    ASSERT_EQ(::ioctl(host.get(), SIOCGIFFLAGS, &request), 0);
    request.ifr_flags |= IFF_UP;
    ASSERT_EQ(::ioctl(host.get(), SIOCSIFFLAGS, &request), 0);
    sockaddr_ll name{};
    name.sll_family = AF_PACKET;
    name.sll_protocol = htons(0x88b5);
    name.sll_ifindex = static_cast<int>(::if_nametoindex(interface_name.c_str()));
    ASSERT_EQ(::bind(host.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  }
  void talk() {
    listen();
    const FrameBytes out = frame(7), in = frame(9);
    EXPECT_EQ(card->send({out}), 1u);
    FrameBytes got(2000);
    EXPECT_TRUE(net.eventually([&] {
      const ssize_t n = ::recv(host.get(), got.data(), got.size(), 0);
      if (n < 0) return false;
      got.resize(static_cast<std::size_t>(n));
      return true;
    }));
    EXPECT_EQ(got, out);
    EXPECT_EQ(::send(host.get(), in.data(), in.size(), 0), static_cast<ssize_t>(in.size()));
    EXPECT_TRUE(net.eventually([&] { return testing::Value(card->received(), Contains(in)); }));
  }
  std::string script(const std::string& name, const std::string& text) {
    const std::string path = (folder / name).string();
    std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  std::string told(const std::string& name) {
    std::ifstream file(folder / name);
    std::string line;
    std::getline(file, line);
    return line;
  }

  std::filesystem::path folder{std::filesystem::path(testing::TempDir()) /
                               ("rhea-tap-" + std::to_string(::getpid()))};
  NetBench net;
  FileDescriptor host;
  TestCard* card{};
};

TEST_F(TapTest, FramesGoBothWays) {
  open(tap_options + ",script=no,downscript=no");
  talk();
  EXPECT_EQ(find_netdev(net.bench.machine(), "n")->info(),
            "ifname=" + interface_name + ",script=no,downscript=no");
}

TEST_F(TapTest, HeadersOfOffloadsAreTheHostsAlone) {
  open(tap_options + ",script=no,downscript=no,vnet_hdr=on");
  talk();
}

TEST_F(TapTest, ScriptsAreToldTheInterface) {
  const std::string up = script("up", "echo up $1 > " + (folder / "first").string());
  const std::string down = script("down", "echo down $1 > " + (folder / "last").string());
  open(tap_options + ",script=" + up + ",downscript=" + down);
  EXPECT_EQ(told("first"), "up " + interface_name);
  ASSERT_TRUE(net::remove_netdev(net.bench.machine(), "n"));
  EXPECT_EQ(told("last"), "down " + interface_name);
}

TEST_F(TapTest, AScriptThatFailsIsAnError) {
  EXPECT_THAT(tap_trouble(tap_options + ",script=" + script("up", "exit 3")),
              HasSubstr("/up ended with status 3"));
  EXPECT_THAT(tap_trouble(tap_options + ",script=/nope/x"), HasSubstr("/nope/x"));
}

TEST_F(TapTest, AHelperPassesTheDevice) {
  const std::string helper =
      script("helper",
             "exec python3 -c '\n"
             "import array, fcntl, os, socket, struct, sys\n"
             "tun = os.open(\"/dev/net/tun\", os.O_RDWR)\n"
             "fcntl.ioctl(tun, 0x400454ca, struct.pack(\"16sH22x\", b\"" +
                 interface_name +
                 "\", 0x5002))\n"
                 "assert sys.argv[1:] == [\"--use-vnet\", \"--fd=3\", \"--br=virbr7\"]\n"
                 "socket.send_fds(socket.socket(fileno=3), [b\"x\"], [tun])' \"$@\"");
  open("bridge,id=n,br=virbr7,helper=" + helper);
  talk();
}

TEST(BridgeHelper, ThatSaysNothingIsGivenUpOn) {
  const auto device =
      net::device_of_helper("exec sleep 1000 #", "br0", std::chrono::milliseconds(50));
  ASSERT_FALSE(device);
  EXPECT_THAT(device.error().message(), HasSubstr("no answer came within 50 ms"));
}

TEST(TapOptions, MistakesAreNamed) {
  EXPECT_THAT(tap_trouble("tap,id=n,fd=x"), HasSubstr("Invalid file descriptor number 'x'"));
  EXPECT_THAT(tap_trouble("tap,id=n,fd=99"), HasSubstr("Can't use file descriptor 99"));
  EXPECT_THAT(tap_trouble("tap,id=n,fd=0,ifname=x"), HasSubstr("are invalid with fd="));
  EXPECT_THAT(tap_trouble("tap,id=n,fds=1:2,ifname=x"), HasSubstr("are invalid with fds="));
  EXPECT_THAT(tap_trouble("tap,id=n,fds=1:2"), HasSubstr("has one queue"));
  EXPECT_THAT(tap_trouble("tap,id=n,queues=4,script=no"), HasSubstr("has one queue"));
  EXPECT_THAT(tap_trouble("tap,id=n,helper=/bin/false,ifname=x"),
              HasSubstr("invalid with helper="));
  EXPECT_THAT(tap_trouble("tap,id=n,helper=/bin/false"), HasSubstr("bridge helper failed"));
  EXPECT_THAT(tap_trouble("tap,id=n,vhostforce=on"), HasSubstr("vhost"));
  EXPECT_THAT(tap_trouble("bridge,id=n,helper=/nope/helper"), HasSubstr("/nope/helper"));
  EXPECT_THAT(tap_trouble("bridge,id=n,foo=1"), HasSubstr("foo"));
}

TEST(TapOptions, WhatChangesNothingIsSaid) {
  testing::internal::CaptureStderr();
  tap_trouble("tap,id=n,fd=99,sndbuf=4096,poll-us=5");
  tap_trouble("stream,id=n,addr.type=inet,addr.host=127.0.0.1,addr.port=x,addr.keep-alive=on");
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, HasSubstr("netdev 'n': sndbuf= changes nothing"));
  EXPECT_THAT(said, HasSubstr("netdev 'n': poll-us= changes nothing"));
  EXPECT_THAT(said, HasSubstr("addr.keep-alive=on changes nothing"));
}

TEST(TapOptions, ADescriptorThatIsNoInterfaceStaysWhatItWas) {
  const FileDescriptor file(::open("/dev/null", O_RDWR));
  EXPECT_THAT(tap_trouble(fmt::format("tap,id=n,fd={}", file.get())), HasSubstr("TUNGETIFF"));
  EXPECT_EQ(::fcntl(file.get(), F_GETFD) & ~FD_CLOEXEC, 0);
}

}  // namespace
}  // namespace rhea::test
