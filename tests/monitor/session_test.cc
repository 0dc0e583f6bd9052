// SPDX-License-Identifier: GPL-2.0-or-later
// Monitors on sockets: greeting, events, many at once, clients that leave or do not read.
#include "block/block_service.h"
#include "rhea/block/block_backend.h"
#include "rhea/softmmu/suspension.h"
#include "rhea/softmmu/tool_events.h"
#include "tests/monitor/fixture.h"

namespace rhea::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

class SessionTest : public MonitorTest {
 protected:
  std::string add_monitor(MonitorMode mode, std::string id = "m") {
    const std::string path = scratch_.file(id);
    Chardev* chardev =
        create_chardev(machine(), fmt::format("socket,id={},server=on,wait=off,path={}", id, path))
            .value();
    EXPECT_TRUE(machine().service<Monitors>().add(*chardev, mode).has_value());
    return path;
  }
  bool hears(UnixClient& client, std::string_view text) {
    return turn_until(machine(), [&] {
      client.receive();
      return client.said.find(text) != std::string::npos;
    });
  }
  // With the machine's lock free in between: a command at work wants it.
  bool turn_freely_until(const std::function<bool()>& done) {
    machine().lock().unlock();
    const bool result = turn_until(machine(), done);
    machine().lock().lock();
    return result;
  }
  bool ends() {
    return turn_freely_until([&] { return machine().exit_code().has_value(); });
  }
};

TEST_F(SessionTest, qmp_client_is_greeted_and_answered) {
  UnixClient client(add_monitor(MonitorMode::Qmp));
  ASSERT_TRUE(hears(client, "\r\n"));
  EXPECT_THAT(client.said, StartsWith("{\"QMP\": {"));
  client.send("{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"query-name\",\"id\":7}");
  EXPECT_TRUE(hears(client, "{\"return\": {}}\r\n{\"return\": {}, \"id\": 7}\r\n"));
}

TEST_F(SessionTest, next_client_starts_with_negotiation_again) {
  const std::string path = add_monitor(MonitorMode::Qmp);
  UnixClient first(path);
  first.send("{\"execute\":\"qmp_capabilities\"}{\"execute\":");
  ASSERT_TRUE(hears(first, "{\"return\": {}}"));
  first.close();
  turn(machine(), 20);
  UnixClient second(path);
  second.send("{\"execute\":\"query-name\"}");
  ASSERT_TRUE(hears(second, "CommandNotFound"));
  EXPECT_THAT(second.said, HasSubstr("Expecting capabilities negotiation"));
}

TEST_F(SessionTest, what_people_said_before_they_left_is_done_behind_a_command_that_takes_long) {
  FakeChardev& line = FakeChardev::make(bench_, "m");
  ASSERT_TRUE(machine().service<Monitors>().add(line, MonitorMode::Human));
  line.say(fmt::format("pmemsave 0 4096 {}\nquit\n", scratch_.file("memory")));
  line.tell(ChardevEvent::Closed);
  EXPECT_TRUE(ends());
}

TEST_F(SessionTest, what_a_program_said_before_it_left_is_done_behind_a_command_that_takes_long) {
  FakeChardev& line = FakeChardev::make(bench_, "m");
  ASSERT_TRUE(machine().service<Monitors>().add(line, MonitorMode::Qmp));
  const qmp::Json save = {
      {"execute", "pmemsave"},
      {"arguments", {{"val", 0}, {"size", 4096}, {"filename", scratch_.file("memory")}}}};
  line.tell(ChardevEvent::Opened);
  line.say(fmt::format(R"({{"execute":"qmp_capabilities"}}{}{{"execute":"quit"}})", save.dump()));
  line.tell(ChardevEvent::Closed);
  EXPECT_TRUE(ends());
}

TEST_F(SessionTest, who_comes_while_the_last_ones_command_takes_long_is_served_at_once) {
  FakeChardev& line = FakeChardev::make(bench_, "m");
  ASSERT_TRUE(machine().service<Monitors>().add(line, MonitorMode::Human));
  line.say(fmt::format("pmemsave 0 4096 {}\nquit\n", scratch_.file("memory")));
  line.tell(ChardevEvent::Closed);
  line.tell(ChardevEvent::Opened);
  line.written.clear();
  line.say("info status\n");
  EXPECT_THAT(line.written, HasSubstr("VM status: "));
  const std::string memory = scratch_.file("memory");
  ASSERT_TRUE(turn_freely_until([&] {
    return std::filesystem::exists(memory) && std::filesystem::file_size(memory) == 4096;
  }));
  turn(machine(), 20);
  EXPECT_FALSE(machine().exit_code());
}

