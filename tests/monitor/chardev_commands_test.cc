// SPDX-License-Identifier: GPL-2.0-or-later
// Making, changing and removing character devices from the monitors.
#include "tests/monitor/fixture.h"

namespace rhea::test {
namespace {

using qmp::Json;
using testing::HasSubstr;
using testing::StartsWith;

class ChardevCommandsTest : public MonitorTest {
 protected:
  static std::string command(std::string_view name, std::string_view id, const Json& backend) {
    return Json{{"execute", name}, {"arguments", {{"id", id}, {"backend", backend}}}}.dump();
  }
  std::string filename(std::string_view id) { return find_chardev(machine(), id)->filename(); }
  Json unix_server(std::string_view name) {
    return {{"type", "socket"},
            {"data", {{"addr", {{"type", "unix"}, {"data", {{"path", scratch_.file(name)}}}}}}}};
  }
};

TEST_F(ChardevCommandsTest, server_of_qmp_does_not_wait) {
  EXPECT_EQ(qmp(command("chardev-add", "s", unix_server("socket"))), "{\"return\": {}}");
  EXPECT_EQ(filename("s"), "disconnected:unix:" + scratch_.file("socket") + ",server=on");
}

TEST_F(ChardevCommandsTest, server_of_hmp_does_not_wait) {
  EXPECT_EQ(hmp("chardev-add socket,id=s,server=on,wait=on,path=" + scratch_.file("socket")), "");
  EXPECT_THAT(filename("s"), StartsWith("disconnected:unix:"));
}

TEST_F(ChardevCommandsTest, pty_says_where_it_is) {
  const Json answer =
      returned(command("chardev-add", "p", {{"type", "pty"}, {"data", Json::object()}}));
  EXPECT_EQ("pty:" + answer["pty"].get<std::string>(), filename("p"));
}

TEST_F(ChardevCommandsTest, file_and_its_log_are_written) {
  const Json backend = {
      {"type", "file"},
      {"data", {{"out", scratch_.file("out")}, {"logfile", scratch_.file("log")}}}};
  EXPECT_EQ(qmp(command("chardev-add", "f", backend)), "{\"return\": {}}");
  find_chardev(machine(), "f")->write(bytes_of("both"));
  EXPECT_TRUE(
      bench_.run_until([this] { return std::filesystem::file_size(scratch_.file("out")) == 4; }));
  EXPECT_TRUE(
      bench_.run_until([this] { return std::filesystem::file_size(scratch_.file("log")) == 4; }));
}

TEST_F(ChardevCommandsTest, passed_descriptor_is_named_by_getfd) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  scratch_.file("socket").copy(name.sun_path, sizeof(name.sun_path) - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  client_.named.emplace("mine", FileDescriptor(fd));
  const Json backend = {{"type", "socket"},
                        {"data", {{"addr", {{"type", "fd"}, {"data", {{"str", "mine"}}}}}}}};
  EXPECT_EQ(qmp(command("chardev-add", "s", backend)), "{\"return\": {}}");
  EXPECT_TRUE(client_.named.empty());
  UnixClient client(scratch_.file("socket"));
  EXPECT_TRUE(turn_until(machine(), [&] { return find_chardev(machine(), "s")->connected(); }));
}

TEST_F(ChardevCommandsTest, mux_is_made_on_a_chardev) {
  create_chardev(machine(), "ringbuf,id=base").value();
  const Json backend = {{"type", "mux"}, {"data", {{"chardev", "base"}}}};
  EXPECT_EQ(qmp(command("chardev-add", "m", backend)), "{\"return\": {}}");
  EXPECT_EQ(filename("m"), "mux");
  EXPECT_EQ(error(command("chardev-add", "n", backend)),
            "GenericError: chardev 'base' is already in use");
}

TEST_F(ChardevCommandsTest, what_is_wrong_is_named) {
  EXPECT_EQ(error(command("chardev-add", "x", {{"type", "spicevmc"}, {"data", Json::object()}})),
            "GenericError: Parameter 'type' does not accept value 'spicevmc'");
  EXPECT_EQ(error(command("chardev-add", "x", {{"type", "file"}, {"data", Json::object()}})),
            "GenericError: Parameter 'backend.data.out' is missing");
  create_chardev(machine(), "null,id=x").value();
  EXPECT_EQ(error(command("chardev-add", "x", {{"type", "null"}, {"data", Json::object()}})),
            "GenericError: Chardev with id 'x' already exists");
}

TEST_F(ChardevCommandsTest, changed_chardev_keeps_its_front_end) {
  create_chardev(machine(), "ringbuf,id=c").value();
  bench_.add("isa-debugcon", {{"chardev", "c"}});
  bench_.outb(0xe9, 'a');
  EXPECT_EQ(qmp(command("chardev-change", "c",
                        {{"type", "file"}, {"data", {{"out", scratch_.file("out")}}}})),
            "{\"return\": {}}");
  bench_.outb(0xe9, 'b');
  EXPECT_TRUE(
      bench_.run_until([this] { return std::filesystem::file_size(scratch_.file("out")) == 1; }));
  EXPECT_EQ(filename("c"), "file");
}

TEST_F(ChardevCommandsTest, failed_change_leaves_all_as_it_was) {
  create_chardev(machine(), "ringbuf,id=c").value();
  bench_.add("isa-debugcon", {{"chardev", "c"}});
  EXPECT_THAT(hmp("chardev-change c file,path=/nowhere/x"), HasSubstr("No such file"));
  bench_.outb(0xe9, 'a');
  EXPECT_EQ(returned(R"({"execute":"ringbuf-read","arguments":{"device":"c","size":9}})"), "a");
}

TEST_F(ChardevCommandsTest, monitor_may_change_its_own_chardev) {
  const std::string path = scratch_.file("first");
  Chardev* chardev =
      create_chardev(machine(), "socket,id=m,server=on,wait=off,path=" + path).value();
  ASSERT_TRUE(machine().service<Monitors>().add(*chardev, MonitorMode::Qmp).has_value());
  UnixClient client(path);
  client.send("{\"execute\":\"qmp_capabilities\"}");
  ASSERT_TRUE(turn_until(machine(), [&] {
    client.receive();
    return client.said.find("return") != std::string::npos;
  }));
  client.send(command("chardev-change", "m", unix_server("second")));
  ASSERT_TRUE(turn_until(machine(), [&] { return !client.receive(); }));
  UnixClient next(scratch_.file("second"));
  EXPECT_TRUE(turn_until(machine(), [&] {
    next.receive();
    return next.said.starts_with("{\"QMP\"");
  }));
}

TEST_F(ChardevCommandsTest, mux_cannot_be_changed) {
  create_chardev(machine(), "null,id=m,mux=on").value();
  EXPECT_EQ(error(command("chardev-change", "m", {{"type", "null"}, {"data", Json::object()}})),
            "GenericError: Mux device hotswap not supported yet");
}

TEST_F(ChardevCommandsTest, break_reaches_the_front_end) {
  Chardev* chardev = create_chardev(machine(), "null,id=c").value();
  Listener listener;
  ASSERT_TRUE(chardev->attach(listener.front_end()).has_value());
  EXPECT_EQ(hmp("chardev-send-break c"), "");
  EXPECT_EQ(listener.events, "ob");
}

TEST_F(ChardevCommandsTest, backends_are_listed_with_their_other_names) {
  const std::string names = returned(R"({"execute":"query-chardev-backends"})").dump();
  EXPECT_THAT(names, HasSubstr("{\"name\":\"socket\"}"));
  EXPECT_THAT(names, HasSubstr("{\"name\":\"tty\"}"));
}

}  // namespace
}  // namespace rhea::test
