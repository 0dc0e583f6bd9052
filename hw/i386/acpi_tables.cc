// SPDX-License-Identifier: GPL-2.0-or-later
// RSDP, RSDT, FADT, FACS, MADT, DSDT and the SSDT that names processors and sleep states (ACPI 6.4,
// chapter 5.2).
#include "hw/i386/acpi_tables.h"

#include "hw/i386/acpi_table_file.h"
#include "hw/i386/device_tables.h"
#include "hw/i386/madt.h"
#include "hw/i386/numa_tables.h"
#include "pc-bios/dsdt.hex"
#include "rhea/util/error.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>

namespace rhea::hw {
namespace {

constexpr std::string_view kRsdpFile = "etc/acpi/rsdp";

// The chipset's general-purpose events.
constexpr u16 kGpeBase = 0xafe0;
constexpr u8 kSciIrq = 9;
constexpr u8 kSuspendToRam = 1;  // the PIIX4's SLP_TYP

// A guest takes a table of software licences for valid where RSDT and FADT have its ids.
OemIds licence_ids(const AcpiConfig& config) {
  for (const std::vector<u8>& table : config.user_tables) {
    const std::string_view text(reinterpret_cast<const char*>(table.data()), table.size());
    if (text.starts_with("SLIC"))
      return {.id = std::string(text.substr(10, 6)), .table = std::string(text.substr(16, 8))};
  }
  return {};
}

u32 add_facs(TableFile& file) {
  file.out.zeroes((64 - file.out.size() % 64) % 64);
  const auto start = static_cast<u32>(file.out.size());
  file.out.text("FACS", 4).dword(64).zeroes(56);
  return start;
}

u32 add_dsdt(TableFile& file, const AcpiConfig& config) {
  const auto start = static_cast<u32>(file.out.size());
  std::vector<u8> aml(std::begin(dsdt_aml_code), std::end(dsdt_aml_code));
  patch_name(aml, "PLOW", config.pci_low_first);
  patch_name(aml, "PHIF", config.pci_high_first >> 12);
  patch_name(aml, "PHIL", config.pci_high_last >> 12);
  patch_name(aml, "SER1", config.serial[0]);
  patch_name(aml, "SER2", config.serial[1]);
  for (std::size_t i = 0; i < std::size(config.parallel); ++i)
    patch_name(aml, fmt::format("PAR{}", i + 1), config.parallel[i]);
  file.out.bytes(aml);
  file.linker.add_checksum(kTablesFile, start + 9, start, static_cast<u32>(aml.size()));
  return start;
}

// Generic address structure of an I/O port block.
void gas(TableWriter& out, u16 port, u8 bits) {
  out.byte(port != 0 ? 1 : 0).byte(bits).byte(0).byte(0).qword(port);
}

u32 add_fadt(TableFile& file, u32 facs, u32 dsdt, const AcpiConfig& config) {
  constexpr u32 kWbinvd = 1u << 0, kC1 = 1u << 2, kSleepButton = 1u << 5, kRtcWakeS4 = 1u << 7,
                kResetRegister = 1u << 10, kPlatformClock = 1u << 15;
  const u16 pm_base = config.pm_base;
  const u32 start = file.begin("FACP", 3, licence_ids(config));
  TableWriter& out = file.out;
  file.pointer(facs);
  file.pointer(dsdt);
  out.byte(1).byte(0).word(kSciIrq).dword(0xb2).byte(0xf1).byte(0xf0).byte(0).byte(0);
  out.dword(pm_base)
      .dword(0)
      .dword(pm_base + 4)
      .dword(0)
      .dword(0)
      .dword(pm_base + 8)
      .dword(kGpeBase)
      .dword(0);
  out.byte(4).byte(2).byte(0).byte(4).byte(4).byte(0).byte(0).byte(0);
  out.word(0xfff).word(0xfff).word(0).word(0).byte(0).byte(0).byte(0).byte(0).byte(0x32);
  out.word(0x2).byte(0);  // IA-PC boot flags: an 8042 is there
  out.dword(kWbinvd | kC1 | kSleepButton | kRtcWakeS4 | kResetRegister | kPlatformClock);
  gas(out, 0xcf9, 8);
  out.byte(0x0f).zeroes(3);
  out.qword(0).qword(0);  // the 64-bit pointers stay empty, the 32-bit ones count
  gas(out, pm_base, 32);
  gas(out, 0, 0);
  gas(out, static_cast<u16>(pm_base + 4), 16);
  gas(out, 0, 0);
  gas(out, 0, 0);
  gas(out, static_cast<u16>(pm_base + 8), 32);
  gas(out, kGpeBase, 32);
  gas(out, 0, 0);
  file.end(start);
  return start;
}

// AML (ACPI 6.4, chapter 20): just enough to name processors and sleep states.
void aml_path(TableWriter& out, std::initializer_list<std::string_view> segments) {
  out.byte('\\');
  if (segments.size() == 2) out.byte(0x2e);
  if (segments.size() > 2) out.byte(0x2f).byte(segments.size());
  for (const std::string_view segment : segments) out.text(segment, 4, '_');
}

// Name(\_Sx, Package() { type, type, 0, 0 }) (7.4.2).
void add_sleep_state(TableWriter& out, std::string_view name, u8 type) {
  out.byte(0x08);
  aml_path(out, {name});
  out.byte(0x12).byte(8).byte(4).byte(0x0a).byte(type).byte(0x0a).byte(type).byte(0).byte(0);
}

u32 add_ssdt(TableFile& file, const AcpiConfig& config) {
  const u32 start = file.begin("SSDT", 2);
  TableWriter& out = file.out;
  for (unsigned cpu = 0; cpu < config.max_cpus; ++cpu) {
    TableWriter body;
    const std::string name = fmt::format("C{:03X}", cpu);
    aml_path(body, {"_SB", name});
    body.byte(cpu).dword(0).byte(0);
    if (!config.numa.memory.empty())  // Name(_PXM, node)
      body.byte(0x08).text("_PXM", 4).byte(0x0a).byte(config.numa.cpu_nodes[cpu]);
    out.byte(0x5b)
        .byte(0x83)
        .byte(body.size() + 1)
        .bytes(body.data);  // Processor, one-byte PkgLength
  }
  if (config.sleep.s3) add_sleep_state(out, "_S3", kSuspendToRam);
  if (config.sleep.s4) add_sleep_state(out, "_S4", config.sleep.s4_type);
  file.end(start);
  return start;
}

std::vector<u8> build_rsdp(u32 rsdt, BiosLinker& linker) {
  TableWriter out;
  out.text("RSD PTR ", 8).byte(0).text("RHEA", 6, ' ').byte(0).dword(rsdt);
  linker.allocate(kRsdpFile, 16, BiosLinker::Zone::FSeg);
  linker.add_pointer(kRsdpFile, kTablesFile, 16, 4);
  linker.add_checksum(kRsdpFile, 8, 0, 20);
  return out.data;
}

}  // namespace

AcpiTables build_acpi_tables(const AcpiConfig& config) {
  TableFile file;
  const u32 facs = add_facs(file);
  const u32 dsdt = add_dsdt(file, config);
  std::vector tables = {add_fadt(file, facs, dsdt, config),
                        add_madt(file, {.cpus = config.cpus,
                                        .max_cpus = config.max_cpus,
                                        .topology = config.topology,
                                        .has_pic = config.has_pic,
                                        .level_irqs = {5, 9, 10, 11}}),
                        add_ssdt(file, config)};
  if (!config.numa.memory.empty()) tables.push_back(add_srat(file, config));
  if (!config.numa.distances.empty()) tables.push_back(add_slit(file, config));
  for (const u32 table : add_device_tables(file, config.devices)) tables.push_back(table);
  for (const std::vector<u8>& table : config.user_tables) tables.push_back(file.add(table));
  const u32 rsdt = file.begin("RSDT", 1, licence_ids(config));
  for (const u32 table : tables) file.pointer(table);
  file.end(rsdt);
  AcpiTables made;
  made.rsdp = build_rsdp(rsdt, file.linker);
  file.pad();
  made.tables = std::move(file.out.data);
  made.loader = file.linker.script();
  return made;
}

}  // namespace rhea::hw