TEST_F(SessionTest, descriptors_that_no_command_claims_are_closed) {
  UnixClient client(add_monitor(MonitorMode::Qmp));
  ASSERT_TRUE(hears(client, "QMP"));
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 100; ++i) {
    client.send_descriptor(' ', 0);
    turn(machine(), 2);
  }
  EXPECT_LE(open_descriptors(), before + 17);
}

TEST_F(SessionTest, pretty_monitor_indents) {
  UnixClient client(add_monitor(MonitorMode::QmpPretty));
  ASSERT_TRUE(hears(client, "}\r\n"));
  EXPECT_THAT(client.said, StartsWith("{\n    \"QMP\": {\n"));
}

TEST_F(SessionTest, trays_that_move_are_told_of) {
  UnixClient client(add_monitor(MonitorMode::Qmp));
  client.send("{\"execute\":\"qmp_capabilities\"}");
  ASSERT_TRUE(hears(client, "{\"return\": {}}"));
  make_fake_disk(bench_, "cd0", 2048);
  machine().service<block::BlockService>().tray_moved(*find_drive(machine(), "cd0"), true);
  EXPECT_TRUE(hears(client,
                    "\"event\": \"DEVICE_TRAY_MOVED\", \"data\": {\"device\": \"cd0\", "
                    "\"id\": \"\", \"tray-open\": true}"));
}

TEST_F(SessionTest, events_reach_negotiated_clients_only) {
  UnixClient quiet(add_monitor(MonitorMode::Qmp, "a"));
  UnixClient client(add_monitor(MonitorMode::Qmp, "b"));
  client.send(
      "{\"execute\":\"qmp_capabilities\"}{\"execute\":\"cont\"}{\"execute\":\"stop\"}{\"execute\":"
      "\"system_reset\"}");
  ASSERT_TRUE(hears(client, "\"event\": \"RESET\""));
  EXPECT_THAT(client.said, HasSubstr("\"event\": \"RESUME\"}\r\n{\"return\": {}}"));
  EXPECT_THAT(client.said, HasSubstr("\"event\": \"STOP\"}\r\n{\"return\": {}}"));
  EXPECT_THAT(client.said, HasSubstr("{\"timestamp\": {\"microseconds\": "));
  EXPECT_THAT(client.said,
              HasSubstr("\"data\": {\"guest\": false, \"reason\": \"host-qmp-system-reset\"}}"));
  quiet.receive();
  EXPECT_THAT(quiet.said, testing::Not(HasSubstr("event")));
}

TEST_F(SessionTest, quit_is_answered_announced_and_done) {
  UnixClient client(add_monitor(MonitorMode::Qmp));
  client.send("{\"execute\":\"qmp_capabilities\"}{\"execute\":\"quit\"}");
  ASSERT_TRUE(turn_until(machine(), [&] { return machine().exit_code().has_value(); }));
  EXPECT_TRUE(hears(
      client,
      "\"event\": \"SHUTDOWN\", \"data\": {\"guest\": false, \"reason\": \"host-qmp-quit\"}"));
  EXPECT_EQ(machine().exit_code(), 0);
}

TEST_F(SessionTest, a_guests_sleep_is_told_and_ended) {
  UnixClient client(add_monitor(MonitorMode::Qmp));
  client.send("{\"execute\":\"qmp_capabilities\"}{\"execute\":\"system_wakeup\"}");
  ASSERT_TRUE(hears(client, "Unable to wake up: guest is not in suspended state"));
  machine().resume();
  machine().service<Suspension>().suspend();
  ASSERT_TRUE(hears(client, "\"event\": \"SUSPEND\""));
  client.send("{\"execute\":\"cont\"}{\"execute\":\"query-status\"}");
  ASSERT_TRUE(hears(client, "\"suspended\""));
  client.send("{\"execute\":\"system_wakeup\"}");
  ASSERT_TRUE(hears(client, "\"event\": \"WAKEUP\""));
  EXPECT_TRUE(machine().running());
  EXPECT_THAT(client.said, testing::Not(HasSubstr("STOP")));
}

