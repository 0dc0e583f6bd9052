// SPDX-License-Identifier: GPL-2.0-or-later
// RSDP, XSDT, FADT, MADT and DSDT of a machine without fixed ACPI hardware (ACPI 6.4, 4.1, 5.2).
#include "hw/i386/microvm_acpi.h"

#include "hw/acpi/generic_events.h"
#include "hw/virtio/virtio_mmio.h"
#include "pc-bios/microvm.hex"
#include "rhea/util/error.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>

namespace rhea::hw {
namespace {

constexpr std::string_view kRootFile = "etc/acpi/rsdp";
const OemIds kMicrovmIds{.id = "RHEA", .table = "RHEAVM"};

// AML (ACPI 6.4, 20.2). A PkgLength of two bytes, which counts itself.
void package(TableWriter& out, const TableWriter& body) {
  const std::size_t length = body.size() + 2;
  RHEA_ASSERT(length < 0x1000);
  out.byte(0x40 | (length & 0xf)).byte(length >> 4).bytes(body.data);
}

void name(TableWriter& out, std::string_view four) { out.byte(0x08).text(four, 4); }

// Memory32Fixed, an extended interrupt that is level-triggered, active high and its own, the end.
TableWriter resources(const MicrovmWindow& window) {
  TableWriter out;
  out.byte(0x86).word(9).byte(1).dword(window.address).dword(VirtioMmio::kBytes);
  out.byte(0x89).word(6).byte(0x01).byte(1).dword(window.gsi);
  out.byte(0x79).byte(0);
  return out;
}

void add_virtio(TableWriter& out, const MicrovmWindow& window) {
  TableWriter body;
  body.text(fmt::format("VR{:02}", window.number), 4);
  name(body, "_HID");
  body.byte(0x0d).text("LNRO0005", 9);
  name(body, "_UID");
  body.byte(0x0a).byte(window.number);
  name(body, "_CCA");
  body.byte(0x01);
  name(body, "_CRS");
  const TableWriter crs = resources(window);
  TableWriter buffer;
  buffer.byte(0x0a).byte(crs.size()).bytes(crs.data);
  body.byte(0x11);
  package(body, buffer);
  out.byte(0x5b).byte(0x82);
  package(out, body);
}

void patch(std::vector<u8>& aml, std::string_view name, bool value) {
  const std::string pattern = '\x08' + std::string(name) + '\x0a';
  const auto at = std::ranges::search(aml, pattern);
  RHEA_ASSERT(!at.empty());
  *at.end() = value ? 1 : 0;
}

// What is compiled, then the scope of the devices that there are.
u32 add_dsdt(TableFile& file, const MicrovmAcpi& config) {
  const auto start = static_cast<u32>(file.out.size());
  std::vector<u8> aml(std::begin(microvm_aml_code), std::end(microvm_aml_code));
  patch(aml, "SER1", config.has_serial);
  patch(aml, "CLCK", config.has_clock);
  file.out.bytes(aml);
  TableWriter scope;
  scope.byte('\\').text("_SB_", 4);
  for (const MicrovmWindow& window : config.virtio) add_virtio(scope, window);
  file.out.byte(0x10);
  package(file.out, scope);
  file.out.patch(start + 9, 0, 1);
  file.end(start);
  return start;
}

// Generic address structure of a byte in memory.
void gas(TableWriter& out, u64 address) { out.byte(0).byte(8).byte(0).byte(1).qword(address); }

u32 add_fadt(TableFile& file, u32 dsdt, bool has_clock) {
  constexpr u32 kResetRegister = 1u << 10, kHardwareReduced = 1u << 20;
  constexpr u16 kNoCmosClock = 1u << 5;
  constexpr std::size_t kBootFlags = 109, kFlags = 112, kReset = 116, kXDsdt = 140,
                        kSleepControl = 244, kEnd = 268;
  const u32 start = file.begin("FACP", 5, kMicrovmIds);
  TableWriter& out = file.out;
  const auto pad_to = [&](std::size_t offset) { out.zeroes(start + offset - out.size()); };
  out.dword(0);
  file.pointer(dsdt);
  pad_to(kBootFlags);
  out.word(has_clock ? 0 : kNoCmosClock);
  pad_to(kFlags);
  out.dword(kResetRegister | kHardwareReduced);
  pad_to(kReset);
  gas(out, GenericEvents::kControlAt + 2);
  out.byte(GenericEvents::kResetValue);
  pad_to(kXDsdt);
  file.long_pointer(dsdt);
  pad_to(kSleepControl);
  gas(out, GenericEvents::kControlAt);
  gas(out, GenericEvents::kControlAt + 1);
  RHEA_ASSERT(out.size() == start + kEnd);
  file.end(start);
  return start;
}

// Revision 2: the XSDT's address, and two sums.
std::vector<u8> make_rsdp(u32 xsdt, BiosLinker& linker) {
  constexpr u32 kLength = 36;
  TableWriter out;
  out.text("RSD PTR ", 8).byte(0).text(kMicrovmIds.id, 6, ' ').byte(2).dword(0);
  out.dword(kLength).qword(xsdt).byte(0).zeroes(3);
  linker.allocate(kRootFile, 16, BiosLinker::Zone::FSeg);
  linker.add_pointer(kRootFile, kTablesFile, 24, 8);
  linker.add_checksum(kRootFile, 8, 0, 20);
  linker.add_checksum(kRootFile, 32, 0, kLength);
  return out.data;
}

}  // namespace

AcpiTables build_microvm_tables(const MicrovmAcpi& config) {
  TableFile file;
  const u32 dsdt = add_dsdt(file, config);
  std::vector<u32> tables = {add_fadt(file, dsdt, config.has_clock), add_madt(file, config.madt)};
  for (const std::vector<u8>& table : config.user_tables) tables.push_back(file.add(table));
  const u32 xsdt = file.begin("XSDT", 1, kMicrovmIds);
  for (const u32 table : tables) file.long_pointer(table);
  file.end(xsdt);
  AcpiTables made;
  made.rsdp = make_rsdp(xsdt, file.linker);
  file.pad();
  made.tables = std::move(file.out.data);
  made.loader = file.linker.script();
  return made;
}

}  // namespace rhea::hw
