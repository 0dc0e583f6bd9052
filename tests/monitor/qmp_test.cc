// SPDX-License-Identifier: GPL-2.0-or-later
// QMP commands and errors.
#include "monitor/qmp/session.h"
#include "tests/monitor/fixture.h"

#include <fstream>

namespace rhea::test {
namespace {

using qmp::Json;
using testing::HasSubstr;

class QmpTest : public MonitorTest {};

TEST_F(QmpTest, answers_look_like_qemus) {
  EXPECT_EQ(qmp(R"({"execute":"query-name"})"), R"({"return": {}})");
  EXPECT_EQ(qmp(R"({"execute":"query-name","id":"libvirt-1"})"),
            R"({"return": {}, "id": "libvirt-1"})");
  EXPECT_EQ(qmp(R"({"execute":"nope","id":{"a":[1,2]}})"),
            R"({"id": {"a": [1, 2]}, "error": {"class": "CommandNotFound", )"
            R"("desc": "The command nope has not been found"}})");
}

TEST_F(QmpTest, nothing_but_negotiation_is_heard_at_first) {
  client_.negotiated = false;
  EXPECT_EQ(error(R"({"execute":"query-status"})"),
            "CommandNotFound: Expecting capabilities negotiation with 'qmp_capabilities'");
  EXPECT_EQ(qmp(R"({"execute":"qmp_capabilities"})"), R"({"return": {}})");
  EXPECT_EQ(error(R"({"execute":"qmp_capabilities"})"),
            "CommandNotFound: Capabilities negotiation is already complete, command ignored");
}

TEST_F(QmpTest, envelope_errors) {
  EXPECT_EQ(error("[1]"), "GenericError: QMP input must be a JSON object");
  EXPECT_EQ(error("1"), "GenericError: QMP input must be a JSON object");
  EXPECT_EQ(error(R"({"id":3})"), "GenericError: QMP input lacks member 'execute'");
  EXPECT_EQ(error(R"({"execute":5})"), "GenericError: QMP input member 'execute' must be a string");
  EXPECT_EQ(error(R"({"execute":"stop","foo":1})"),
            "GenericError: QMP input member 'foo' is unexpected");
  EXPECT_EQ(error(R"({"execute":"stop","arguments":[]})"),
            "GenericError: QMP input member 'arguments' must be an object");
  EXPECT_EQ(error(R"({"execute":"stop","exec-oob":"stop"})"),
            "GenericError: QMP input member 'execute' clashes with 'exec-oob'");
  EXPECT_EQ(error(R"({"exec-oob":"stop"})"), "GenericError: The command stop does not support OOB");
}

TEST_F(QmpTest, json_errors_are_worded_as_qemus) {
  EXPECT_EQ(error("foo"), "GenericError: JSON parse error, invalid keyword 'foo'");
  EXPECT_EQ(error(R"({"execute":tru})"), "GenericError: JSON parse error, invalid keyword 'tru'");
  EXPECT_EQ(error(R"({"execute" "x"})"),
            "GenericError: JSON parse error, missing : in object pair");
  EXPECT_EQ(error(R"({"execute":"a","execute":"b"})"),
            "GenericError: JSON parse error, duplicate key");
  EXPECT_EQ(error(R"({"execute":"\q"})"),
            "GenericError: JSON parse error, invalid escape sequence in string");
  EXPECT_EQ(error("{\"execute\":\"\xc3\x28\"}"),
            "GenericError: JSON parse error, invalid UTF-8 sequence in string");
  EXPECT_EQ(error("}"), "GenericError: JSON parse error, expecting value");
  EXPECT_THAT(error("1e9999"), HasSubstr("GenericError: JSON parse error"));
}

TEST_F(QmpTest, argument_errors) {
  EXPECT_EQ(error(R"({"execute":"stop","arguments":{"a":1}})"),
            "GenericError: Parameter 'a' is unexpected");
  EXPECT_EQ(error(R"({"execute":"screendump"})"), "GenericError: Parameter 'filename' is missing");
  EXPECT_EQ(error(R"({"execute":"screendump","arguments":{"filename":1}})"),
            "GenericError: Invalid parameter type for 'filename', expected: string");
  EXPECT_EQ(error(R"({"execute":"screendump","arguments":{"filename":"x","format":"gif"}})"),
            "GenericError: Parameter 'format' does not accept value 'gif'");
  EXPECT_EQ(error(R"({"execute":"pmemsave","arguments":{"val":"x","size":1,"filename":"x"}})"),
            "GenericError: Invalid parameter type for 'val', expected: integer");
  EXPECT_EQ(error(R"({"execute":"pmemsave","arguments":{"val":1.5,"size":1,"filename":"x"}})"),
            "GenericError: Invalid parameter type for 'val', expected: integer");
  EXPECT_EQ(
      error(
          R"({"execute":"pmemsave","arguments":{"val":99999999999999999999,"size":1,"filename":"x"}})"),
      "GenericError: Invalid parameter type for 'val', expected: integer");
  EXPECT_EQ(error(R"({"execute":"qom-list-types","arguments":{"abstract":1}})"),
            "GenericError: Invalid parameter type for 'abstract', expected: boolean");
  EXPECT_EQ(error(R"({"execute":"qom-list","arguments":{"path":"/\u0000"}})"),
            "GenericError: Parameter 'path' expects a string without NUL");
}

TEST_F(QmpTest, nested_argument_errors) {
  EXPECT_EQ(error(R"({"execute":"send-key","arguments":{"keys":"a"}})"),
            "GenericError: Invalid parameter type for 'keys', expected: array");
  EXPECT_EQ(error(R"({"execute":"send-key","arguments":{"keys":[1]}})"),
            "GenericError: Invalid parameter type for 'keys[0]', expected: object");
  EXPECT_EQ(error(R"({"execute":"send-key","arguments":{"keys":[{"type":"qcode"}]}})"),
            "GenericError: Parameter 'keys[0].data' is missing");
  EXPECT_EQ(error(R"({"execute":"send-key","arguments":{"keys":[{"type":"foo","data":1}]}})"),
            "GenericError: Parameter 'type' does not accept value 'foo'");
  EXPECT_EQ(
      error(R"({"execute":"send-key","arguments":{"keys":[{"type":"qcode","data":"bogus"}]}})"),
      "GenericError: Parameter 'data' does not accept value 'bogus'");
  EXPECT_EQ(
      error(R"({"execute":"send-key","arguments":{"keys":[{"type":"number","data":30,"x":1}]}})"),
      "GenericError: Parameter 'keys[0].x' is unexpected");
  EXPECT_EQ(error(R"({"execute":"send-key","arguments":{"keys":[{"type":"number","data":-1}]}})"),
            "GenericError: Parameter 'data' expects a key number, not 18446744073709551615");
}

TEST_F(QmpTest, queries_about_the_program) {
  EXPECT_EQ(returned(R"({"execute":"query-version"})")["qemu"]["major"], 7);
  EXPECT_EQ(returned(R"({"execute":"query-target"})")["arch"], "x86_64");
  EXPECT_EQ(returned(R"({"execute":"query-kvm"})")["enabled"], false);
  EXPECT_EQ(returned(R"({"execute":"query-iothreads"})"), Json::array());
  EXPECT_THAT(returned(R"({"execute":"query-commands"})"),
              testing::Contains(Json{{"name", "query-commands"}}));
}

TEST_F(QmpTest, run_state_is_reported_and_changed) {
  EXPECT_EQ(returned(R"({"execute":"query-status"})")["status"], "prelaunch");
  qmp(R"({"execute":"cont"})");
  EXPECT_EQ(returned(R"({"execute":"query-status"})"),
            (Json{{"status", "running"}, {"running", true}, {"singlestep", false}}));
  qmp(R"({"execute":"stop"})");
  EXPECT_EQ(returned(R"({"execute":"query-status"})")["status"], "paused");
}

TEST_F(QmpTest, cpus_are_listed_with_their_place) {
  machine().config.cores = 2;
  add_fake_cpus(machine(), 2);
  const Json cpus = returned(R"({"execute":"query-cpus-fast"})");
  ASSERT_EQ(cpus.size(), 2u);
  EXPECT_EQ(cpus[1]["props"], (Json{{"socket-id", 0}, {"core-id", 1}, {"thread-id", 0}}));
  EXPECT_GT(cpus[1]["thread-id"], 0);
  const Json slots = returned(R"({"execute":"query-hotpluggable-cpus"})");
  ASSERT_EQ(slots.size(), 2u);
  EXPECT_EQ(slots[1]["type"], "qemu64-x86_64-cpu");
  EXPECT_EQ(slots[1]["props"], cpus[1]["props"]);
  EXPECT_EQ(slots[1]["qom-path"], cpus[1]["qom-path"]);
}

TEST_F(QmpTest, guest_memory_is_saved) {
  bench_.write(0x1000, bytes_of("hello"));
  const std::string path = scratch_.file("memory");
  EXPECT_EQ(
      qmp(fmt::format(
          R"({{"execute":"pmemsave","arguments":{{"val":4096,"size":5,"filename":"{}"}}}})", path)),
      R"({"return": {}})");
  std::string text;
  std::getline(std::ifstream(path), text);
  EXPECT_EQ(text, "hello");
}

TEST_F(QmpTest, memory_beyond_the_mapped_is_an_error) {
  add_fake_cpus(machine(), 1);
  const std::string path = scratch_.file("memory");
  EXPECT_EQ(error(fmt::format(
                R"({{"execute":"memsave","arguments":{{"val":1048575,"size":2,"filename":"{}"}}}})",
                path)),
            "GenericError: Invalid addr 0x00000000000fffff/size 2 specified");
  EXPECT_EQ(
      error(R"({"execute":"memsave","arguments":{"val":0,"size":2,"filename":"x","cpu-index":1}})"),
      "GenericError: Parameter 'cpu-index' expects a CPU number");
  EXPECT_EQ(
      error(R"({"execute":"pmemsave","arguments":{"val":0,"size":-1,"filename":"/nowhere/x"}})"),
      "GenericError: Invalid addr 0x0000000000000000/size 18446744073709551615 specified");
  EXPECT_EQ(
      error(R"({"execute":"pmemsave","arguments":{"val":0,"size":1,"filename":"/nowhere/x"}})"),
      "GenericError: Could not open '/nowhere/x': No such file or directory");
}

TEST_F(QmpTest, object_tree_is_walked) {
  EXPECT_THAT(returned(R"({"execute":"qom-list","arguments":{"path":"/"}})"),
              testing::Contains(Json{{"name", "machine"}, {"type", "child<container>"}}));
  EXPECT_EQ(error(R"({"execute":"qom-list","arguments":{"path":"/nope"}})"),
            "DeviceNotFound: Device '/nope' not found");
}

TEST_F(QmpTest, device_comes_is_looked_at_and_goes) {
  EXPECT_EQ(qmp(R"({"execute":"device_add","arguments":{"driver":"edu","id":"e1"}})"),
            R"({"return": {}})");
  EXPECT_EQ(returned(R"({"execute":"qom-get","arguments":{"path":"e1","property":"type"}})"),
            "edu");
  EXPECT_EQ(
      returned(
          R"({"execute":"qom-get","arguments":{"path":"/machine/peripheral/e1","property":"dma_mask"}})"),
      0xfffffff);
  EXPECT_EQ(error(R"({"execute":"qom-get","arguments":{"path":"e1","property":"nope"}})"),
            "GenericError: Property 'edu.nope' not found");
  EXPECT_EQ(error(R"({"execute":"device_add","arguments":{"driver":"edu","id":"e1"}})"),
            "GenericError: Duplicate device ID 'e1'");
  EXPECT_EQ(qmp(R"({"execute":"device_del","arguments":{"id":"e1"}})"), R"({"return": {}})");
  EXPECT_EQ(error(R"({"execute":"device_del","arguments":{"id":"e1"}})"),
            "DeviceNotFound: Device 'e1' not found");
}

TEST_F(QmpTest, device_add_errors) {
  EXPECT_EQ(error(R"({"execute":"device_add","arguments":{}})"),
            "GenericError: Parameter 'driver' is missing");
  EXPECT_EQ(error(R"({"execute":"device_add","arguments":{"driver":"nope"}})"),
            "GenericError: 'nope' is not a valid device model name");
  EXPECT_EQ(error(R"({"execute":"device_add","arguments":{"driver":"edu","foo":1}})"),
            "GenericError: Property 'edu.foo' not found");
  EXPECT_EQ(error(R"({"execute":"device_add","arguments":{"driver":"edu","bus":"nobus"}})"),
            "GenericError: Bus 'nobus' not found");
  EXPECT_THAT(error(R"({"execute":"device_add","arguments":{"driver":"edu","dma_mask":[1]}})"),
              HasSubstr("Parameter 'dma_mask'"));
  qmp(R"({"execute":"cont"})");
  EXPECT_EQ(error(R"({"execute":"device_add","arguments":{"driver":"isa-serial"}})"),
            "GenericError: Bus 'isa.0' does not support hotplugging");
}

TEST_F(QmpTest, types_and_their_properties_are_listed) {
  EXPECT_THAT(returned(R"({"execute":"qom-list-types","arguments":{"implements":"pci-device"}})"),
              testing::Contains(Json{{"name", "edu"}, {"parent", "pci-device"}}));
  const Json properties =
      returned(R"({"execute":"device-list-properties","arguments":{"typename":"edu"}})");
  EXPECT_THAT(properties.dump(), HasSubstr("dma_mask"));
  EXPECT_EQ(error(R"({"execute":"device-list-properties","arguments":{"typename":"nope"}})"),
            "DeviceNotFound: Device 'nope' not found");
  EXPECT_EQ(error(R"({"execute":"device-list-properties","arguments":{"typename":"isa-device"}})"),
            "GenericError: Parameter 'typename' expects a non-abstract device type");
}

// libvirtd 9.0 dies of DeviceNotFound here.
TEST_F(QmpTest, types_that_libvirt_must_get_an_answer_for_have_no_properties) {
  for (const char* type : {"memory-backend-nope", "nope-machine", "nope-arm-cpu"})
    EXPECT_EQ(returned(fmt::format(
                  R"({{"execute":"qom-list-properties","arguments":{{"typename":"{}"}}}})", type)),
              Json::array());
  EXPECT_EQ(error(R"({"execute":"qom-list-properties","arguments":{"typename":"nope"}})"),
            "DeviceNotFound: Class 'nope' not found");
}

TEST_F(QmpTest, chardevs_are_listed_and_rings_read) {
  create_chardev(machine(), "ringbuf,id=r").value();
  EXPECT_EQ(returned(R"({"execute":"query-chardev"})"),
            Json::array({{{"label", "r"}, {"filename", "ringbuf"}, {"frontend-open", false}}}));
  qmp(R"({"execute":"ringbuf-write","arguments":{"device":"r","data":"aGk=","format":"base64"}})");
  EXPECT_EQ(returned(R"({"execute":"ringbuf-read","arguments":{"device":"r","size":10}})"), "hi");
  EXPECT_EQ(error(R"({"execute":"ringbuf-read","arguments":{"device":"r","size":0}})"),
            "GenericError: size must be greater than zero");
  EXPECT_EQ(error(R"({"execute":"ringbuf-read","arguments":{"device":"x","size":1}})"),
            "GenericError: Device 'x' not found");
}

TEST_F(QmpTest, human_lines_come_back_as_text) {
  EXPECT_EQ(
      returned(R"({"execute":"human-monitor-command","arguments":{"command-line":"info status"}})"),
      "VM status: paused (prelaunch)\r\n");
  EXPECT_EQ(error(fmt::format(
                R"({{"execute":"human-monitor-command","arguments":{{"command-line":"{}"}}}})",
                std::string(70'000, 'a'))),
            "GenericError: Parameter 'command-line' is longer than 65536 bytes");
  EXPECT_EQ(returned(R"({"execute":"human-monitor-command","arguments":{"command-line":"bogus"}})"),
            "unknown command: 'bogus'\r\n");
  EXPECT_EQ(
      error(
          R"({"execute":"human-monitor-command","arguments":{"command-line":"x","cpu-index":9}})"),
      "GenericError: Parameter 'cpu-index' expects a CPU number");
}

TEST_F(QmpTest, schema_describes_every_command_and_refers_only_to_what_is_there) {
  const Json schema = returned(R"({"execute":"query-qmp-schema"})");
  std::set<std::string> names;
  for (const Json& entry : schema) names.insert(entry["name"].get<std::string>());
  EXPECT_EQ(names.size(), schema.size());
  for (const qmp::Command* command : qmp::all_qmp_commands())
    EXPECT_TRUE(names.contains(std::string(command->name)));
  std::vector<std::string> dangling;
  const auto refer = [&](const Json& owner, std::string_view key) {
    if (owner.contains(key) && !names.contains(owner[key].get<std::string>()))
      dangling.push_back(owner.dump());
  };
  for (const Json& entry : schema) {
    for (const char* key : {"arg-type", "ret-type", "element-type"}) refer(entry, key);
    for (const Json& member : entry.value("members", Json::array())) refer(member, "type");
    for (const Json& variant : entry.value("variants", Json::array())) refer(variant, "type");
  }
  EXPECT_THAT(dangling, testing::IsEmpty());
}

TEST_F(QmpTest, nmi_needs_a_cpu) {
  EXPECT_EQ(error(R"({"execute":"inject-nmi"})"),
            "GenericError: machine does not provide NMIs: it has no CPU");
  add_fake_cpus(machine(), 1);
  EXPECT_EQ(qmp(R"({"execute":"inject-nmi"})"), R"({"return": {}})");
}

TEST_F(QmpTest, drives_are_listed_and_media_changed) {
  make_fake_disk(bench_, "cd0", 1024);
  const Json list = returned(R"({"execute":"query-block"})");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0]["device"], "cd0");
  EXPECT_EQ(list[0]["inserted"]["image"]["virtual-size"], 1024);
  EXPECT_EQ(error(R"({"execute":"eject","arguments":{"device":"cd0"}})"), "no error");
  EXPECT_FALSE(returned(R"({"execute":"query-block"})")[0].contains("inserted"));
  EXPECT_EQ(error(R"({"execute":"eject","arguments":{"device":"nope"}})"),
            "DeviceNotFound: Device 'nope' not found");
  EXPECT_EQ(error(R"({"execute":"eject"})"), "GenericError: Need exactly one of 'device' and 'id'");
}

TEST_F(QmpTest, trace_events_are_asked_for_and_switched) {
  const auto state = [this](std::string_view name) {
    return returned(
        fmt::format(R"({{"execute":"trace-event-get-state","arguments":{{"name":"{}"}}}})", name));
  };
  const auto set = [](std::string_view name, bool on) {
    return fmt::format(
        R"({{"execute":"trace-event-set-state","arguments":{{"name":"{}","enable":{}}}}})", name,
        on);
  };
  EXPECT_EQ(returned(set("hmp_*", true)), Json::object());
  EXPECT_EQ(state("hmp_command"),
            Json::parse(R"([{"name":"hmp_command","state":"enabled","vcpu":false}])"));
  EXPECT_EQ(returned(set("hmp_command", false)), Json::object());
  EXPECT_EQ(state("hmp_*")[0]["state"], "disabled");
  EXPECT_EQ(state("nope*"), Json::array());
  EXPECT_EQ(returned(set("nope*", true)), Json::object());
  EXPECT_EQ(error(set("nope", true)), "GenericError: unknown event \"nope\"");
}

TEST_F(QmpTest, trace_events_belong_to_no_processor) {
  add_fake_cpus(machine(), 1);
  const auto ask = [](std::string_view name, int vcpu) {
    return fmt::format(
        R"({{"execute":"trace-event-get-state","arguments":{{"name":"{}","vcpu":{}}}}})", name,
        vcpu);
  };
  EXPECT_EQ(returned(ask("hmp_*", 0)), Json::array());
  EXPECT_EQ(error(ask("hmp_command", 0)),
            "GenericError: event \"hmp_command\" is not vCPU-specific");
  EXPECT_EQ(error(ask("hmp_*", 7)), "GenericError: invalid vCPU index 7");
  EXPECT_EQ(error(ask("hmp_*", -1)), "GenericError: invalid vCPU index -1");
}

TEST_F(QmpTest, trace_events_are_switched_for_one_device) {
  qmp(R"({"execute":"device_add","arguments":{"driver":"edu","id":"e1"}})");
  qmp(R"({"execute":"trace-event-set-state","arguments":{"name":"e1:edu_dma","enable":true}})");
  const auto state = [this](std::string_view name) {
    return returned(fmt::format(R"({{"execute":"trace-event-get-state",
                                    "arguments":{{"name":"{}"}}}})",
                                name))[0]["state"];
  };
  EXPECT_EQ(state("e1:edu_dma"), "enabled");
  EXPECT_EQ(state("e2:edu_dma"), "disabled");
  qmp(R"({"execute":"trace-event-set-state","arguments":{"name":"edu_dma","enable":false}})");
  EXPECT_EQ(state("e1:edu_dma"), "disabled");
}

}  // namespace
}  // namespace rhea::test