// The dump ends on the main loop; what its client says meanwhile is answered after it, others at
// once.
TEST_F(SessionTest, an_answer_that_comes_later_comes_in_its_turn) {
  UnixClient client(add_monitor(MonitorMode::Qmp, "a"));
  UnixClient other(add_monitor(MonitorMode::Qmp, "b"));
  const std::string dump = fmt::format(
      R"({{"execute":"dump-guest-memory","id":1,"arguments":{{"paging":false,"protocol":"file:{}"}}}})",
      scratch_.file("dump"));
  client.send("{\"execute\":\"qmp_capabilities\"}{\"execute\":\"cont\"}" + dump +
              "{\"execute\":\"query-name\",\"id\":2}");
  other.send("{\"execute\":\"qmp_capabilities\"}");
  ASSERT_TRUE(hears(client, "\"id\": 2}"));
  EXPECT_THAT(client.said,
              testing::ContainsRegex("\"STOP\".*\"DUMP_COMPLETED\", \"data\": \\{\"result\": "
                                     ".*\\{\"return\": \\{\\}, \"id\": 1\\}.*\"id\": 2\\}"));
  EXPECT_TRUE(hears(client, "\"RESUME\""));
  EXPECT_TRUE(hears(other, "DUMP_COMPLETED"));
}

TEST_F(SessionTest, a_client_that_leaves_before_its_answer_harms_nobody) {
  const std::string path = add_monitor(MonitorMode::Qmp);
  {
    UnixClient client(path);
    client.send(
        "{\"execute\":\"qmp_capabilities\"}" +
        fmt::format(
            R"({{"execute":"dump-guest-memory","arguments":{{"paging":false,"protocol":"file:{}"}}}})",
            scratch_.file("dump")));
    ASSERT_TRUE(hears(client, "{\"return\": {}}"));
  }
  UnixClient next(path);
  next.send("{\"execute\":\"qmp_capabilities\"}{\"execute\":\"query-name\",\"id\":3}");
  EXPECT_TRUE(hears(next, "\"id\": 3}"));
  EXPECT_THAT(next.said, testing::Not(HasSubstr("\"error\"")));
}

TEST_F(SessionTest, a_person_waits_for_the_prompt) {
  UnixClient client(add_monitor(MonitorMode::Human));
  ASSERT_TRUE(hears(client, "(qemu) "));
  client.said.clear();
  client.send("dump-guest-memory /dev/full\rinfo name\rinfo dump\r");
  ASSERT_TRUE(hears(client, "Status: failed\r\n(qemu) "));
  EXPECT_THAT(client.said,
              HasSubstr("Error: dump: failed to save memory: No space left on device"));
}

TEST_F(SessionTest, devices_that_go_with_another_are_told_of_before_it) {
  ASSERT_TRUE(machine().plug("virtio-serial-pci", {}, "vs"));
  ASSERT_TRUE(machine().plug("virtserialport", {}, "ch0"));
  UnixClient client(add_monitor(MonitorMode::Qmp));
  client.send(R"({"execute":"qmp_capabilities"})");
  client.send(R"({"execute":"device_del","arguments":{"id":"vs"}})");
  ASSERT_TRUE(hears(client, "/machine/peripheral/vs\"}"));
  EXPECT_LT(
      client.said.find("\"data\": {\"device\": \"ch0\", \"path\": \"/machine/peripheral/ch0\"}"),
      client.said.find("\"path\": \"/machine/peripheral/vs\"}"));
}

TEST_F(SessionTest, devices_news_become_events) {
  UnixClient client(add_monitor(MonitorMode::Qmp));
  client.send("{\"execute\":\"qmp_capabilities\"}");
  ASSERT_TRUE(hears(client, "{\"return\": {}}"));
  machine().service<ToolEvents>().tell("RTC_CHANGE",
                                       {{"offset", i64{-5}}, {"qom-path", std::string("/rtc")}});
  EXPECT_TRUE(hears(client,
                    "\"event\": \"RTC_CHANGE\", \"data\": {\"offset\": -5, \"qom-path\": "
                    "\"/rtc\"}}"));
}

TEST_F(SessionTest, a_reset_while_it_stands_is_a_new_start) {
  UnixClient client(add_monitor(MonitorMode::Qmp));
  client.send(
      "{\"execute\":\"qmp_capabilities\"}{\"execute\":\"cont\"}{\"execute\":\"stop\"}{\"execute\":"
      "\"system_reset\"}");
  ASSERT_TRUE(hears(client, "RESET"));
  client.send("{\"execute\":\"query-status\"}");
  EXPECT_TRUE(hears(client, "\"prelaunch\""));
}

