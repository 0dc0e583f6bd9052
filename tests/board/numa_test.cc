// SPDX-License-Identifier: GPL-2.0-or-later
// -numa: nodes of memory and processors, and what firmware and guests learn of them.
#include "softmmu/numa.h"

#include "hw/i386/board.h"
#include "rhea/util/option.h"
#include "tests/board/firmware_view.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace rhea::test {
namespace {

using NumaOptions = std::vector<std::pair<std::string_view, std::string>>;

void numa_must(const Result<>& result) {
  if (!result) throw std::runtime_error(result.error().message());
}

struct NumaPc : Pc {
  explicit NumaPc(const NumaOptions& options)
      : Pc({}, [&options](Machine& machine) {
          for (const auto& [name, text] : options)
            numa_must(find_option(name)->apply(machine, text));
          numa_must(hw::choose_board(machine));
        }) {}
  const Numa& numa() { return machine().service<Numa>(); }
};

std::string numa_refusal(const NumaOptions& options) {
  try {
    const NumaPc pc(options);
    return "it works";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

NumaOptions with_backends(const NumaOptions& more) {
  NumaOptions options = {{"m", "64M"},
                         {"object", "memory-backend-ram,id=m0,size=16M"},
                         {"object", "memory-backend-ram,id=m1,size=48M"}};
  options.insert(options.end(), more.begin(), more.end());
  return options;
}
NumaOptions two_nodes(const NumaOptions& more = {}) {
  NumaOptions options = with_backends({{"numa", "node,memdev=m0"}, {"numa", "node,memdev=m1"}});
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

/// The node of each processor, as digits.
std::string cpu_nodes(const NumaOptions& options) {
  NumaPc pc(options);
  std::string text;
  for (unsigned cpu = 0; cpu < pc.machine().config.max_cpus; ++cpu)
    text += std::to_string(pc.numa().node_of_cpu(cpu));
  return text;
}

u64 number_at(const std::vector<u8>& data, std::size_t at, unsigned bytes) {
  u64 value = 0;
  for (unsigned i = 0; i < bytes; ++i) value |= u64{data.at(at + i)} << (8 * i);
  return value;
}

/// An ACPI table's contents behind its header; empty when there is none.
std::vector<u8> acpi_table(Pc& pc, std::string_view signature) {
  const std::vector<u8> all = fw_cfg_file(pc, "etc/acpi/tables");
  const std::string_view text(reinterpret_cast<const char*>(all.data()), all.size());
  for (std::size_t at = text.find(signature); at != std::string_view::npos;
       at = text.find(signature, at + 1))
    if (const u64 length = number_at(all, at + 4, 4); length >= 36 && at + length <= all.size())
      return {all.begin() + static_cast<std::ptrdiff_t>(at + 36),
              all.begin() + static_cast<std::ptrdiff_t>(at + length)};
  return {};
}

/// "cpu APIC:NODE" and "BASE+LENGTH:NODE" in the order of the table; what is not enabled is left
/// out.
std::string affinity(Pc& pc) {
  const std::vector<u8> srat = acpi_table(pc, "SRAT");
  std::string text;
  for (std::size_t at = 12; at < srat.size(); at += srat[at + 1]) {
    if (srat[at] == 0) text += fmt::format("cpu {}:{} ", srat[at + 3], srat[at + 2]);
    if (srat[at] == 1 && number_at(srat, at + 28, 4) == 1)
      text += fmt::format("{:x}+{:x}:{} ", number_at(srat, at + 8, 8), number_at(srat, at + 16, 8),
                          number_at(srat, at + 2, 4));
  }
  return text;
}

TEST(Numa, TheTablesNameNodesOfProcessorsAndMemory) {
  NumaPc pc(two_nodes({{"smp", "2,sockets=2"}}));
  EXPECT_EQ(affinity(pc), "cpu 0:0 cpu 1:1 0+a0000:0 100000+f00000:0 1000000+3000000:1 ");
  EXPECT_EQ(acpi_table(pc, "SRAT").size(), 12U + 2 * 16 + 4 * 40) << "padded as QEMU's";
  EXPECT_TRUE(acpi_table(pc, "SLIT").empty());
}

TEST(Numa, MemoryAbove4GiBIsANodeOfItsOwnToo) {
  NumaPc pc({{"m", "8M"},
             {"object", "memory-backend-ram,id=m0,size=5M"},
             {"object", "memory-backend-ram,id=m1,size=3M"},
             {"machine", "pc,max-ram-below-4g=4M"},
             {"numa", "node,memdev=m0"},
             {"numa", "node,memdev=m1"}});
  EXPECT_EQ(affinity(pc),
            "cpu 0:0 0+a0000:0 100000+300000:0 100000000+100000:0 "
            "100100000+300000:1 ");
}

TEST(Numa, WithoutThereIsNoTable) {
  NumaPc pc({});
  EXPECT_TRUE(acpi_table(pc, "SRAT").empty());
  EXPECT_EQ(fw_cfg_item(pc, 0x0d, 8), 0U);
}

TEST(Numa, FirmwareIsToldOfTheNodes) {
  NumaPc pc(two_nodes({{"smp", "3,sockets=3"}}));
  pc.machine().io().store(0x510, 0x0d, 2);
  std::vector<u64> words(6);
  for (u64& word : words)
    for (unsigned i = 0; i < 8; ++i) word |= pc.machine().io().load(0x511, 1) << (8 * i);
  EXPECT_EQ(words, (std::vector<u64>{2, 0, 1, 0, 16 * MiB, 48 * MiB}));
}

TEST(Numa, MemoryOfTheNodesIsOneBehindTheOther) {
  NumaPc pc(two_nodes());
  const AddressSpace& memory = pc.machine().memory();
  memory.store(16 * MiB - 4, 0x1122334455667788, 8);
  EXPECT_EQ(memory.load(16 * MiB, 4), 0x11223344U);
  EXPECT_EQ(memory.load(16 * MiB - 4, 4), 0x55667788U);
  std::string names;
  for (const auto& block : pc.machine().map().ram_blocks())
    if (block->id() == "m0" || block->id() == "m1") names += block->id() + " ";
  EXPECT_EQ(names, "m0 m1 ");
}

// The bridge's write-only segments write through to RAM, in whichever piece it lies.
TEST(Numa, ANodeMayEndBelow1MiB) {
  NumaPc pc({{"m", "8M"},
             {"object", "memory-backend-ram,id=m0,size=832K"},
             {"object", "memory-backend-ram,id=m1,size=7360K"},
             {"numa", "node,memdev=m0"},
             {"numa", "node,memdev=m1"}});
  constexpr u32 kPam2 = 0x8000'0058;  // byte 3: D0000 and D4000
  const auto set_pam = [&pc](u8 value) {
    pc.machine().io().store(0xcf8, kPam2 + 0x4, 4);
    pc.machine().io().store(0xcfc, value, 1);
  };
  const AddressSpace& memory = pc.machine().memory();
  set_pam(0x22);
  memory.store(0xd0010, 0x5a, 1);
  set_pam(0x33);
  EXPECT_EQ(memory.load(0xd0010, 1), 0x5aU);
  EXPECT_EQ(affinity(pc), "cpu 0:0 0+a0000:0 100000+700000:1 ");
}

TEST(Numa, ProcessorsGoWhereOptionsSay) {
  EXPECT_EQ(cpu_nodes(two_nodes({{"smp", "4,sockets=4"}})), "0101") << "socket by socket";
  EXPECT_EQ(cpu_nodes(with_backends({{"smp", "4"},
                                     {"numa", "node,nodeid=1,memdev=m1,cpus=0-1,cpus=3"},
                                     {"numa", "node,nodeid=0,memdev=m0,cpus=2"}})),
            "1101");
  EXPECT_EQ(cpu_nodes(two_nodes({{"smp", "8,sockets=2,dies=2,cores=2"},
                                 {"numa", "cpu,node-id=1,socket-id=0,die-id=0"},
                                 {"numa", "cpu,node-id=0,socket-id=0,die-id=1"},
                                 {"numa", "cpu,node-id=1,socket-id=1"}})),
            "11001111");
  EXPECT_EQ(cpu_nodes(two_nodes({{"numa", "cpu,node-id=1,core-id=1"}, {"smp", "3"}})), "010")
      << "the rest goes to node 0, with a warning";
}

TEST(Numa, DistancesGoBothWays) {
  NumaPc pc(two_nodes({{"numa", "dist,src=0,dst=1,val=21"}}));
  const std::vector<u8> slit = acpi_table(pc, "SLIT");
  EXPECT_EQ(slit, (std::vector<u8>{2, 0, 0, 0, 0, 0, 0, 0, 10, 21, 21, 10}));
  NumaPc other(
      two_nodes({{"numa", "dist,src=0,dst=1,val=21"}, {"numa", "dist,src=1,dst=0,val=30"}}));
  EXPECT_EQ(acpi_table(other, "SLIT").at(10), 30);
}

TEST(Numa, OldBoardsDivideTheirMemoryBySize) {
  NumaPc pc({{"machine", "pc-i440fx-5.0"},
             {"m", "64M"},
             {"numa", "node,mem=16"},
             {"numa", "node,mem=48M"}});
  EXPECT_EQ(affinity(pc), "cpu 0:0 0+a0000:0 100000+f00000:0 1000000+3000000:1 ");
  EXPECT_EQ(numa_refusal({{"m", "64M"}, {"numa", "node,mem=64"}}),
            "-numa node,mem=64: Parameter -numa node,mem is not supported by this machine type: "
            "use -numa node,memdev instead");
}

TEST(Numa, WhatIsWrongWithNodesIsNamed) {
  EXPECT_EQ(numa_refusal({{"numa", "node"}}),
            "-numa: total memory for NUMA nodes (0x0) should equal RAM size (0x8000000)");
  EXPECT_EQ(numa_refusal(two_nodes({{"numa", "node,nodeid=1"}})),
            "-numa node,nodeid=1: Duplicate NUMA nodeid: 1");
  EXPECT_EQ(numa_refusal(two_nodes({{"numa", "node,nodeid=128"}})),
            "-numa node,nodeid=128: Max number of NUMA nodes reached: 128");
  EXPECT_EQ(numa_refusal(two_nodes({{"numa", "node,nodeid=5"}})), "-numa: Node ID missing: 4");
  EXPECT_EQ(numa_refusal({{"numa", "node,memdev=nope"}}),
            "-numa node,memdev=nope: memdev=nope: there is no such -object memory-backend-...");
  EXPECT_EQ(numa_refusal(with_backends({{"numa", "node,memdev=m0"}, {"numa", "node,memdev=m0"}})),
            "-numa node,memdev=m0: memory backend 'm0' is already in use");
  EXPECT_EQ(
      numa_refusal({{"object", "memory-backend-ram,id=m0,size=5000"}, {"numa", "node,memdev=m0"}}),
      "-numa node,memdev=m0: memdev=m0: its size of 5000 bytes is no multiple of 4 KiB");
  EXPECT_EQ(numa_refusal({{"machine", "pc-i440fx-5.0"},
                          {"object", "memory-backend-ram,id=m0,size=64M"},
                          {"numa", "node,memdev=m0"},
                          {"numa", "node,mem=64M"}}),
            "-numa node,mem=64M: numa configuration should use either mem= or memdev=,mixing both "
            "is not allowed");
  EXPECT_EQ(
      numa_refusal(two_nodes({{"machine", "memory-backend=m0"}})),
      "-numa: '-machine memory-backend' and '-numa memdev' properties are mutually exclusive");
  EXPECT_EQ(numa_refusal({{"machine", "none"}, {"numa", "node"}}),
            "-numa: NUMA is not supported by this machine-type");
  EXPECT_EQ(numa_refusal({{"numa", "node,nope=1"}}), "-numa node,nope=1: Invalid parameter 'nope'");
  EXPECT_EQ(
      numa_refusal({{"numa", "nope"}}),
      "-numa nope: Parameter 'type' does not accept value 'nope': node, dist and cpu are there");
}

TEST(Numa, WhatIsWrongWithProcessorsIsNamed) {
  EXPECT_EQ(numa_refusal(with_backends({{"smp", "2"}, {"numa", "node,memdev=m0,cpus=2"}})),
            "-numa node,memdev=m0,cpus=2: CPU index (2) should be smaller than maxcpus (2)");
  EXPECT_EQ(numa_refusal(with_backends(
                {{"numa", "node,memdev=m0,cpus=0"}, {"numa", "node,memdev=m1,cpus=0"}})),
            "-numa node,memdev=m1,cpus=0: CPU is already assigned to node-id: 0");
  EXPECT_EQ(numa_refusal({{"numa", "node,cpus=3-1"}}),
            "-numa node,cpus=3-1: Parameter 'cpus' expects a CPU's number or range of them, not "
            "'3-1'");
  EXPECT_EQ(numa_refusal(two_nodes({{"numa", "cpu,node-id=0,socket-id=9"}})),
            "-numa cpu,node-id=0,socket-id=9: no match found");
  EXPECT_EQ(numa_refusal(two_nodes({{"numa", "cpu,node-id=0,die-id=0"}})),
            "-numa cpu,node-id=0,die-id=0: die-id is not supported");
  EXPECT_EQ(numa_refusal(two_nodes({{"numa", "cpu,socket-id=0"}})),
            "-numa cpu,socket-id=0: Missing mandatory node-id property");
  EXPECT_EQ(numa_refusal(two_nodes({{"numa", "cpu,node-id=7,socket-id=0"}})),
            "-numa cpu,node-id=7,socket-id=0: Invalid node-id=7, NUMA node must be defined with "
            "-numa node,nodeid=ID before it's used with -numa cpu,node-id=ID");
}

TEST(Numa, WhatIsWrongWithDistancesIsNamed) {
  const auto dist = [](const std::string& text) {
    const std::string said = numa_refusal(two_nodes({{"numa", "dist," + text}}));
    return said.substr(said.find(": ") + 2);
  };
  EXPECT_EQ(dist("src=0,dst=1,val=9"),
            "NUMA distance (9) is invalid, it shouldn't be less than 10.");
  EXPECT_EQ(dist("src=1,dst=1,val=11"), "Local distance of node 1 should be 10.");
  EXPECT_EQ(dist("src=0,dst=2,val=20"),
            "Source/Destination NUMA node is missing. Please use '-numa node' option to declare it "
            "first.");
  EXPECT_EQ(dist("src=0,dst=128,val=20"), "Parameter 'dst' expects an integer between 0 and 127");
  EXPECT_EQ(dist("src=0,val=20"), "Parameter 'dst' is missing");
  EXPECT_EQ(
      dist("src=0,dst=0,val=10"),
      "The distance between node 0 and 1 is missing, at least one distance value between each "
      "nodes should be provided.");
}

}  // namespace
}  // namespace rhea::test
