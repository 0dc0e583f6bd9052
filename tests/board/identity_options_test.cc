// SPDX-License-Identifier: GPL-2.0-or-later
// -uuid, -smbios and -acpitable: what of them a guest finds.
#include "hw/i386/acpi_table_option.h"
#include "hw/i386/smbios_option.h"
#include "rhea/util/option.h"
#include "softmmu/uuid_option.h"
#include "tests/block/temp_dir.h"
#include "tests/board/firmware_view.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <numeric>

namespace rhea::test {
namespace {

constexpr const char* kUuid = "550e8400-e29b-41d4-a716-446655440000";

using Options = std::vector<std::pair<std::string_view, std::string>>;

struct With : Pc {
  explicit With(const Options& options)
      : Pc({}, [&options](Machine& machine) {
          for (const auto& [name, text] : options) {
            const auto applied = find_option(name)->apply(machine, text);
            ASSERT_TRUE(applied) << applied.error().message();
          }
        }) {}
};

std::string refusal(std::string_view option, const std::vector<std::string>& texts) {
  Machine machine;
  for (const std::string& text : texts)
    if (const auto applied = find_option(option)->apply(machine, text); !applied)
      return applied.error().message();
  return "taken";
}

/// A structure's formatted part and its strings.
struct Structure {
  std::vector<u8> fields;
  std::vector<std::string> strings;
  /// The string that the field at `at` refers to.
  std::string string(std::size_t at) const {
    return at >= fields.size() || fields[at] == 0 ? "" : strings.at(fields[at] - 1U);
  }
};

std::multimap<unsigned, Structure> structures(Pc& pc) {
  std::multimap<unsigned, Structure> found;
  const auto tables = fw_cfg_file(pc, "etc/smbios/smbios-tables");
  for (std::size_t at = 0; at + 4 <= tables.size();) {
    Structure s;
    const auto begin = tables.begin() + static_cast<std::ptrdiff_t>(at);
    s.fields.assign(begin, begin + tables[at + 1]);
    at += tables[at + 1];
    while (tables.at(at) != 0) {
      s.strings.emplace_back(reinterpret_cast<const char*>(&tables[at]));
      at += s.strings.back().size() + 1;
    }
    at += s.strings.empty() ? 2 : 1;
    found.emplace(s.fields[0], std::move(s));
  }
  return found;
}

Structure the(Pc& pc, unsigned type) {
  const auto all = structures(pc);
  return all.count(type) == 1 ? all.find(type)->second : Structure{};
}

TEST(Uuid, IsReadAndWritten) {
  EXPECT_EQ(refusal("uuid", {"550E8400-e29b-41d4-a716-446655440000"}), "taken");
  EXPECT_TRUE(refusal("uuid", {"550e8400"}).starts_with("-uuid 550e8400: failed to parse UUID"));
  EXPECT_NE(refusal("uuid", {"550e8400-e29b-41d4-a716-44665544000g"}), "taken");
  EXPECT_NE(refusal("uuid", {"550e8400xe29b-41d4-a716-446655440000"}), "taken");
  With pc(Options{{"uuid", kUuid}});
  EXPECT_EQ(pc.machine().service<MachineUuid>().text(), kUuid);
}

TEST(Uuid, ReachesTheGuestByFwCfgAndSmbios) {
  With pc(Options{{"uuid", kUuid}});
  EXPECT_EQ(fw_cfg_item(pc, 2, 8), 0xd4419be200840e55U);
  const Structure system = the(pc, 1);
  EXPECT_EQ((std::vector<u8>(system.fields.begin() + 8, system.fields.begin() + 16)),
            (std::vector<u8>{0x00, 0x84, 0x0e, 0x55, 0x9b, 0xe2, 0xd4, 0x41}));
}

TEST(Uuid, CanComeFromSmbiosOption) {
  With pc({{"smbios", std::string("type=1,uuid=") + kUuid}});
  EXPECT_EQ(pc.machine().service<MachineUuid>().text(), kUuid);
}

TEST(SmbiosOption, FieldsOfTheSystemAndItsChassisReplaceTheUsualOnes) {
  With pc({{"smbios", "type=1,manufacturer=Maker,product=Box,serial=123,sku=S,family=F"},
           {"smbios", "type=1,version=9"},
           {"smbios", "type=3,asset=A1"}});
  const Structure system = the(pc, 1);
  EXPECT_EQ(system.string(4), "Maker");
  EXPECT_EQ(system.string(5), "Box");
  EXPECT_EQ(system.string(6), "9");
  EXPECT_EQ(system.string(7), "123");
  EXPECT_EQ(system.string(0x19), "S");
  EXPECT_EQ(system.string(0x1a), "F");
  EXPECT_EQ(the(pc, 3).string(8), "A1");
  EXPECT_EQ(the(pc, 3).string(4), "Rhea");
}

TEST(SmbiosOption, FirmwareAndBaseboardAreThereWhenTheyAreDescribed) {
  Pc usual;
  EXPECT_TRUE(the(usual, 0).fields.empty());
  EXPECT_TRUE(the(usual, 2).fields.empty());
  With pc({{"smbios", "type=0,vendor=V,release=4.17,uefi=on"}, {"smbios", "type=2,location=Here"}});
  const Structure firmware = the(pc, 0);
  EXPECT_EQ(firmware.fields.size(), 0x18U);
  EXPECT_EQ(firmware.string(4), "V");
  EXPECT_EQ(firmware.fields[0x13], 0x1c);
  EXPECT_EQ(firmware.fields[0x14], 4);
  EXPECT_EQ(firmware.fields[0x15], 17);
  EXPECT_EQ(the(pc, 2).string(0x0a), "Here");
}

TEST(SmbiosOption, ProcessorsAndModulesHaveTheirFields) {
  With pc({{"smbios", "type=4,sock_pfx=P,max-speed=3000,current-speed=2500"},
           {"smbios", "type=17,loc_pfx=M,speed=1600,bank=B"}});
  EXPECT_EQ(the(pc, 4).string(4), "P 0");
  EXPECT_EQ(the(pc, 4).fields[0x14] | the(pc, 4).fields[0x15] << 8, 3000);
  EXPECT_EQ(the(pc, 4).fields[0x16] | the(pc, 4).fields[0x17] << 8, 2500);
  EXPECT_EQ(the(pc, 17).string(0x10), "M 0");
  EXPECT_EQ(the(pc, 17).string(0x11), "B");
  EXPECT_EQ(the(pc, 17).fields[0x15] | the(pc, 17).fields[0x16] << 8, 1600);
}

TEST(SmbiosOption, PortsSlotsAndOemStringsAreLists) {
  With pc({{"smbios", "type=8,internal_reference=I,connector_type=8,port_type=9"},
           {"smbios", "type=8,external_reference=E"},
           {"smbios", "type=11,value=one,value=two"},
           {"smbios", "type=41,designation=D,kind=ethernet,instance=3"}});
  EXPECT_EQ(structures(pc).count(8), 2U);
  EXPECT_EQ(the(pc, 11).fields, (std::vector<u8>{11, 5, 0x00, 0x0e, 2}));
  EXPECT_EQ(the(pc, 11).strings, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(the(pc, 41).string(4), "D");
  EXPECT_EQ(the(pc, 41).fields[5], 0x85);
  EXPECT_EQ(the(pc, 41).fields[6], 3);
}

TEST(SmbiosOption, AStructureFromAFileTakesThePlaceOfTheUsualOne) {
  const TempDir folder;
  const std::string file = folder.path() / "structure";
  std::ofstream(file) << std::string("\x03\x05\x00\x03\x01Mine\0", 10);
  With pc({{"smbios", "file=" + file}});
  EXPECT_EQ(the(pc, 3).string(4), "Mine");
  const auto anchor = fw_cfg_file(pc, "etc/smbios/smbios-anchor");
  EXPECT_EQ(anchor[0x1c], structures(pc).size());
  EXPECT_NE(refusal("smbios", {"file=" + file, "type=3,serial=1"}), "taken");
  EXPECT_NE(refusal("smbios", {"type=3,serial=1", "file=" + file}), "taken");
}

TEST(SmbiosOption, WhatIsWrongIsNamed) {
  EXPECT_EQ(refusal("smbios", {"type=1,nope=x"}),
            "-smbios type=1,nope=x: type 1 has no field 'nope'");
  EXPECT_EQ(refusal("smbios", {"type=99,x=y"}),
            "-smbios type=99,x=y: don't know how to build fields for SMBIOS type 99");
  EXPECT_EQ(refusal("smbios", {"vendor=x"}), "-smbios vendor=x: needs file= or type=");
  EXPECT_NE(refusal("smbios", {"type=0,release=4"}), "taken");
  EXPECT_NE(refusal("smbios", {"type=1,uuid=x"}), "taken");
  EXPECT_NE(refusal("smbios", {"type=4,max-speed=65536"}), "taken");
  EXPECT_NE(refusal("smbios", {"file=/no/such"}), "taken");
}

/// The user's tables as the guest finds them.
std::vector<u8> acpi_table(Pc& pc, std::string_view signature) {
  const auto all = fw_cfg_file(pc, "etc/acpi/tables");
  const std::string_view text(reinterpret_cast<const char*>(all.data()), all.size());
  const auto at = text.find(signature);
  if (at == std::string_view::npos) return {};
  const std::size_t length = all[at + 4] | static_cast<std::size_t>(all[at + 5]) << 8;
  return {all.begin() + static_cast<std::ptrdiff_t>(at),
          all.begin() + static_cast<std::ptrdiff_t>(at + length)};
}

TEST(AcpiTableOption, DataGetsAHeader) {
  const TempDir folder;
  const std::string one = folder.path() / "one", two = folder.path() / "two";
  std::ofstream(one) << "begin ";
  std::ofstream(two) << "end";
  With pc(
      {{"acpitable", "sig=TEST,oem_id=MAKER,rev=3,oem_rev=0x11223344,data=" + one + ":" + two}});
  const auto table = acpi_table(pc, "TEST");
  ASSERT_EQ(table.size(), 36U + 9U);
  EXPECT_EQ(table[8], 3);
  EXPECT_EQ(std::string(table.begin() + 10, table.begin() + 15), "MAKER");
  EXPECT_EQ(table[24], 0x44);
  EXPECT_EQ(std::string(table.begin() + 36, table.end()), "begin end");
  EXPECT_EQ(std::accumulate(table.begin(), table.end(), 0) & 0xff, 0);
}

TEST(AcpiTableOption, AFileBringsItsHeaderAndFieldsChangeIt) {
  const TempDir folder;
  const std::string whole = folder.path() / "whole";
  std::ofstream(whole) << std::string("SLIC\0\0\0\0\1\0OEMIDSOEMTABLE\1\0\0\0ASL \2\0\0\0 body",
                                      41);
  With pc({{"acpitable", "file=" + whole + ",asl_compiler_id=ABCD"}});
  const auto table = acpi_table(pc, "SLIC");
  ASSERT_EQ(table.size(), 41U);
  EXPECT_EQ(std::string(table.begin() + 28, table.begin() + 32), "ABCD");
  EXPECT_EQ(std::accumulate(table.begin(), table.end(), 0) & 0xff, 0);
  // Licences hold where RSDT and FADT have the same ids.
  const auto fadt = acpi_table(pc, "FACP");
  EXPECT_EQ(std::string(fadt.begin() + 10, fadt.begin() + 24), "OEMIDSOEMTABLE");
}

TEST(AcpiTableOption, WhatIsWrongIsNamed) {
  EXPECT_EQ(refusal("acpitable", {"sig=TEST"}), "-acpitable sig=TEST: needs either file= or data=");
  EXPECT_NE(refusal("acpitable", {"data=/dev/null"}), "taken");
  EXPECT_NE(refusal("acpitable", {"data=/no/such"}), "taken");
  const TempDir folder;
  const std::string file = folder.path() / "a";
  std::ofstream(file) << "short";
  EXPECT_NE(refusal("acpitable", {"file=" + file}), "taken");
  EXPECT_NE(refusal("acpitable", {"sig=LONGER,data=" + file}), "taken");
  EXPECT_NE(refusal("acpitable", {"rev=256,data=" + file}), "taken");
  EXPECT_NE(refusal("acpitable", {"nope=1,data=" + file}), "taken");
}

}  // namespace
}  // namespace rhea::test
