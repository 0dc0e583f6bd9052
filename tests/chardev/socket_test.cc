// SPDX-License-Identifier: GPL-2.0-or-later
// Socket back ends against real sockets.
#include "tests/chardev/client.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace rhea::test {
namespace {

class SocketTest : public testing::Test {
 protected:
  Chardev& server(std::string_view more = "") {
    return *create_chardev(machine_,
                           fmt::format("socket,id=s,server=on,wait=off,path={}{}", path_, more))
                .value();
  }
  ScratchFolder scratch_;
  std::string path_ = scratch_.file("socket");
  Machine machine_;
  Listener listener_;
};

TEST_F(SocketTest, bytes_go_both_ways) {
  Chardev& chardev = server();
  ASSERT_TRUE(chardev.attach(listener_.front_end()).has_value());
  UnixClient client(path_);
  client.send("ping");
  ASSERT_TRUE(turn_until(machine_, [&] { return listener_.heard == "ping"; }));
  EXPECT_EQ(chardev.write(bytes_of("pong")), 4u);
  client.receive();
  EXPECT_EQ(client.said, "pong");
  EXPECT_EQ(listener_.events, "o");
}

TEST_F(SocketTest, nowait_does_not_wait) {
  Chardev& chardev = *create_chardev(machine_, "socket,id=s,server,nowait,path=" + path_).value();
  EXPECT_EQ(chardev.filename(), "disconnected:unix:" + path_ + ",server=on");
}

TEST_F(SocketTest, output_without_a_peer_is_dropped) {
  Chardev& chardev = server();
  EXPECT_FALSE(chardev.connected());
  EXPECT_EQ(chardev.write(bytes_of("nobody hears")), 12u);
  EXPECT_EQ(chardev.filename(), "disconnected:unix:" + path_ + ",server=on");
}

TEST_F(SocketTest, next_client_is_accepted_after_a_hang_up) {
  Chardev& chardev = server();
  ASSERT_TRUE(chardev.attach(listener_.front_end()).has_value());
  UnixClient first(path_);
  ASSERT_TRUE(turn_until(machine_, [&] { return chardev.connected(); }));
  EXPECT_EQ(chardev.filename(), "unix:" + path_ + ",server=on");
  first.close();
  ASSERT_TRUE(turn_until(machine_, [&] { return !chardev.connected(); }));
  UnixClient second(path_);
  second.send("again");
  ASSERT_TRUE(turn_until(machine_, [&] { return listener_.heard == "again"; }));
  EXPECT_EQ(listener_.events, "oco");
}

TEST_F(SocketTest, input_waits_until_the_front_end_has_room) {
  Chardev& chardev = server();
  listener_.room = 0;
  ASSERT_TRUE(chardev.attach(listener_.front_end()).has_value());
  UnixClient client(path_);
  client.send("abc");
  turn(machine_, 50);
  EXPECT_EQ(listener_.heard, "");
  listener_.room = 2;
  chardev.accept_input();
  ASSERT_TRUE(turn_until(machine_, [&] { return listener_.heard == "abc"; }));
}

TEST_F(SocketTest, bytes_of_a_client_that_left_are_not_lost) {
  Chardev& chardev = server();
  listener_.room = 0;
  ASSERT_TRUE(chardev.attach(listener_.front_end()).has_value());
  UnixClient client(path_);
  client.send("last words");
  turn(machine_, 5);
  client.close();
  turn(machine_, 50);
  listener_.room = 100;
  chardev.accept_input();
  ASSERT_TRUE(turn_until(machine_, [&] { return !chardev.connected(); }));
  EXPECT_EQ(listener_.heard, "last words");
}

TEST_F(SocketTest, new_client_replaces_one_that_left_unread_bytes) {
  Chardev& chardev = server();
  listener_.room = 0;
  ASSERT_TRUE(chardev.attach(listener_.front_end()).has_value());
  UnixClient first(path_);
  first.send("unread");
  turn(machine_, 5);
  first.close();
  turn(machine_, 5);
  UnixClient second(path_);
  turn(machine_, 5);
  EXPECT_EQ(chardev.write(bytes_of("hello")), 5u);
  second.receive();
  EXPECT_EQ(second.said, "hello");
}

TEST_F(SocketTest, short_write_is_followed_by_room_again) {
  Chardev& chardev = server();
  ASSERT_TRUE(chardev.attach(listener_.front_end()).has_value());
  UnixClient client(path_);
  ASSERT_TRUE(turn_until(machine_, [&] { return chardev.connected(); }));
  const std::string lots(4 << 20, 'x');
  const std::size_t taken = chardev.write(bytes_of(lots));
  EXPECT_LT(taken, lots.size());
  turn(machine_, 5);
  EXPECT_FALSE(listener_.has_room_again);
  EXPECT_TRUE(turn_until(machine_, [&] {
    client.receive();
    return listener_.has_room_again;
  }));
}

TEST_F(SocketTest, writer_that_waits_for_room_hears_when_the_peer_goes) {
  Chardev& chardev = server();
  ASSERT_TRUE(chardev.attach(listener_.front_end()).has_value());
  UnixClient client(path_);
  ASSERT_TRUE(turn_until(machine_, [&] { return chardev.connected(); }));
  chardev.write(bytes_of(std::string(4 << 20, 'x')));
  client.close();
  EXPECT_TRUE(turn_until(machine_, [&] { return listener_.has_room_again; }));
  EXPECT_FALSE(chardev.connected());
}

TEST_F(SocketTest, disconnect_ends_the_connection) {
  Chardev& chardev = server();
  ASSERT_TRUE(chardev.attach(listener_.front_end()).has_value());
  UnixClient client(path_);
  ASSERT_TRUE(turn_until(machine_, [&] { return chardev.connected(); }));
  chardev.disconnect();
  EXPECT_TRUE(turn_until(machine_, [&] { return !client.receive(); }));
}

TEST_F(SocketTest, descriptors_travel_with_bytes) {
  Chardev& chardev = server();
  ASSERT_TRUE(chardev.attach(listener_.front_end()).has_value());
  UnixClient client(path_);
  char byte = 'x';
  iovec vector{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const int passed = client.fd();
  std::memcpy(CMSG_DATA(header), &passed, sizeof(int));
  ASSERT_EQ(sendmsg(client.fd(), &message, 0), 1);
  ASSERT_TRUE(turn_until(machine_, [&] { return listener_.heard == "x"; }));
  EXPECT_EQ(chardev.take_descriptors().size(), 1u);
  EXPECT_EQ(chardev.take_descriptors().size(), 0u);
}

TEST_F(SocketTest, passed_listening_socket_is_served) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path_.copy(name.sun_path, sizeof(name.sun_path) - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  Chardev& chardev =
      *create_chardev(machine_, fmt::format("socket,id=s,server=on,wait=off,fd={}", fd)).value();
  ASSERT_TRUE(chardev.attach(listener_.front_end()).has_value());
  UnixClient client(path_);
  client.send("ping");
  EXPECT_TRUE(turn_until(machine_, [&] { return listener_.heard == "ping"; }));
}

TEST_F(SocketTest, descriptor_that_is_no_socket_is_refused) {
  const auto made = create_chardev(machine_, "socket,id=s,server=on,wait=off,fd=0");
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().message(), "File descriptor '0' is not a socket");
}

TEST_F(SocketTest, client_with_reconnect_finds_a_server_that_comes_later) {
  Chardev& chardev = *create_chardev(machine_, "socket,id=c,reconnect=1,path=" + path_).value();
  ASSERT_TRUE(chardev.attach(listener_.front_end()).has_value());
  turn(machine_, 5);
  EXPECT_FALSE(chardev.connected());
  server();
  EXPECT_TRUE(turn_until(machine_, [&] { return chardev.connected(); }));
}

TEST_F(SocketTest, socket_file_goes_with_the_chardev) {
  {
    Machine machine;
    create_chardev(machine, "socket,id=s,server=on,wait=off,path=" + path_).value();
    EXPECT_TRUE(std::filesystem::exists(path_));
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(SocketTest, too_long_path_is_refused) {
  const std::string path = "/tmp/" + std::string(200, 'x');
  const auto made = create_chardev(machine_, "socket,id=s,server=on,wait=off,path=" + path);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().message(),
            "UNIX socket path '" + path + "' is too long: at most 107 bytes");
}

TEST_F(SocketTest, tcp_server_talks_to_tcp_client) {
  Chardev& a =
      *create_chardev(machine_, "socket,id=a,server=on,wait=off,host=127.0.0.1,port=0").value();
  ASSERT_TRUE(a.attach(listener_.front_end()).has_value());
  const std::string where = a.filename();
  const std::string port =
      where.substr(where.rfind(':') + 1, where.find(',') - where.rfind(':') - 1);
  Chardev& b = *create_chardev_legacy(machine_, "b", "tcp:127.0.0.1:" + port).value();
  b.write(bytes_of("over tcp"));
  EXPECT_TRUE(turn_until(machine_, [&] { return listener_.heard == "over tcp"; }));
  EXPECT_TRUE(a.filename().starts_with("tcp:127.0.0.1:" + port + ",server=on <-> 127.0.0.1:"));
}

TEST_F(SocketTest, legacy_unix_form_takes_short_booleans) {
  Chardev& chardev =
      *create_chardev_legacy(machine_, "s", "unix:" + path_ + ",server,nowait").value();
  ASSERT_TRUE(chardev.attach(listener_.front_end()).has_value());
  UnixClient client(path_);
  EXPECT_TRUE(client.ok());
}

}  // namespace
}  // namespace rhea::test
