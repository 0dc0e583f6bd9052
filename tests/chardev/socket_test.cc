// SPDX-License-Identifier: GPL-2.0-or-later
// Socket back ends against real sockets.
#include "chardev/backend.h"
#include "tests/chardev/client.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include <filesystem>

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
  ASSERT_TRUE(client.send_descriptor('x', client.fd()));
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

TEST_F(SocketTest, passed_socket_that_does_not_listen_is_refused) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const auto made =
      create_chardev(machine_, fmt::format("socket,id=s,server=on,wait=off,fd={}", fd));
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().message(),
            fmt::format("File descriptor '{}' is not a listening socket", fd));
  close(fd);
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

TEST_F(SocketTest, once_the_guest_runs_a_server_does_not_wait_for_its_client) {
  KeyValues options = KeyValues::parse("socket,id=s,server=on,path=" + path_, "backend").value();
  Chardev& chardev =
      *chardev::open_chardev(machine_, std::move(options), chardev::Opening::Later).value();
  EXPECT_EQ(chardev.filename(), "disconnected:unix:" + path_ + ",server=on");
}

TEST_F(SocketTest, once_the_guest_runs_a_client_does_not_wait_for_its_server) {
  KeyValues options = KeyValues::parse("socket,id=s,host=192.0.2.1,port=1", "backend").value();
  EXPECT_TRUE(chardev::open_chardev(machine_, std::move(options), chardev::Opening::Later));
}

TEST_F(SocketTest, listener_out_of_descriptors_tries_again_later) {
  server();
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  UnixClient client(path_);
  const FileDescriptor last(dup(0));
  const rlimit few{.rlim_cur = static_cast<rlim_t>(last.get()) + 1, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &few);
  turn(machine_, 3);
  const bool quiet = !machine_.loop().iterate(false);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(quiet);
  EXPECT_TRUE(turn_until(machine_, [&] { return find_chardev(machine_, "s")->connected(); }));
}

TEST_F(SocketTest, abstract_name_is_no_file) {
  Chardev& chardev = server(",abstract=on");
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_EQ(chardev.filename(), "disconnected:unix:" + path_ + ",abstract=on,tight=on,server=on");
  EXPECT_TRUE(create_chardev(machine_, "socket,id=c,abstract=on,path=" + path_).has_value());
}

TEST_F(SocketTest, ports_up_to_the_last_are_tried) {
  Chardev& first =
      *create_chardev(machine_, "socket,id=a,server=on,wait=off,host=127.0.0.1,port=0").value();
  const std::string where = first.filename();
  const int port = std::stoi(where.substr(where.rfind(':') + 1));
  const auto second = create_chardev(
      machine_,
      fmt::format("socket,id=b,server=on,wait=off,host=127.0.0.1,port={},to={}", port, port + 20));
  ASSERT_TRUE(second.has_value());
  EXPECT_NE((*second)->filename(), where);
}

TEST_F(SocketTest, telnet_client_is_greeted_and_understood) {
  Chardev& chardev = server(",telnet=on");
  ASSERT_TRUE(chardev.attach(listener_.front_end()).has_value());
  UnixClient client(path_);
  client.send("a\xff\xf3z");
  ASSERT_TRUE(turn_until(machine_, [&] { return listener_.heard == "az"; }));
  EXPECT_TRUE(turn_until(machine_, [&] { return listener_.events == "ob"; }));
  chardev.write(bytes_of("\xff"));
  client.receive();
  EXPECT_TRUE(client.said.starts_with("\xff\xfb\x01"));
  EXPECT_TRUE(client.said.ends_with("\xff\xff"));
}

TEST_F(SocketTest, websocket_client_is_there_after_the_handshake) {
  Chardev& chardev = server(",websocket=on");
  ASSERT_TRUE(chardev.attach(listener_.front_end()).has_value());
  UnixClient client(path_);
  turn(machine_);
  EXPECT_FALSE(chardev.connected());
  client.send(
      "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  ASSERT_TRUE(turn_until(machine_, [&] { return chardev.connected(); }));
  EXPECT_EQ(listener_.events, "o");
  client.send(std::string_view("\x82\x82\0\0\0\0hi", 8));
  EXPECT_TRUE(turn_until(machine_, [&] { return listener_.heard == "hi"; }));
}

TEST_F(SocketTest, protocol_output_that_the_peer_does_not_read_waits_in_bounds) {
  Chardev& chardev = server(",telnet=on");
  ASSERT_TRUE(chardev.attach(listener_.front_end()).has_value());
  UnixClient client(path_);
  ASSERT_TRUE(turn_until(machine_, [&] { return chardev.connected(); }));
  const std::string lots(4 << 20, '\xff');
  const std::size_t taken = chardev.write(bytes_of(lots));
  EXPECT_LT(taken, lots.size());
  EXPECT_TRUE(turn_until(machine_, [&] {
    client.receive();
    return listener_.has_room_again;
  }));
  turn_until(machine_, [&] { return !client.receive() || client.said.size() >= 12 + 2 * taken; });
  EXPECT_EQ(client.said.size(), 12 + 2 * taken);
}

// Said before anybody is waited for.
TEST_F(SocketTest, nowait_is_a_word_and_no_parameter) {
  const auto made = create_chardev(machine_, "socket,id=s,server=on,nowait=on,path=" + path_);
  EXPECT_EQ(made.error().message(), "Invalid parameter 'nowait'; did you mean 'wait'?");
  EXPECT_FALSE(std::filesystem::exists(path_));
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
