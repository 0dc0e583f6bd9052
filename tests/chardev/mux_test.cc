// SPDX-License-Identifier: GPL-2.0-or-later
// Several front ends on one chardev.
#include "chardev/backend.h"
#include "tests/chardev/client.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

class MuxTest : public testing::Test {
 protected:
  MuxTest()
      : mux_(*create_chardev(machine_,
                             fmt::format("socket,id=m,mux=on,server=on,wait=off,path={}", path_))
                  .value()) {
    EXPECT_TRUE(mux_.attach(monitor_.front_end(true)).has_value());
    EXPECT_TRUE(mux_.attach(serial_.front_end()).has_value());
    client_ = std::make_unique<UnixClient>(path_);
  }
  // Sends and waits until the mux has it: the marker goes to whoever has the focus.
  void type(std::string_view text) {
    client_->send(text);
    turn(machine_, 10);
  }
  ScratchFolder scratch_;
  std::string path_ = scratch_.file("socket");
  Machine machine_;
  Listener monitor_;
  Listener serial_;
  Chardev& mux_;
  std::unique_ptr<UnixClient> client_;
};

TEST_F(MuxTest, input_goes_to_the_front_end_that_is_no_monitor) {
  type("abc");
  EXPECT_EQ(serial_.heard, "abc");
  EXPECT_EQ(monitor_.heard, "");
}

TEST_F(MuxTest, monitor_that_comes_last_does_not_take_the_focus) {
  Listener late;
  ASSERT_TRUE(mux_.attach(late.front_end(true)).has_value());
  type("abc");
  EXPECT_EQ(serial_.heard, "abc");
}

TEST_F(MuxTest, what_was_typed_before_a_switch_waits_for_whom_it_was_typed) {
  serial_.room = 0;
  type(
      "login\x01"
      "cinfo\x01"
      "c");
  EXPECT_EQ(monitor_.heard, "info");
  EXPECT_EQ(serial_.heard, "");
  serial_.room = 100;
  mux_.accept_input();
  EXPECT_EQ(serial_.heard, "login");
}

TEST_F(MuxTest, control_a_t_stamps_the_lines_that_follow) {
  type("\x01t");
  mux_.write(bytes_of("one\ntwo\n"));
  client_->receive();
  EXPECT_EQ(client_->said, "one\n[00:00:00.000] two\n");
}

TEST_F(MuxTest, control_a_c_switches_and_says_so) {
  type(
      "\x01"
      "cinfo");
  EXPECT_EQ(monitor_.heard, "info");
  EXPECT_TRUE(serial_.events.ends_with('o'));
  EXPECT_TRUE(monitor_.events.ends_with('i') || monitor_.events.find('i') != std::string::npos);
  type(
      "\x01"
      "cback");
  EXPECT_EQ(serial_.heard, "back");
}

TEST_F(MuxTest, control_a_twice_sends_one) {
  type("\x01\x01");
  EXPECT_EQ(serial_.heard, "\x01");
}

TEST_F(MuxTest, control_a_b_is_a_break) {
  type(
      "\x01"
      "b");
  EXPECT_NE(serial_.events.find('b'), std::string::npos);
}

TEST_F(MuxTest, control_a_h_prints_help) {
  type(
      "\x01"
      "h");
  client_->receive();
  EXPECT_NE(client_->said.find("C-a x    exit emulator"), std::string::npos);
}

TEST_F(MuxTest, control_a_x_ends_the_machine) {
  type(
      "\x01"
      "x");
  EXPECT_EQ(machine_.exit_code(), 0);
}

TEST_F(MuxTest, output_of_all_front_ends_is_seen) {
  turn(machine_);
  mux_.write(bytes_of("one"));
  client_->receive();
  EXPECT_EQ(client_->said, "one");
}

TEST_F(MuxTest, detached_front_end_leaves_the_other_working) {
  mux_.detach(&serial_);
  type("help");
  EXPECT_EQ(monitor_.heard, "help");
  EXPECT_EQ(serial_.heard, "");
}

TEST_F(MuxTest, bytes_wait_for_a_front_end_without_room) {
  serial_.room = 0;
  type("slow");
  EXPECT_EQ(serial_.heard, "");
  serial_.room = 10;
  mux_.accept_input();
  EXPECT_EQ(serial_.heard, "slow");
}

TEST_F(MuxTest, flood_for_a_front_end_without_room_is_held_back) {
  serial_.room = 0;
  type(std::string(100'000, 'x'));
  serial_.room = 1 << 20;
  mux_.accept_input();
  EXPECT_TRUE(turn_until(machine_, [&] { return serial_.heard.size() == 100'000; }));
}

TEST_F(MuxTest, fifth_front_end_is_refused) {
  Listener third;
  Listener fourth;
  Listener fifth;
  ASSERT_TRUE(mux_.attach(third.front_end()).has_value());
  ASSERT_TRUE(mux_.attach(fourth.front_end()).has_value());
  EXPECT_EQ(mux_.attach(fifth.front_end()).error().message(),
            "too many uses of multiplexed chardev 'm' (maximum is 4)");
}

TEST(MuxLegacyTest, mon_prefix_makes_a_mux_and_asks_for_a_monitor) {
  Machine machine;
  Chardev& made = *create_chardev_legacy(machine, "serial0", "mon:null").value();
  EXPECT_EQ(made.filename(), "mux");
  EXPECT_EQ(machine.service<chardev::MonitorRequests>().ids, std::vector<std::string>{"serial0"});
}

}  // namespace
}  // namespace rhea::test
