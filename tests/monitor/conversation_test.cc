// SPDX-License-Identifier: GPL-2.0-or-later
// Monitors whose clients say very much at once: others have their turn in between.
#include "chardev/mux.h"
#include "tests/monitor/fixture.h"

namespace rhea::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

std::size_t count(std::string_view text, std::string_view wanted) {
  std::size_t found = 0;
  for (std::size_t at = text.find(wanted); at != text.npos; at = text.find(wanted, at + 1)) ++found;
  return found;
}

class ConversationTest : public MonitorTest {
 protected:
  FakeChardev& monitor(std::string id, MonitorMode mode) {
    FakeChardev& line = FakeChardev::make(bench_, std::move(id));
    EXPECT_TRUE(machine().service<Monitors>().add(line, mode).has_value());
    line.tell(ChardevEvent::Opened);
    return line;
  }
  FakeChardev& flood_{monitor("flood", MonitorMode::Human)};
  FakeChardev& other_{monitor("other", MonitorMode::Human)};
};

TEST_F(ConversationTest, a_flood_of_lines_lets_others_be_answered_in_between) {
  flood_.say(repeated("info qtree\n", 200) + "info name\n");
  other_.say("info status\n");
  EXPECT_THAT(other_.written, HasSubstr("VM status"));
  EXPECT_LE(count(flood_.written, "(qemu) "), 33U);
  EXPECT_TRUE(turn_until(machine(), [&] { return count(flood_.written, "(qemu) ") == 202; }));
  EXPECT_THAT(flood_.written, EndsWith("info name\r\n(qemu) "));
}

TEST_F(ConversationTest, a_flood_of_completions_lets_others_be_answered_in_between) {
  flood_.say(repeated("\t", 200));
  EXPECT_LE(count(flood_.written, "(qemu) "), 33U);
  EXPECT_TRUE(turn_until(machine(), [&] { return count(flood_.written, "(qemu) ") == 201; }));
}

TEST_F(ConversationTest, a_flood_of_messages_lets_others_be_answered_in_between) {
  FakeChardev& program = monitor("program", MonitorMode::Qmp);
  program.say(R"({"execute":"qmp_capabilities"})" + repeated(R"({"execute":"query-name"})", 200));
  EXPECT_LE(count(program.written, "return"), 32U);
  EXPECT_TRUE(turn_until(machine(), [&] { return count(program.written, "return") == 201; }));
}

TEST_F(ConversationTest, a_flood_through_a_mux_lets_others_be_answered_in_between) {
  FakeChardev& base = FakeChardev::make(bench_, "base");
  const auto mux = chardev::make_mux(machine(), base).value();
  ASSERT_TRUE(machine().service<Monitors>().add(*mux, MonitorMode::Human));
  base.say(repeated("\n", 200));
  EXPECT_LE(count(base.written, "(qemu) "), 33U);
  EXPECT_TRUE(turn_until(machine(), [&] { return count(base.written, "(qemu) ") == 201; }));
  machine().service<Monitors>().shutdown();
}

TEST_F(ConversationTest, who_does_not_read_what_he_is_told_is_not_heard_further) {
  flood_.room = 0;
  flood_.say(repeated("help\n", 800));
  turn(machine(), 200);
  flood_.written.clear();
  flood_.make_room(std::size_t{1} << 30);
  EXPECT_LE(flood_.written.size(), 2 * MiB);
  EXPECT_TRUE(turn_until(machine(), [&] { return count(flood_.written, "(qemu) ") == 800; }));
}

TEST_F(ConversationTest, what_was_said_in_a_flood_is_done_when_its_client_has_gone) {
  flood_.say(repeated("info qtree\n", 100) + "quit\n");
  flood_.tell(ChardevEvent::Closed);
  EXPECT_TRUE(turn_until(machine(), [&] { return machine().exit_code().has_value(); }));
}

TEST_F(ConversationTest, what_the_last_client_said_does_not_reach_the_next_one) {
  flood_.say(repeated("info qtree\n", 100) + "quit\n");
  flood_.tell(ChardevEvent::Closed);
  flood_.tell(ChardevEvent::Opened);
  turn(machine(), 200);
  EXPECT_FALSE(machine().exit_code());
}

}  // namespace
}  // namespace rhea::test
