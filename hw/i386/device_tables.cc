// SPDX-License-Identifier: GPL-2.0-or-later
// Tables of pvpanic, vmgenid (ACPI 6.4, 5.2.11.2) and the HPET (IA-PC HPET specification 1.0a,
// 3.2.4).
#include "hw/i386/device_tables.h"

#include "hw/acpi/vm_generation.h"
#include "hw/timer/hpet.h"
#include "pc-bios/hpet.hex"
#include "pc-bios/pvpanic.hex"
#include "pc-bios/vmgenid.hex"
#include "rhea/util/error.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace rhea::hw {
namespace {

constexpr std::size_t kChecksumAt = 9;

// What firmware links or we patch sums up anew.
u32 add_compiled(TableFile& file, std::vector<u8> aml) {
  aml[kChecksumAt] = 0;
  const u32 start = file.add(aml);
  file.linker.add_checksum(kTablesFile, start + kChecksumAt, start, static_cast<u32>(aml.size()));
  return start;
}

u32 add_panic_port(TableFile& file, u16 port) {
  std::vector<u8> aml(std::begin(pvpanic_aml_code), std::end(pvpanic_aml_code));
  patch_name(aml, "PEPO", port);
  return add_compiled(file, std::move(aml));
}

// Firmware puts the number's file into a page of its own, and says where in the table and to us.
u32 add_generation(TableFile& file) {
  constexpr u32 kPage = 4096;
  std::vector<u8> aml(std::begin(vmgenid_aml_code), std::end(vmgenid_aml_code));
  const auto at = static_cast<u32>(file.out.size() + patch_name(aml, "VGIA", 0));
  file.linker.allocate(VmGeneration::kNumberFile, kPage, BiosLinker::Zone::High);
  file.linker.add_pointer(kTablesFile, VmGeneration::kNumberFile, at, 4);
  file.linker.write_pointer(VmGeneration::kAddressFile, VmGeneration::kNumberFile, 0,
                            VmGeneration::kNumberAt, 8);
  return add_compiled(file, std::move(aml));
}

u32 add_hpet(TableFile& file, u32 block) {
  const u32 start = file.begin("HPET", 1);
  file.out.dword(block);
  file.out.byte(0).byte(0).byte(0).byte(0).qword(Hpet::kBase);
  file.out.byte(0).word(0).byte(0);
  file.end(start);
  return start;
}

}  // namespace

std::size_t patch_name(std::vector<u8>& aml, std::string_view name, u64 value) {
  constexpr u8 kBytePrefix = 0x0a;
  const std::string pattern = '\x08' + std::string(name);
  const auto at = std::ranges::search(aml, pattern).begin() + 5;
  RHEA_ASSERT(at < aml.end());
  const unsigned width = *at == kBytePrefix ? 1 : 4;
  for (unsigned i = 0; i < width; ++i) *(at + 1 + i) = static_cast<u8>(value >> (8 * i));
  return static_cast<std::size_t>(at + 1 - aml.begin());
}

std::vector<u32> add_device_tables(TableFile& file, const DeviceTables& devices) {
  std::vector<u32> tables;
  if (devices.hpet_block) {
    tables.push_back(add_hpet(file, *devices.hpet_block));
    tables.push_back(add_compiled(file, {std::begin(hpet_aml_code), std::end(hpet_aml_code)}));
  }
  if (devices.panic_port) tables.push_back(add_panic_port(file, *devices.panic_port));
  if (devices.generation) tables.push_back(add_generation(file));
  return tables;
}

}  // namespace rhea::hw