TEST_F(SessionTest, a_dozen_monitors_work_side_by_side) {
  std::vector<std::unique_ptr<UnixClient>> clients;
  for (int i = 0; i < 12; ++i)
    clients.push_back(
        std::make_unique<UnixClient>(add_monitor(MonitorMode::Qmp, fmt::format("m{}", i))));
  for (auto& client : clients) client->send("{\"execute\":\"qmp_capabilities\"}");
  for (auto& client : clients) client->send("{\"execute\":\"query-version\",\"id\":1}");
  for (auto& client : clients) EXPECT_TRUE(hears(*client, "\"id\": 1}"));
}

TEST_F(SessionTest, client_that_leaves_mid_command_harms_nobody) {
  const std::string path = add_monitor(MonitorMode::Qmp);
  for (int i = 0; i < 50; ++i) {
    UnixClient client(path);
    client.send(
        "{\"execute\":\"qmp_capabilities\"}{\"execute\":\"query-commands\"}{\"execute\":\"query-"
        "com");
    turn(machine(), i % 5);
  }
  UnixClient last(path);
  EXPECT_TRUE(hears(last, "QMP"));
}

TEST_F(SessionTest, client_that_does_not_read_is_held_back_and_served_later) {
  UnixClient client(add_monitor(MonitorMode::Qmp));
  client.send("{\"execute\":\"qmp_capabilities\"}");
  std::string many;
  for (int i = 0; i < 600; ++i) many += "{\"execute\":\"query-commands\"}";
  many += "{\"execute\":\"query-name\",\"id\":\"last\"}";
  std::size_t sent = 0;
  ASSERT_TRUE(turn_until(machine(), [&] {
    sent += client.send(std::string_view(many).substr(sent));
    if (sent == many.size()) client.receive();
    return client.said.find("\"id\": \"last\"") != std::string::npos;
  }));
}

TEST_F(SessionTest, client_that_never_reads_events_is_dropped) {
  UnixClient client(add_monitor(MonitorMode::Qmp));
  client.send("{\"execute\":\"qmp_capabilities\"}");
  ASSERT_TRUE(hears(client, "return"));
  const Json data = std::string(1 << 20, 'x');
  for (int i = 0; i < 40; ++i) machine().service<Monitors>().send_event("WAKEUP", data);
  EXPECT_TRUE(turn_until(machine(), [&] { return !client.receive(); }));
}

TEST_F(SessionTest, human_monitor_greets_prompts_and_echoes) {
  UnixClient client(add_monitor(MonitorMode::Human));
  ASSERT_TRUE(hears(client, "(qemu) "));
  EXPECT_THAT(client.said, HasSubstr("monitor - type 'help' for more information\r\n(qemu) "));
  client.send("info status\n");
  EXPECT_TRUE(hears(client, "info status\r\nVM status: paused (prelaunch)\r\n(qemu) "));
}

TEST_F(SessionTest, human_monitors_keep_their_own_history) {
  UnixClient a(add_monitor(MonitorMode::Human, "a"));
  UnixClient b(add_monitor(MonitorMode::Human, "b"));
  a.send("info name\n");
  ASSERT_TRUE(hears(a, "(qemu) "));
  b.send("info history\n");
  ASSERT_TRUE(hears(b, "0: 'info history'\r\n(qemu) "));
}

TEST_F(SessionTest, monitor_behind_a_mux_greets_when_looked_at) {
  const std::string path = scratch_.file("mux");
  Chardev* mux =
      create_chardev(machine(), "socket,id=x,mux=on,server=on,wait=off,path=" + path).value();
  Listener serial;
  ASSERT_TRUE(mux->attach(serial.front_end()).has_value());
  ASSERT_TRUE(machine().service<Monitors>().add(*mux, MonitorMode::Human).has_value());
  UnixClient client(path);
  client.send("to serial");
  ASSERT_TRUE(turn_until(machine(), [&] { return serial.heard == "to serial"; }));
  client.receive();
  EXPECT_EQ(client.said, "");
  client.send(
      "\x01"
      "cinfo name\r");
  EXPECT_TRUE(hears(client, "information\r\n(qemu) info name\r\n(qemu) "));
  mux->detach(&serial);
}

TEST_F(SessionTest, requested_monitor_needs_its_chardev) {
  machine().service<Monitors>().request("gone", MonitorMode::Qmp);
  EXPECT_EQ(machine().service<Monitors>().start().error().message(),
            "-mon: chardev \"gone\" not found");
}

}  // namespace
}  // namespace rhea::test
