// SPDX-License-Identifier: GPL-2.0-or-later
// CMOS contents and fw_cfg files of the PC board.
#include "hw/i386/pc_firmware.h"

#include "accel/accelerator.h"
#include "hw/i386/table_writer.h"
#include "hw/timer/hpet.h"

#include <algorithm>

namespace rhea::hw {
namespace {

std::vector<u8> e820(const RamSplit& ram) {
  constexpr u32 kRam = 1, kReserved = 2;
  TableWriter out;
  out.qword(0).qword(ram.below_4g).dword(kRam);
  if (ram.above_4g != 0) out.qword(4 * GiB).qword(ram.above_4g).dword(kRam);
  // KVM's identity map and task state pages.
  out.qword(0xfeff'c000).qword(0x4000).dword(kReserved);
  return out.data;
}

// Byte n is state n; bit 7 says that it is there, the low bits are its SLP_TYP.
std::vector<u8> system_states(const SleepStates& sleep) {
  constexpr u8 kThere = 0x80;
  return {kThere,
          0,
          0,
          static_cast<u8>(0x01 | (sleep.s3 ? kThere : 0)),
          static_cast<u8>(sleep.s4_type | (sleep.s4 ? kThere : 0)),
          kThere};
}

Result<> add_smbios(FwCfg& fw_cfg, const MachineConfig& config, const PcFacts& facts) {
  if (!facts.has_smbios) return {};
  SmbiosConfig wanted = facts.smbios;
  wanted.ram_size = config.ram_size;
  wanted.low_ram = facts.ram.below_4g;
  wanted.sockets = config.sockets;
  wanted.cores = config.dies * config.cores;
  wanted.threads = config.threads;
  SmbiosTables smbios = TRY(build_smbios(wanted));
  fw_cfg.add_file("etc/smbios/smbios-anchor", std::move(smbios.anchor));
  fw_cfg.add_file("etc/smbios/smbios-tables", std::move(smbios.tables));
  return {};
}

// How many event timer blocks there are (0xff: none), and room for eight: id, address, the least
// tick, page protection.
std::vector<u8> hpet_item(std::optional<u32> block) {
  constexpr std::size_t kBlocks = 8, kBlockBytes = 15;
  TableWriter out;
  out.byte(block ? 1 : 0xff).dword(block.value_or(0)).qword(block ? Hpet::kBase : 0);
  out.zeroes(1 + kBlocks * kBlockBytes - out.size());
  return out.data;
}

// The nodes' number, the node of each APIC id, the memory of each node.
std::vector<u8> numa_item(const MachineConfig& config, const NumaTables& numa) {
  const x86::Topology topology = accel::topology(config);
  std::vector<u64> words(1 + topology.apic_id(config.max_cpus - 1) + 1 + numa.memory.size());
  words[0] = numa.memory.size();
  for (unsigned cpu = 0; cpu < config.max_cpus; ++cpu)
    if (cpu < numa.cpu_nodes.size()) words[1 + topology.apic_id(cpu)] = numa.cpu_nodes[cpu];
  std::ranges::copy(numa.memory, words.end() - static_cast<std::ptrdiff_t>(numa.memory.size()));
  TableWriter out;
  for (const u64 word : words) out.qword(word);
  return out.data;
}

void add_acpi(FwCfg& fw_cfg, const MachineConfig& config, const PcFacts& facts) {
  if (!facts.acpi) return;
  const u64 high_first =
      facts.ram.above_4g != 0 ? (4 * GiB + facts.ram.above_4g + GiB - 1) / GiB * GiB : 4 * GiB;
  AcpiConfig acpi{.cpus = config.cpus,
                  .max_cpus = config.max_cpus,
                  .topology = accel::topology(config),
                  .pci_low_first = facts.ram.below_4g,
                  .pci_high_first = high_first,
                  .pci_high_last = high_first + 32 * GiB - 1,
                  .has_pic = facts.pic,
                  .sleep = facts.sleep,
                  .numa = facts.numa,
                  .devices = facts.devices,
                  .user_tables = facts.acpi_tables};
  for (std::size_t i = 0; i < std::min<std::size_t>(2, config.serials.size()); ++i)
    acpi.serial[i] = !config.serials[i].empty();
  for (std::size_t i = 0; i < std::min(std::size(acpi.parallel), config.parallels.size()); ++i)
    acpi.parallel[i] = !config.parallels[i].empty();
  AcpiTables tables = build_acpi_tables(acpi);
  // Firmware reads the tables when it has set the chipset up.
  const auto update = [&fw_cfg, acpi, pm_base = facts.pm_base] mutable {
    const u16 base = pm_base ? pm_base() : 0;
    acpi.pm_base = base != 0 ? base : AcpiConfig::kUsualPmBase;
    fw_cfg.replace_file("etc/acpi/tables", build_acpi_tables(acpi).tables);
  };
  fw_cfg.add_file("etc/acpi/tables", std::move(tables.tables), update);
  fw_cfg.add_file("etc/acpi/rsdp", std::move(tables.rsdp));
  fw_cfg.add_file("etc/table-loader", std::move(tables.loader));
}

}  // namespace

NumaTables numa_tables(const MachineConfig& config, const Numa& numa) {
  NumaTables tables;
  const auto count = static_cast<unsigned>(numa.nodes().size());
  for (const NumaNode& node : numa.nodes()) tables.memory.push_back(node.memory);
  for (unsigned cpu = 0; cpu < config.max_cpus; ++cpu)
    tables.cpu_nodes.push_back(numa.node_of_cpu(cpu));
  for (unsigned from = 0; from < count; ++from)
    for (unsigned to = 0; to < count; ++to)
      if (const auto distance = numa.distance(from, to)) tables.distances.push_back(*distance);
  return tables;
}

std::vector<std::pair<u8, u8>> cmos_contents(const MachineConfig& config, const PcFacts& facts) {
  std::vector<std::pair<u8, u8>> cmos;
  const auto set = [&](u8 index, u64 value) { cmos.emplace_back(index, static_cast<u8>(value)); };
  const auto set16 = [&](u8 index, u64 value) {
    set(index, value);
    set(static_cast<u8>(index + 1), value >> 8);
  };
  const u64 low = facts.ram.below_4g;
  set16(0x15, 640);
  const u64 extended_kib = low > MiB ? std::min<u64>((low - MiB) / KiB, 0xffff) : 0;
  set16(0x17, extended_kib);
  set16(0x30, extended_kib);
  set16(0x34, low > 16 * MiB ? std::min<u64>((low - 16 * MiB) / (64 * KiB), 0xffff) : 0);
  const u64 high_units = facts.ram.above_4g / (64 * KiB);
  set(0x5b, high_units);
  set(0x5c, high_units >> 8);
  set(0x5d, high_units >> 16);
  set(0x5f, config.cpus - 1);
  const unsigned floppies = (facts.floppy_types[0] != 0) + (facts.floppy_types[1] != 0);
  set(0x10, static_cast<u64>(facts.floppy_types[0] << 4 | facts.floppy_types[1]));
  // Equipment: an FPU, a PS/2 mouse, and the floppies.
  set(0x14, 0x06 | (floppies == 1 ? 0x01 : floppies == 2 ? 0x41 : 0));
  return cmos;
}

Result<> fill_fw_cfg(FwCfg& fw_cfg, const MachineConfig& config, const PcFacts& facts) {
  using namespace fw_cfg_key;
  fw_cfg.add_bytes(kUuid, {facts.smbios.uuid.begin(), facts.smbios.uuid.end()});
  fw_cfg.add_number(kRamSize, config.ram_size, 8);
  fw_cfg.add_number(kNographic, facts.graphics ? 0 : 1, 2);
  fw_cfg.add_number(kNbCpus, config.cpus, 2);
  // Firmware sizes its tables by APIC ids, which may have gaps.
  fw_cfg.add_number(kMaxCpus, accel::topology(config).apic_id(config.max_cpus - 1) + 1, 2);
  fw_cfg.add_number(kIrq0Override, 1, 4);
  fw_cfg.add_bytes(kHpet, hpet_item(facts.devices.hpet_block));
  fw_cfg.add_bytes(kNuma, numa_item(config, facts.numa));
  fw_cfg.add_file("etc/e820", e820(facts.ram));
  fw_cfg.add_file("etc/system-states", system_states(facts.sleep));
  add_acpi(fw_cfg, config, facts);
  return add_smbios(fw_cfg, config, facts);
}

}  // namespace rhea::hw
