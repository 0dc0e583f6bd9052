// SPDX-License-Identifier: GPL-2.0-or-later
// What is set for a migration, and that there is none. Values and errors are QEMU 7.2's.
#include "tests/monitor/fixture.h"

namespace rhea::test {
namespace {

using qmp::Json;
using testing::HasSubstr;

class MigrationSettings : public MonitorTest {
 protected:
  Json parameters() { return returned(R"({"execute":"query-migrate-parameters"})"); }
  static std::string setting(std::string_view members) {
    return fmt::format(R"({{"execute":"migrate-set-parameters","arguments":{{{}}}}})", members);
  }
  std::string refused(std::string_view members) { return error(setting(members)); }
  static std::string switching(std::string_view states) {
    Json list = Json::array();
    const Json wanted = Json::parse(states);
    for (const auto& [name, state] : wanted.items())
      list.push_back({{"capability", name}, {"state", state}});
    return Json{{"execute", "migrate-set-capabilities"}, {"arguments", {{"capabilities", list}}}}
        .dump();
  }
  std::string refused_together(std::string_view states) { return error(switching(states)); }
  std::string states() { return hmp("info migrate_capabilities"); }
};

TEST_F(MigrationSettings, NoneWasBegun) {
  EXPECT_EQ(returned(R"({"execute":"query-migrate"})"), Json::object());
  EXPECT_EQ(hmp("info migrate"), "Migration status: none\n");
  EXPECT_EQ(qmp(R"({"execute":"migrate_cancel"})"), R"({"return": {}})");
  EXPECT_EQ(hmp("migrate_cancel"), "");
}

TEST_F(MigrationSettings, MigratingIsRefusedAndSaysWhatThereIs) {
  EXPECT_THAT(error(R"({"execute":"migrate","arguments":{"uri":"tcp:h:1"}})"),
              HasSubstr("QEMU has this; Rhea has not yet: use x-snapshot-save"));
  EXPECT_THAT(hmp("migrate -d tcp:h:1"), HasSubstr("use x-snapshot-save"));
  EXPECT_THAT(hmp("savevm one"), HasSubstr("use x-snapshot-save"));
}

TEST_F(MigrationSettings, ParametersBeginAsInQemu) {
  EXPECT_EQ(parameters(), Json::parse(R"({
    "announce-initial": 50, "announce-max": 550, "announce-rounds": 5, "announce-step": 100,
    "block-incremental": false, "compress-level": 1, "compress-threads": 8,
    "compress-wait-thread": true, "cpu-throttle-increment": 10, "cpu-throttle-initial": 20,
    "cpu-throttle-tailslow": false, "decompress-threads": 2, "downtime-limit": 300,
    "max-bandwidth": 134217728, "max-cpu-throttle": 99, "max-postcopy-bandwidth": 0,
    "multifd-channels": 2, "multifd-compression": "none", "multifd-zlib-level": 1,
    "multifd-zstd-level": 1, "throttle-trigger-threshold": 50, "tls-authz": "", "tls-creds": "",
    "tls-hostname": "", "x-checkpoint-delay": 20000, "xbzrle-cache-size": 67108864})"));
}

TEST_F(MigrationSettings, ParametersAreKept) {
  qmp(setting(R"("max-bandwidth":9223372036853727232,"tls-hostname":"h","tls-creds":null,
                 "multifd-compression":"zlib","block-incremental":true,"multifd-zlib-level":7)"));
  qmp(setting(R"("x-checkpoint-delay":5)"));
  const Json now = parameters();
  EXPECT_EQ(now["max-bandwidth"], 9223372036853727232U);
  EXPECT_EQ(now["tls-hostname"], "h");
  EXPECT_EQ(now["tls-creds"], "");
  EXPECT_EQ(now["multifd-compression"], "zlib");
  EXPECT_EQ(now["block-incremental"], true);
  EXPECT_EQ(now["multifd-zlib-level"], 7);
  EXPECT_EQ(now["x-checkpoint-delay"], 5);
  EXPECT_EQ(now["compress-level"], 1);
}

TEST_F(MigrationSettings, MinusOneIsTheLargestBandwidth) {
  qmp(setting(R"("max-bandwidth":-1)"));
  EXPECT_EQ(parameters()["max-bandwidth"], ~u64{0});
}

TEST_F(MigrationSettings, RangesAreQemus) {
  EXPECT_EQ(refused(R"("compress-level":10)"),
            "GenericError: Parameter 'compress_level' expects a value between 0 and 9");
  EXPECT_EQ(refused(R"("compress-threads":0)"),
            "GenericError: Parameter 'compress_threads' expects a value between 1 and 255");
  EXPECT_EQ(refused(R"("throttle-trigger-threshold":101)"),
            "GenericError: Parameter 'throttle_trigger_threshold' expects an integer in the range "
            "of 1 to 100");
  EXPECT_EQ(refused(R"("cpu-throttle-increment":100)"),
            "GenericError: Parameter 'cpu_throttle_increment' expects an integer in the range of 1 "
            "to 99");
  EXPECT_EQ(refused(R"("downtime-limit":2000001)"),
            "GenericError: Parameter 'downtime_limit' expects an integer in the range of 0 to "
            "(2000 * 1000) ms");
  EXPECT_EQ(refused(R"("announce-step":0)"),
            "GenericError: Parameter 'announce_step' expects a value between 0 and 10000");
  EXPECT_EQ(refused(R"("multifd-zstd-level":21)"),
            "GenericError: Parameter 'multifd_zstd_level' expects a value between 0 and 20");
  EXPECT_EQ(refused(R"("downtime-limit":2000000)"), "no error");
}

TEST_F(MigrationSettings, ACacheIsAPowerOfTwoOfPages) {
  const std::string expected =
      "GenericError: Parameter 'xbzrle_cache_size' expects a power of two no less than the target "
      "page size";
  EXPECT_EQ(refused(R"("xbzrle-cache-size":2048)"), expected);
  EXPECT_EQ(refused(R"("xbzrle-cache-size":8192000)"), expected);
  EXPECT_EQ(refused(R"("xbzrle-cache-size":4096)"), "no error");
}

TEST_F(MigrationSettings, TheThrottlesEndIsNotBeforeItsBeginning) {
  const std::string expected =
      "GenericError: Parameter 'max_cpu_throttle' expects an integer in the range of "
      "cpu_throttle_initial to 99";
  EXPECT_EQ(refused(R"("max-cpu-throttle":19)"), expected);
  EXPECT_EQ(refused(R"("cpu-throttle-initial":60,"max-cpu-throttle":50)"), expected);
  EXPECT_EQ(parameters()["cpu-throttle-initial"], 20);
}

TEST_F(MigrationSettings, TypesAreQemus) {
  EXPECT_EQ(refused(R"("compress-level":256)"),
            "GenericError: Parameter 'compress-level' expects uint8_t");
  EXPECT_EQ(refused(R"("max-bandwidth":"a")"),
            "GenericError: Parameter 'max-bandwidth' expects uint64");
  EXPECT_EQ(refused(R"("tls-creds":1)"),
            "GenericError: Invalid parameter type for 'tls-creds', expected: StrOrNull");
  EXPECT_EQ(refused(R"("multifd-compression":"foo")"),
            "GenericError: Parameter 'multifd-compression' does not accept value 'foo'");
  EXPECT_EQ(refused(R"("foo":1)"), "GenericError: Parameter 'foo' is unexpected");
}

TEST_F(MigrationSettings, CapabilitiesAreKept) {
  EXPECT_EQ(qmp(switching(R"({"events":true,"auto-converge":true})")), R"({"return": {}})");
  EXPECT_EQ(qmp(switching(R"({"auto-converge":false})")), R"({"return": {}})");
  const auto all = returned(R"({"execute":"query-migrate-capabilities"})");
  EXPECT_EQ(all.size(), 21U);
  EXPECT_EQ(all[2], (Json{{"capability", "auto-converge"}, {"state", false}}));
  EXPECT_EQ(all[5], (Json{{"capability", "events"}, {"state", true}}));
  EXPECT_THAT(states(), HasSubstr("compress: off\nevents: on\npostcopy-ram: off\n"));
}

TEST_F(MigrationSettings, CapabilitiesThatExcludeEachOtherAreRefused) {
  EXPECT_EQ(refused_together(R"({"multifd":true,"compress":true})"),
            "GenericError: Multifd is not compatible with compress");
  EXPECT_EQ(refused_together(R"({"postcopy-ram":true,"x-ignore-shared":true})"),
            "GenericError: Postcopy is not compatible with ignore-shared");
  EXPECT_EQ(refused_together(R"({"background-snapshot":true,"xbzrle":true})"),
            "GenericError: Background-snapshot is not compatible with xbzrle");
  EXPECT_EQ(refused_together(R"({"zero-copy-send":true})"),
            "GenericError: Zero copy only available for non-compressed non-TLS multifd migration");
  EXPECT_EQ(refused_together(R"({"postcopy-preempt":true})"),
            "GenericError: Postcopy preempt requires postcopy-ram");
  EXPECT_EQ(refused_together(R"({"postcopy-preempt":true,"postcopy-ram":true,"compress":true})"),
            "GenericError: Postcopy preempt not compatible with compress");
  EXPECT_EQ(refused_together(R"({"foo":true})"),
            "GenericError: Parameter 'capability' does not accept value 'foo'");
  EXPECT_THAT(states(), Not(HasSubstr(": on")));
}

TEST_F(MigrationSettings, TheHumanMonitorSetsParameters) {
  EXPECT_EQ(hmp("migrate_set_parameter max-bandwidth 10"), "");
  EXPECT_EQ(hmp("migrate_set_parameter xbzrle-cache-size 64k"), "");
  EXPECT_EQ(hmp("migrate_set_parameter tls-creds x"), "");
  EXPECT_EQ(hmp("migrate_set_parameter cpu-throttle-tailslow on"), "");
  const std::string shown = hmp("info migrate_parameters");
  EXPECT_THAT(shown, HasSubstr("max-bandwidth: 10485760 bytes/second\n"));
  EXPECT_THAT(shown, HasSubstr("xbzrle-cache-size: 65536 bytes\n"));
  EXPECT_THAT(shown, HasSubstr("tls-creds: 'x'\n"));
  EXPECT_THAT(shown, HasSubstr("cpu-throttle-tailslow: on\n"));
}

TEST_F(MigrationSettings, TheHumanMonitorRefusesByName) {
  EXPECT_EQ(hmp("migrate_set_parameter foo 1"), "Error: invalid parameter value: foo\n");
  EXPECT_EQ(hmp("migrate_set_parameter compress-level x"),
            "Error: Parameter 'compress-level' expects uint64\n");
  EXPECT_EQ(hmp("migrate_set_parameter compress-level -1"),
            "Error: Parameter 'compress-level' expects uint8_t\n");
  EXPECT_EQ(hmp("migrate_set_parameter compress-level 300"),
            "Error: Parameter 'compress-level' expects uint8_t\n");
  EXPECT_EQ(hmp("migrate_set_parameter max-bandwidth x"), "Error: Invalid size x\n");
  EXPECT_EQ(hmp("migrate_set_parameter block-incremental 1"),
            "Error: Parameter 'block-incremental' expects 'on' or 'off'\n");
  EXPECT_THAT(hmp("migrate_set_parameter compress-level"), HasSubstr("string expected"));
}

TEST_F(MigrationSettings, TheHumanMonitorSetsCapabilities) {
  EXPECT_EQ(hmp("migrate_set_capability events on"), "");
  EXPECT_THAT(states(), HasSubstr("events: on\n"));
  EXPECT_EQ(hmp("migrate_set_capability foo on"), "Error: invalid parameter value: foo\n");
  EXPECT_THAT(hmp("migrate_set_capability events maybe"), HasSubstr("Expected 'on' or 'off'"));
}

}  // namespace
}  // namespace rhea::test
