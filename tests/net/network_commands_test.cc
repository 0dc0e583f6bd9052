// SPDX-License-Identifier: GPL-2.0-or-later
// What the monitors say and do about networks.
#include "tests/monitor/fixture.h"
#include "tests/net/user_bench.h"

namespace rhea::test {
namespace {

using testing::HasSubstr;

class NetworkCommands : public MonitorTest {
 protected:
  TestCard& card() { return dynamic_cast<TestCard&>(bench_.add("test-card", {{"netdev", "n0"}})); }
};

TEST_F(NetworkCommands, BackEndsComeAndGo) {
  EXPECT_EQ(hmp("netdev_add user,id=n0"), "");
  EXPECT_EQ(hmp("info network"), "n0: index=0,type=user,net=10.0.2.0,restrict=off\n");
  EXPECT_EQ(qmp(R"({"execute":"netdev_del","arguments":{"id":"n0"}})"), R"({"return": {}})");
  EXPECT_EQ(hmp("info network"), "");
  EXPECT_EQ(error(R"({"execute":"netdev_del","arguments":{"id":"n0"}})"),
            "DeviceNotFound: Device 'n0' not found");
}

TEST_F(NetworkCommands, QmpTakesQemusStructure) {
  EXPECT_EQ(qmp(R"({"execute":"netdev_add","arguments":{"type":"user","id":"n0",
                    "net":"10.9.0.0/24","hostfwd":[{"str":"tcp:127.0.0.1:0-:22"}]}})"),
            R"({"return": {}})");
  EXPECT_EQ(error(R"({"execute":"netdev_add","arguments":{"type":"user","id":"n0"}})"),
            "GenericError: Duplicate ID 'n0' for netdev");
  const qmp::Json all = returned(R"({"execute":"x-query-usernet"})");
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0]["forwards"][0]["guest-address"], "10.9.0.15");
  EXPECT_NE(all[0]["forwards"][0]["host-port"], 0);
}

TEST_F(NetworkCommands, ACardIsShownWithItsBackEnd) {
  hmp("netdev_add user,id=n0");
  card();
  EXPECT_EQ(hmp("info network"),
            "test-card.0: index=0,type=nic,model=test-card,macaddr=52:54:00:12:34:56\n"
            " \\ n0: index=0,type=user,net=10.0.2.0,restrict=off\n");
}

TEST_F(NetworkCommands, ACardWhoseBackEndGoesHasNoLink) {
  hmp("netdev_add user,id=n0");
  TestCard& one = card();
  EXPECT_TRUE(one.port().link_up());
  EXPECT_EQ(hmp("netdev_del n0"), "");
  EXPECT_FALSE(one.port().link_up());
}

TEST_F(NetworkCommands, LinksAreSetAtEitherEnd) {
  hmp("netdev_add user,id=n0");
  TestCard& one = card();
  EXPECT_EQ(hmp("set_link n0 off"), "");
  EXPECT_FALSE(one.port().link_up());
  EXPECT_EQ(hmp("set_link n0 on"), "");
  EXPECT_TRUE(one.port().link_up());
  EXPECT_EQ(hmp("set_link test-card.0 off"), "");
  EXPECT_FALSE(one.port().link_up());
  EXPECT_THAT(hmp("set_link nope off"), HasSubstr("Device 'nope' not found"));
}

TEST_F(NetworkCommands, ForwardsAreAddedAndRemovedByWord) {
  EXPECT_THAT(hmp("hostfwd_add tcp:127.0.0.1:0-:22"), HasSubstr("not in use"));
  hmp("netdev_add user,id=n0");
  EXPECT_EQ(hmp("hostfwd_add n0 tcp:127.0.0.1:0-:22"), "");
  const unsigned port = returned(R"({"execute":"x-query-usernet"})")[0]["forwards"][0]["host-port"];
  EXPECT_THAT(hmp(fmt::format("hostfwd_add tcp:127.0.0.1:{}-:22", port)),
              HasSubstr("Address already in use"));
  EXPECT_EQ(hmp(fmt::format("hostfwd_remove tcp:127.0.0.1:{}", port)),
            fmt::format("host forwarding rule for tcp:127.0.0.1:{} removed\n", port));
  EXPECT_EQ(hmp(fmt::format("hostfwd_remove n0 tcp:127.0.0.1:{}", port)),
            fmt::format("host forwarding rule for tcp:127.0.0.1:{} not found\n", port));
  EXPECT_THAT(hmp("hostfwd_add nope tcp::1-:22"), HasSubstr("unrecognized netdev id 'nope'"));
}

TEST_F(NetworkCommands, ForwardsAreAddedAndRemovedByStructure) {
  hmp("netdev_add user,id=n0");
  const qmp::Json added = returned(
      R"({"execute":"x-hostfwd-add","arguments":{"netdev":"n0","protocol":"udp",
          "host-address":"127.0.0.1","guest-port":7}})");
  EXPECT_EQ(added["guest-address"], "10.0.2.15");
  const std::string side = fmt::format(
      R"("arguments":{{"netdev":"n0","protocol":"udp","host-address":"127.0.0.1","host-port":{}}})",
      added["host-port"].get<unsigned>());
  EXPECT_EQ(qmp(R"({"execute":"x-hostfwd-remove",)" + side + "}"), R"({"return": {}})");
  EXPECT_THAT(error(R"({"execute":"x-hostfwd-remove",)" + side + "}"),
              HasSubstr("has no forward of udp 127.0.0.1"));
  EXPECT_THAT(error(R"({"execute":"x-hostfwd-add","arguments":{"netdev":"n0","guest-port":0}})"),
              HasSubstr("'guest-port'"));
}

TEST_F(NetworkCommands, TheTableOfConnectionsIsShown) {
  hmp("netdev_add user,id=n0,hostfwd=tcp:127.0.0.1:0-:22");
  EXPECT_THAT(hmp("info usernet"), HasSubstr("Hub -1 (n0):\n"));
}

}  // namespace
}  // namespace rhea::test
