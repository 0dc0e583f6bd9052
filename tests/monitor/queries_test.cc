// SPDX-License-Identifier: GPL-2.0-or-later
// Queries after what a machine has not, or has only one of.
#include "rhea/block/block_backend.h"
#include "softmmu/numa.h"
#include "tests/monitor/fixture.h"

#include <csignal>

namespace rhea::test {
namespace {

using qmp::Json;
using testing::HasSubstr;
using testing::StartsWith;

class QueriesTest : public MonitorTest {
 protected:
  Json ask(std::string_view command) {
    return returned(fmt::format(R"({{"execute":"{}"}})", command));
  }
  std::string refused(std::string_view command) {
    return error(fmt::format(R"({{"execute":"{}"}})", command));
  }
};

TEST_F(QueriesTest, what_there_is_none_of_is_an_empty_list) {
  EXPECT_EQ(ask("query-tpm"), Json::array());
  EXPECT_EQ(ask("query-tpm-models"), Json::array());
  EXPECT_EQ(ask("query-tpm-types"), Json::array());
  EXPECT_EQ(ask("query-memory-devices"), Json::array());
  EXPECT_EQ(ask("query-acpi-ospm-status"), Json::array());
  EXPECT_EQ(ask("query-rx-filter"), Json::array());
  EXPECT_EQ(ask("query-jobs"), Json::array());
  EXPECT_EQ(ask("query-stats-schemas"), Json::array());
  EXPECT_EQ(error(R"({"execute":"query-rx-filter","arguments":{"name":"n0"}})"),
            "GenericError: invalid net client name: n0");
}

TEST_F(QueriesTest, confidential_guests_are_refused_as_qemu_refuses_them) {
  EXPECT_EQ(ask("query-sev")["enabled"], false);
  EXPECT_EQ(ask("query-sev")["state"], "uninit");
  EXPECT_EQ(refused("query-sev-capabilities"), "GenericError: KVM not enabled");
  EXPECT_EQ(refused("query-sev-launch-measure"),
            "GenericError: SEV launch measurement is not available");
  EXPECT_EQ(refused("query-sev-attestation-report"), "GenericError: Parameter 'mnonce' is missing");
  EXPECT_EQ(refused("query-sgx"), "GenericError: No EPC regions defined, SGX not available");
  EXPECT_EQ(refused("query-sgx-capabilities"), "GenericError: SGX is not enabled in KVM");
  EXPECT_EQ(hmp("info sev"), "SEV is not enabled\n");
  EXPECT_EQ(hmp("info sgx"), "No EPC regions defined, SGX not available\n");
}

TEST_F(QueriesTest, io_threads) {
  returned(
      R"({"execute":"object-add","arguments":{"qom-type":"iothread","id":"io0","poll-grow":2}})");
  const Json list = returned(R"({"execute":"query-iothreads"})");
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0]["id"], "io0");
  EXPECT_EQ(list[0]["poll-max-ns"], 32768);
  EXPECT_EQ(list[0]["poll-grow"], 2);
  const auto thread = list[0]["thread-id"].get<int>();
  EXPECT_EQ(::kill(thread, 0), 0);
  EXPECT_EQ(hmp("info iothreads"), fmt::format("io0:\n  thread_id={}\n  poll-max-ns=32768\n"
                                               "  poll-grow=2\n  poll-shrink=0\n"
                                               "  aio-max-batch=0\n",
                                               thread));
  returned(R"({"execute":"object-del","arguments":{"id":"io0"}})");
  EXPECT_EQ(returned(R"({"execute":"query-iothreads"})"), Json::array());
}

TEST_F(QueriesTest, absent_devices) {
  EXPECT_EQ(refused("query-balloon"), "DeviceNotActive: No balloon device has been activated");
  EXPECT_EQ(error(R"({"execute":"balloon","arguments":{"value":1}})"),
            "DeviceNotActive: No balloon device has been activated");
  EXPECT_EQ(refused("query-vm-generation-id"), "GenericError: VM Generation ID device not found");
  EXPECT_EQ(hmp("info balloon"), "Error: No balloon device has been activated\n");
  EXPECT_EQ(hmp("info vm-generation-id"), "Error: VM Generation ID device not found\n");
  EXPECT_EQ(hmp("info tpm"), "");
  EXPECT_EQ(hmp("info iothreads"), "");
  EXPECT_EQ(hmp("info block-jobs"), "No active jobs\n");
  EXPECT_EQ(hmp("info numa"), "0 nodes\n");
}

TEST_F(QueriesTest, nodes_are_told_to_people_and_programs) {
  MachineConfig& config = machine().config;
  config.max_cpus = config.cpus = config.cores = 4;
  config.dies = 2;
  config.cores = 2;
  auto& numa = machine().service<Numa>();
  for (const char* option : {"node,mem=3M,cpus=0-1", "node,mem=1G,cpus=2-3"})
    ASSERT_TRUE(numa.add(option));
  ASSERT_TRUE(numa.settle(true));
  add_fake_cpus(machine(), 4);
  EXPECT_EQ(hmp("info numa"),
            "2 nodes\nnode 0 cpus: 0 1\nnode 0 size: 3 MB\nnode 0 plugged: 0 MB\n"
            "node 1 cpus: 2 3\nnode 1 size: 1024 MB\nnode 1 plugged: 0 MB\n");
  EXPECT_EQ(ask("query-cpus-fast")[3]["props"],
            Json::parse(R"({"node-id":1,"socket-id":0,"die-id":1,"core-id":1,"thread-id":0})"));
  EXPECT_THAT(hmp("info hotpluggable-cpus"), HasSubstr("    node-id: \"1\"\n"));
}

