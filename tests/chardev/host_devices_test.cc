// SPDX-License-Identifier: GPL-2.0-or-later
// Back ends on datagrams, terminals and special files of the host.
#include "tests/chardev/client.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#include <cstdlib>

namespace rhea::test {
namespace {

/// A socket on a loopback port that the kernel chooses.
class UdpPeer {
 public:
  UdpPeer() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    name_.sin_family = AF_INET;
    name_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(fd_.get(), reinterpret_cast<const sockaddr*>(&name_), sizeof(name_));
    socklen_t length = sizeof(name_);
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&name_), &length);
  }
  int port() const { return ntohs(name_.sin_port); }
  std::string receive() {
    std::array<char, 1000> buffer;
    socklen_t length = sizeof(from_);
    const ssize_t n = recvfrom(fd_.get(), buffer.data(), buffer.size(), 0,
                               reinterpret_cast<sockaddr*>(&from_), &length);
    return n < 0 ? "nothing" : std::string(buffer.data(), static_cast<std::size_t>(n));
  }
  /// To whom the last datagram came from.
  void answer(std::string_view text) {
    sendto(fd_.get(), text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&from_),
           sizeof(from_));
  }

 private:
  FileDescriptor fd_;
  sockaddr_in name_{};
  sockaddr_in from_{};
};

/// A pseudo-terminal: what the test has in hand is its other end.
class Terminal {
 public:
  Terminal() : fd_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)) {
    grantpt(fd_.get());
    unlockpt(fd_.get());
  }
  std::string path() const { return ptsname(fd_.get()); }
  int fd() const { return fd_.get(); }

 private:
  FileDescriptor fd_;
};

class HostDevicesTest : public testing::Test {
 protected:
  Chardev& attached(std::string_view text) {
    Chardev& chardev = *create_chardev_legacy(machine_, "c", text).value();
    EXPECT_TRUE(chardev.attach(listener_.front_end()).has_value());
    return chardev;
  }
  std::string error_of(std::string_view text) {
    const auto made = create_chardev_legacy(machine_, "c", text);
    return made ? "no error" : made.error().message();
  }

  ScratchFolder scratch_;
  Machine machine_;
  Listener listener_;
};

TEST_F(HostDevicesTest, datagrams_go_both_ways) {
  UdpPeer peer;
  Chardev& chardev = attached(fmt::format("udp:127.0.0.1:{}", peer.port()));
  EXPECT_EQ(chardev.write(bytes_of("ping")), 4u);
  EXPECT_EQ(peer.receive(), "ping");
  peer.answer("pong");
  EXPECT_TRUE(turn_until(machine_, [&] { return listener_.heard == "pong"; }));
}

TEST_F(HostDevicesTest, datagram_is_taken_as_the_front_end_has_room) {
  UdpPeer peer;
  listener_.room = 3;
  Chardev& chardev = attached(fmt::format("udp:127.0.0.1:{}@127.0.0.1:0", peer.port()));
  chardev.write(bytes_of("x"));
  peer.receive();
  peer.answer("abcdef");
  EXPECT_TRUE(turn_until(machine_, [&] { return listener_.heard == "abcdef"; }));
}

TEST_F(HostDevicesTest, datagrams_to_nobody_are_lost_without_an_error) {
  const int port = UdpPeer().port();
  Chardev& chardev = attached(fmt::format("udp::{}", port));
  EXPECT_EQ(chardev.write(bytes_of("a")), 1u);
  EXPECT_EQ(chardev.write(bytes_of("b")), 1u);
}

TEST_F(HostDevicesTest, udp_address_is_checked) {
  EXPECT_EQ(error_of("udp:x"),
            "'udp:x': an address is written [HOST]:PORT[@[LOCAL-HOST]:LOCAL-PORT]");
  EXPECT_THAT(error_of("udp:127.0.0.1:1@[::1]:0"), testing::HasSubstr("different families"));
}

