// SPDX-License-Identifier: GPL-2.0-or-later
// Keys and pointers by the monitors: input-send-event, query-mice, mouse_set.
#include "rhea/ui/input.h"

#include "tests/monitor/fixture.h"

namespace rhea::test {
namespace {

using qmp::Json;
using testing::ElementsAre;
using testing::IsEmpty;

class InputCommands : public MonitorTest {
 protected:
  InputCommands() {
    keyboard_.open(machine(), {.name = "keyboard", .key = [this](KeyNumber key, bool down) {
                                 seen_.push_back(fmt::format("key {:#x} {}", key, down));
                               }});
    mouse_.open(machine(), {.name = "mouse", .move = [this](const PointerEvent& event) {
                              seen_.push_back(fmt::format("mouse {},{} {} {}", event.dx, event.dy,
                                                          event.dz, event.buttons));
                            }});
  }
  void add_tablet() {
    tablet_.open(machine(), {.name = "tablet", .place = [this](const PointerEvent& event) {
                               const PointerPlace place = event.place.value_or(PointerPlace{});
                               seen_.push_back(fmt::format("tablet {},{} {} {}", place.x, place.y,
                                                           event.dz, event.buttons));
                             }});
  }
  static std::string request(std::string_view events) {
    return fmt::format(R"({{"execute":"input-send-event","arguments":{{"events":[{}]}}}})", events);
  }
  std::string refused(std::string_view events) { return error(request(events)); }
  std::vector<std::string> send(std::string_view events) {
    EXPECT_EQ(error(request(events)), "no error");
    return std::exchange(seen_, {});
  }
  static std::string button(std::string_view name, bool down) {
    return fmt::format(R"({{"type":"btn","data":{{"button":"{}","down":{}}}}})", name, down);
  }
  static std::string move(std::string_view axis, i64 value, std::string_view type = "rel") {
    return fmt::format(R"({{"type":"{}","data":{{"axis":"{}","value":{}}}}})", type, axis, value);
  }
  static std::string key(std::string_view name, bool down) {
    return fmt::format(
        R"({{"type":"key","data":{{"key":{{"type":"qcode","data":"{}"}},"down":{}}}}})", name,
        down);
  }

  InputPort keyboard_, mouse_, tablet_;
  std::vector<std::string> seen_;
};

TEST_F(InputCommands, a_batch_is_told_at_once) {
  machine().resume();
  EXPECT_THAT(send(move("x", 3) + "," + move("y", -4) + "," + button("middle", true)),
              ElementsAre("mouse 3,-4 0 4"));
  EXPECT_THAT(send(button("wheel-up", true) + "," + button("wheel-up", false)),
              ElementsAre("mouse 0,0 1 4"))
      << "what is down stays down";
  EXPECT_THAT(send(button("middle", false)), ElementsAre("mouse 0,0 0 0"));
  EXPECT_THAT(send(""), IsEmpty());
}

TEST_F(InputCommands, both_ends_of_a_click_are_told) {
  machine().resume();
  EXPECT_THAT(send(button("left", true) + "," + button("left", false)),
              ElementsAre("mouse 0,0 0 1", "mouse 0,0 0 0"));
}

TEST_F(InputCommands, keys_keep_their_place_among_the_others) {
  machine().resume();
  EXPECT_THAT(send(key("shift", true) + "," + button("left", true) + "," + key("shift", false)),
              ElementsAre("key 0x2a true", "mouse 0,0 0 1", "key 0x2a false"));
}

TEST_F(InputCommands, places_are_within_their_bounds) {
  machine().resume();
  add_tablet();
  EXPECT_THAT(send(move("x", 100, "abs") + "," + move("y", 90000, "abs")),
              ElementsAre("tablet 100,32767 0 0"));
  EXPECT_THAT(send(move("y", -1, "abs")), ElementsAre("tablet 100,0 0 0"));
  EXPECT_THAT(send(move("x", i64{1} << 62) + "," + move("x", i64{1} << 62)),
              ElementsAre("mouse 1048576,0 0 0"));
}

TEST_F(InputCommands, what_nobody_takes_is_refused_and_nothing_is_told) {
  machine().resume();
  EXPECT_EQ(refused(key("a", true) + "," + move("x", 1, "abs")),
            "GenericError: Input handler not found for event type abs");
  EXPECT_EQ(refused(button("wheel-left", true)),
            "GenericError: Parameter 'button': no pointer here has a wheel that goes sideways");
  mouse_.close();
  EXPECT_EQ(refused(move("x", 1)), "GenericError: Input handler not found for event type rel");
  EXPECT_EQ(refused(button("left", true)),
            "GenericError: Input handler not found for event type btn");
  keyboard_.close();
  EXPECT_EQ(refused(key("a", true)), "GenericError: Input handler not found for event type key");
  EXPECT_THAT(seen_, IsEmpty());
}

TEST_F(InputCommands, a_machine_that_stands_takes_no_events) {
  machine().resume();
  machine().pause();
  EXPECT_EQ(refused(button("left", true)), "GenericError: VM not running");
  EXPECT_EQ(error(R"({"execute":"input-send-event","arguments":{"device":"x","events":[]}})"),
            "DeviceNotFound: Device 'x' not found");
}

TEST_F(InputCommands, another_pointer_can_be_chosen) {
  add_tablet();
  EXPECT_EQ(returned(R"({"execute":"query-mice"})"),
            Json::parse(R"([{"name":"tablet","index":3,"current":true,"absolute":true},
                            {"name":"mouse","index":2,"current":false,"absolute":false}])"));
  EXPECT_EQ(hmp("mouse_set 2"), "");
  EXPECT_EQ(hmp("info mice"), "  Mouse #3: tablet (absolute)\n* Mouse #2: mouse\n");
  EXPECT_EQ(hmp("mouse_set 1"), "Error: Input device 'keyboard' is not a mouse\n");
  EXPECT_EQ(hmp("mouse_set 7"), "Error: Mouse at index '7' not found\n");
  hmp("mouse_button 1");
  hmp("mouse_move 1 2");
  EXPECT_THAT(seen_, ElementsAre("mouse 0,0 0 1", "mouse 1,2 0 1"));
}

}  // namespace
}  // namespace rhea::test