TEST_F(QueriesTest, what_people_are_shown_programs_get_as_text) {
  EXPECT_EQ(ask("x-query-numa")["human-readable-text"], "0 nodes\n");
  EXPECT_EQ(ask("x-query-ramblock")["human-readable-text"], hmp("info ramblock"));
  EXPECT_EQ(ask("x-query-roms")["human-readable-text"], hmp("info roms"));
  EXPECT_EQ(ask("x-query-irq")["human-readable-text"], hmp("info irq"));
}

TEST_F(QueriesTest, what_qemu_has_is_known_by_name) {
  EXPECT_THAT(hmp("drive_add 0 x"), HasSubstr("QEMU has this"));
  EXPECT_THAT(hmp("info dirty_rate"), HasSubstr("QEMU has this"));
  EXPECT_THAT(hmp("info vcpu_dirty_limit"), HasSubstr("QEMU has this"));
}

TEST_F(QueriesTest, options_have_parameters) {
  const auto options = ask("query-command-line-options");
  const auto parameters = [this](std::string_view option) {
    return returned(
        fmt::format(R"({{"execute":"query-command-line-options","arguments":{{"option":"{}"}}}})",
                    option))[0]["parameters"];
  };
  EXPECT_GT(options.size(), 50u);
  EXPECT_EQ(parameters("mon"), Json::parse(R"([{"name":"chardev","type":"string"},
      {"name":"mode","type":"string"}, {"name":"pretty","type":"boolean"}])"));
  EXPECT_THAT(parameters("drive"), testing::Contains(Json{{"name", "bus"}, {"type", "number"}}));
  EXPECT_EQ(parameters("S"), Json::array());
  EXPECT_EQ(error(R"({"execute":"query-command-line-options","arguments":{"option":"nope"}})"),
            "GenericError: invalid option name: nope");
}

TEST_F(QueriesTest, drives_count_what_they_do) {
  make_fake_disk(bench_, "d0", 1 * MiB);
  BlockBackend& drive = *find_drive(machine(), "d0");
  std::vector<u8> data(512);
  int done = 0;
  drive.read(0, data, [&](const Result<>&) { ++done; });
  drive.write(512, data, [&](const Result<>&) { ++done; });
  ASSERT_TRUE(bench_.run_until([&] { return done == 2; }));
  const Json stats = ask("query-blockstats")[0];
  EXPECT_EQ(stats["device"], "d0");
  EXPECT_EQ(stats["stats"]["rd_bytes"], 512);
  EXPECT_EQ(stats["stats"]["wr_operations"], 1);
  EXPECT_EQ(stats["stats"]["rd_total_time_ns"], 0);
  EXPECT_THAT(hmp("info block"), StartsWith("d0 (#block001): memory (raw)\n"));
  EXPECT_THAT(hmp("info blockstats"), StartsWith("d0: rd_bytes=512 wr_bytes=512 "));
}

TEST_F(QueriesTest, pointers) {
  EXPECT_EQ(ask("query-mice"), Json::array());
  EXPECT_EQ(hmp("info mice"), "No mouse devices connected\n");
  bench_.add("ps2-mouse");
  EXPECT_EQ(hmp("info mice"), "* Mouse #1: QEMU PS/2 Mouse\n");
  EXPECT_EQ(hmp("info usb"), "Error: USB support not enabled\n");
  EXPECT_EQ(hmp("info snapshots"), "no block device can store vmstate for snapshot\n");
  EXPECT_EQ(hmp("info migrate"), "Migration status: none\n");
  EXPECT_EQ(hmp("info jit"), "Error: JIT information is only available with accel=tcg\n");
}

TEST_F(QueriesTest, memory) {
  machine().config.ram_size = 64 * MiB;
  EXPECT_EQ(ask("query-memory-size-summary"),
            (Json{{"base-memory", 64 * MiB}, {"plugged-memory", 0}}));
  const Json memory = ask("query-memdev");
  ASSERT_EQ(memory.size(), 1u);
  EXPECT_EQ(memory[0]["id"], "pc.ram");
  EXPECT_EQ(memory[0]["size"], 64 * MiB);
  EXPECT_EQ(memory[0]["share"], false);
  EXPECT_EQ(hmp("info memory_size_summary"), "base memory: 67108864\nplugged memory: 0\n");
  EXPECT_THAT(hmp("info memdev"), StartsWith("memory backend: pc.ram\n  size:  67108864\n"));
  EXPECT_THAT(hmp("info ramblock"), HasSubstr("pc.ram"));
}

TEST_F(QueriesTest, processors_that_are_plugged) {
  add_fake_cpus(machine(), 1);
  EXPECT_EQ(hmp("info hotpluggable-cpus"),
            "Hotpluggable CPUs:\n  type: \"qemu64-x86_64-cpu\"\n  vcpus_count: \"1\"\n"
            "  qom_path: \"/machine/unattached/device[0]\"\n  CPUInstance Properties:\n"
            "    socket-id: \"0\"\n    core-id: \"0\"\n    thread-id: \"0\"\n");
}

}  // namespace
}  // namespace rhea::test
