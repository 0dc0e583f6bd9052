// SPDX-License-Identifier: GPL-2.0-or-later
// Telnet between a socket and a front end: what is said, what is taken, what any bytes do.
#include "chardev/stream_protocol.h"

#include <gtest/gtest.h>

#include <random>

namespace rhea::test {
namespace {

using namespace std::string_literals;

class TelnetTest : public testing::Test {
 protected:
  std::string hears(std::string_view raw) {
    std::vector<u8> payload;
    reply_.clear();
    const auto taken =
        telnet_->receive({reinterpret_cast<const u8*>(raw.data()), raw.size()}, payload, reply_);
    EXPECT_TRUE(taken.has_value());
    return {payload.begin(), payload.end()};
  }
  std::string sends(std::string_view text) {
    std::string raw;
    telnet_->send({reinterpret_cast<const u8*>(text.data()), text.size()}, raw);
    return raw;
  }

  std::unique_ptr<chardev::StreamProtocol> telnet_ = chardev::make_telnet();
  std::string reply_;
};

TEST_F(TelnetTest, greets_as_qemu_does) {
  EXPECT_EQ(telnet_->greeting(), "\xff\xfb\x01\xff\xfb\x03\xff\xfb\x00\xff\xfd\x00"s);
}

TEST_F(TelnetTest, text_passes_and_commands_do_not) {
  EXPECT_EQ(hears("ab\xff\xf1"
                  "c\xff\xfd\x01"
                  "d"s),
            "abcd");
}

TEST_F(TelnetTest, escaped_byte_255_is_one_byte_both_ways) {
  EXPECT_EQ(hears("x\xff\xffy"s), "x\xffy");
  EXPECT_EQ(sends("x\xffy"), "x\xff\xffy");
}

TEST_F(TelnetTest, commands_may_be_cut_anywhere) {
  EXPECT_EQ(hears("a\xff"s), "a");
  EXPECT_EQ(hears("\xfb"s), "");
  EXPECT_EQ(hears("\x18z"s), "z");
}

TEST_F(TelnetTest, subnegotiation_is_skipped) {
  EXPECT_EQ(hears("a\xff\xfa\x1f\x00\x50\xff\xff\x18\xff\xf0z"s), "az");
}

TEST_F(TelnetTest, zero_after_a_return_goes_unless_the_line_is_binary) {
  EXPECT_EQ(hears("\r\0x"s), "\rx");
  EXPECT_EQ(hears("\xff\xfb\0\r\0x"s), "\r\0x"s);
}

TEST_F(TelnetTest, break_is_told_once) {
  hears("\xff\xf3"s);
  EXPECT_TRUE(telnet_->take_break());
  EXPECT_FALSE(telnet_->take_break());
}

TEST_F(TelnetTest, options_that_are_not_ours_are_declined) {
  hears("\xff\xfb\x18\xff\xfd\x22"s);
  EXPECT_EQ(reply_, "\xff\xfe\x18\xff\xfc\x22");
}

TEST_F(TelnetTest, what_we_offered_is_not_answered_again) {
  hears("\xff\xfd\x01\xff\xfd\x03\xff\xfd\0\xff\xfb\0"s);
  EXPECT_EQ(reply_, "");
}

TEST_F(TelnetTest, any_bytes_give_no_more_than_came) {
  std::mt19937 random(1);
  std::string raw(4096, '\0');
  std::size_t most = 0;
  for (int round = 0; round < 200; ++round) {
    for (char& c : raw) c = static_cast<char>((random() & 1) != 0 ? random() | 0xf0 : random());
    most = std::max(most, hears(raw).size());
    most = std::max(most, reply_.size() / 3);
  }
  EXPECT_LE(most, raw.size());
}

}  // namespace
}  // namespace rhea::test