TEST_F(HostDevicesTest, serial_device_is_a_raw_line) {
  Terminal other;
  Chardev& chardev = attached(other.path());
  EXPECT_EQ(chardev.write(bytes_of("out\n")), 4u);
  std::array<char, 10> buffer{};
  EXPECT_EQ(read(other.fd(), buffer.data(), buffer.size()), 4);
  EXPECT_EQ(write(other.fd(), "\x03in\r", 4), 4);
  EXPECT_TRUE(turn_until(machine_, [&] { return listener_.heard == "\x03in\r"; }));
}

TEST_F(HostDevicesTest, serial_line_follows_the_guest) {
  Terminal other;
  Chardev& chardev = attached(other.path());
  chardev.set_serial_line({.rate = 9600, .data_bits = 7, .parity = 'E', .stop_bits = 2});
  termios modes{};
  ASSERT_EQ(tcgetattr(other.fd(), &modes), 0);
  EXPECT_EQ(cfgetospeed(&modes), speed_t{B9600});
  EXPECT_EQ(modes.c_cflag & CSTOPB, tcflag_t{CSTOPB});
}

TEST_F(HostDevicesTest, dev_null_is_taken) {
  Chardev& chardev = attached("/dev/null");
  turn(machine_, 20);
  EXPECT_EQ(chardev.write(bytes_of("gone")), 4u);
}

TEST_F(HostDevicesTest, file_is_no_serial_device) {
  const std::string path = scratch_.file("plain");
  close(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  const auto made = create_chardev(machine_, "serial,id=s,path=" + path);
  ASSERT_FALSE(made.has_value());
  EXPECT_THAT(made.error().message(), testing::HasSubstr("it is a regular file"));
}

TEST_F(HostDevicesTest, logfile_on_a_fifo_does_not_wait) {
  const std::string path = scratch_.file("fifo");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const auto made = create_chardev(machine_, "null,id=n,logfile=" + path);
  ASSERT_FALSE(made.has_value());
  EXPECT_THAT(made.error().message(), testing::HasSubstr("nobody reads this pipe"));
}

TEST_F(HostDevicesTest, log_that_nobody_empties_does_not_stop_the_line) {
  const std::string path = scratch_.file("fifo");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const FileDescriptor reader(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  Chardev& chardev = *create_chardev(machine_, "null,id=n,logfile=" + path).value();
  const std::string lots(1 << 20, 'x');
  EXPECT_EQ(chardev.write(bytes_of(lots)), lots.size());
}

TEST_F(HostDevicesTest, pipe_pair_carries_both_ways) {
  const std::string path = scratch_.file("pipe");
  ASSERT_EQ(mkfifo((path + ".in").c_str(), 0600), 0);
  ASSERT_EQ(mkfifo((path + ".out").c_str(), 0600), 0);
  Chardev& chardev = attached("pipe:" + path);
  const FileDescriptor in(open((path + ".in").c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  const FileDescriptor out(open((path + ".out").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_EQ(write(in.get(), "in", 2), 2);
  EXPECT_TRUE(turn_until(machine_, [&] { return listener_.heard == "in"; }));
  chardev.write(bytes_of("out"));
  std::array<char, 10> buffer{};
  EXPECT_EQ(read(out.get(), buffer.data(), buffer.size()), 3);
}

TEST_F(HostDevicesTest, console_sizes_are_read) {
  EXPECT_EQ(error_of("vc:80x"), "'vc:80x': a size is written WIDTHxHEIGHT or COLUMNSCxROWSC");
  EXPECT_EQ(error_of("vc:80Cx24"), "'vc:80Cx24': a size is written WIDTHxHEIGHT or COLUMNSCxROWSC");
  EXPECT_EQ(error_of("vc:80Cx24C"), "no error");
  machine_.container("/chardevs").remove_child(*find_chardev(machine_, "c"));
  EXPECT_EQ(error_of("vc:800x600"), "no error");
}

}  // namespace
}  // namespace rhea::test
