// SPDX-License-Identifier: GPL-2.0-or-later
// WebSockets: the handshake, frames both ways, and what any bytes do.
#include "chardev/stream_protocol.h"
#include "chardev/websocket_handshake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace rhea::test {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using testing::StartsWith;

std::string request(std::string_view more = "", std::string_view version = "13") {
  return fmt::format(
      "GET / HTTP/1.1\r\nHost: localhost:1\r\nUpgrade: websocket\r\n"
      "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Version: {}\r\n{}\r\n",
      version, more);
}

/// A client's frame, masked with 01 02 03 04.
std::string frame(u8 first, std::string_view text) {
  std::string raw = {static_cast<char>(first), static_cast<char>(0x80 | text.size()), 1, 2, 3, 4};
  for (std::size_t i = 0; i < text.size(); ++i)
    raw += static_cast<char>(text[i] ^ static_cast<char>(1 + i % 4));
  return raw;
}

class WebSocketTest : public testing::Test {
 protected:
  std::string hears(std::string_view raw) {
    std::vector<u8> payload;
    reply_.clear();
    ok_ = socket_->receive({reinterpret_cast<const u8*>(raw.data()), raw.size()}, payload, reply_)
              .has_value();
    return {payload.begin(), payload.end()};
  }
  void shake_hands() {
    hears(request());
    ASSERT_TRUE(socket_->open());
  }

  std::unique_ptr<chardev::StreamProtocol> socket_ = chardev::make_websocket();
  std::string reply_;
  bool ok_{true};
};

TEST_F(WebSocketTest, handshake_is_answered_with_the_key_of_the_rfc) {
  hears(request("Sec-WebSocket-Protocol: chat, binary\r\n"));
  EXPECT_TRUE(socket_->open());
  EXPECT_THAT(reply_, StartsWith("HTTP/1.1 101 Switching Protocols\r\n"));
  EXPECT_THAT(reply_, HasSubstr("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  EXPECT_THAT(reply_, HasSubstr("Sec-WebSocket-Protocol: binary\r\n\r\n"));
}

TEST_F(WebSocketTest, request_may_come_in_pieces) {
  const std::string text = request();
  hears(text.substr(0, 30));
  EXPECT_FALSE(socket_->open());
  hears(text.substr(30));
  EXPECT_TRUE(socket_->open());
}

TEST_F(WebSocketTest, other_requests_are_refused) {
  hears("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_FALSE(ok_);
  EXPECT_THAT(reply_, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(chardev::answer_handshake(request("", "8")).text,
              StartsWith("HTTP/1.1 426 Upgrade Required\r\nServer: Rhea VMM\r\n"
                         "Sec-WebSocket-Version: 13\r\n"));
  EXPECT_FALSE(chardev::answer_handshake(request("Sec-WebSocket-Protocol: chat\r\n")).accepted);
}

TEST_F(WebSocketTest, endless_request_is_refused) {
  hears(std::string(4000, 'x'));
  EXPECT_TRUE(ok_);
  hears(std::string(200, 'x'));
  EXPECT_FALSE(ok_);
}

TEST_F(WebSocketTest, frames_are_unmasked_as_they_come) {
  shake_hands();
  const std::string raw = frame(0x82, "hello");
  EXPECT_EQ(hears(raw.substr(0, 8)), "he");
  EXPECT_EQ(hears(raw.substr(8)), "llo");
}

TEST_F(WebSocketTest, output_is_one_binary_frame) {
  shake_hands();
  std::string raw;
  const std::string text = "pong";
  socket_->send({reinterpret_cast<const u8*>(text.data()), text.size()}, raw);
  EXPECT_EQ(raw, "\x82\x04pong"s);
}

TEST_F(WebSocketTest, ping_is_answered_and_no_input) {
  shake_hands();
  EXPECT_EQ(hears(frame(0x89, "are you there")), "");
  EXPECT_EQ(reply_,
            "\x8a\x0d"
            "are you there"s);
}

TEST_F(WebSocketTest, close_is_answered_and_ends_the_connection) {
  shake_hands();
  hears(frame(0x88, "\x03\xe8"s));
  EXPECT_FALSE(ok_);
  EXPECT_EQ(reply_, "\x88\x02\x03\xe8"s);
}

TEST_F(WebSocketTest, reserved_bits_end_the_connection) {
  shake_hands();
  hears(frame(0xf2, "x"));
  EXPECT_FALSE(ok_);
}

TEST_F(WebSocketTest, frame_of_any_announced_length_takes_no_memory) {
  shake_hands();
  const std::string head = "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"s;
  hears(head);
  EXPECT_EQ(hears(std::string(100'000, 'x')).size(), 100'000u);
}

TEST_F(WebSocketTest, any_bytes_end_the_connection_or_give_no_more_than_came) {
  std::mt19937 random(1);
  std::size_t most = 0;
  for (int round = 0; round < 500; ++round) {
    socket_ = chardev::make_websocket();
    hears(request());
    std::string raw(2000, '\0');
    for (char& c : raw) c = static_cast<char>(random());
    raw[0] = static_cast<char>(round % 16 | 0x80);
    raw[1] |= static_cast<char>(0x80);
    most = std::max({most, hears(raw).size(), reply_.size()});
  }
  EXPECT_LE(most, 2000u);
}

}  // namespace
}  // namespace rhea::test
