// SPDX-License-Identifier: GPL-2.0-or-later
// What a guest sees of the release that a board's name asks for, and of the other boards.
#include "hw/i386/board_versions.h"

#include "rhea/hw/pci.h"
#include "rhea/util/option.h"
#include "softmmu/compat_properties.h"
#include "tests/board/firmware_view.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using hw::BoardVersion;

/// A board of that name, as -machine makes it.
struct Named : Pc {
  explicit Named(const std::string& name)
      : Pc({}, [&name](Machine& machine) {
          ASSERT_TRUE(find_option("machine")->apply(machine, name));
          const auto chosen = hw::choose_board(machine);
          ASSERT_TRUE(chosen) << chosen.error().message();
        }) {}

  std::string property(std::string_view type, std::string_view name) {
    for (Device* device : devices())
      if (device->type().name == type) return to_text(device->get(name).value());
    return "no such device";
  }
};

TEST(BoardVersions, EveryReleaseFromOneFourOnHasAName) {
  EXPECT_EQ(hw::board_versions().size(), 31U);
  EXPECT_EQ(hw::board_versions().front().name(), "pc-i440fx-7.2");
  EXPECT_EQ(hw::board_versions().back().name(), "pc-i440fx-1.4");
  EXPECT_EQ(hw::find_board_version("pc-i440fx-2.12"), (BoardVersion{2, 12}));
  EXPECT_FALSE(hw::find_board_version("pc-i440fx-1.3"));
  EXPECT_FALSE(hw::find_board_version("pc-q35-7.2"));
}

TEST(BoardVersions, TheNewestIsThePlainBoard) {
  Named plain("pc"), newest("pc-i440fx-7.2");
  EXPECT_EQ(plain.property("VGA", "edid"), "on");
  EXPECT_EQ(newest.property("VGA", "edid"), "on");
  EXPECT_EQ(newest.property("ioapic", "version"), "32");
  EXPECT_EQ(newest.property("isa-fdc", "fallback"), "288");
  EXPECT_EQ(newest.property("fw_cfg_io", "dma_enabled"), "on");
}

TEST(BoardVersions, ScreensHaveBeenDescribedSinceFourOne) {
  Named old("pc-i440fx-4.0"), young("pc-i440fx-4.1");
  EXPECT_EQ(old.property("VGA", "edid"), "off");
  EXPECT_EQ(young.property("VGA", "edid"), "on");
}

TEST(BoardVersions, TheIoApicsEoiRegisterCameWithTwoEight) {
  Named old("pc-i440fx-2.7"), young("pc-i440fx-2.8");
  EXPECT_EQ(old.property("ioapic", "version"), "17");
  EXPECT_EQ(young.property("ioapic", "version"), "32");
}

TEST(BoardVersions, EmptyFloppyDrivesWereSmallerBeforeTwoSix) {
  Named old("pc-i440fx-2.5"), young("pc-i440fx-2.6");
  EXPECT_EQ(cmos(old, 0x10), 0x40U);
  EXPECT_EQ(cmos(young, 0x10), 0x50U);
}

TEST(BoardVersions, FirmwareReadsByDmaSinceTwoFive) {
  Named old("pc-i440fx-2.4"), young("pc-i440fx-2.5");
  EXPECT_EQ(fw_cfg_item(old, 1, 4), 1U);
  EXPECT_EQ(fw_cfg_item(young, 1, 4), 3U);
}

TEST(BoardVersions, DisksNameTheReleaseUntilTwoFour) {
  Named old("pc-i440fx-2.4"), young("pc-i440fx-2.5");
  EXPECT_EQ(old.property("ide-cd", "ver"), "2.4.0");
  EXPECT_EQ(young.property("ide-cd", "ver"), "");
}

TEST(BoardVersions, TheVgasExtendedRegistersCameWithTwoTwo) {
  Named old("pc-i440fx-2.1"), young("pc-i440fx-2.2");
  EXPECT_EQ(old.property("VGA", "qemu-extended-regs"), "off");
  EXPECT_EQ(young.property("VGA", "qemu-extended-regs"), "on");
}

TEST(BoardVersions, SmbiosAndAcpiAreTheFirmwaresAffairInTheOldest) {
  Named smbios("pc-i440fx-2.1"), no_smbios("pc-i440fx-2.0"), no_acpi("pc-i440fx-1.6");
  EXPECT_FALSE(fw_cfg_file(smbios, "etc/smbios/smbios-tables").empty());
  EXPECT_TRUE(fw_cfg_file(no_smbios, "etc/smbios/smbios-tables").empty());
  EXPECT_FALSE(fw_cfg_file(no_smbios, "etc/acpi/tables").empty());
  EXPECT_TRUE(fw_cfg_file(no_acpi, "etc/acpi/tables").empty());
}

TEST(BoardVersions, SmbiosNamesTheBoard) {
  Named board("pc-i440fx-5.1");
  const std::string tables = fw_cfg_text(board, "etc/smbios/smbios-tables");
  EXPECT_NE(tables.find("pc-i440fx-5.1"), std::string::npos);
  EXPECT_EQ(tables.find("pc-i440fx-7.2"), std::string::npos);
}

TEST(BoardVersions, SocketsWerePreferredUntilSixOne) {
  const auto sockets = [](const std::string& name) {
    Machine machine;
    EXPECT_TRUE(find_option("machine")->apply(machine, name));
    EXPECT_TRUE(find_option("smp")->apply(machine, "4"));
    EXPECT_TRUE(hw::choose_board(machine));
    return machine.config.sockets;
  };
  EXPECT_EQ(sockets("pc-i440fx-6.1"), 4U);
  EXPECT_EQ(sockets("pc-i440fx-6.2"), 1U);
}

TEST(BoardVersions, GlobalsComeAfterTheBoardsOwnDefaults) {
  Pc pc({}, [](Machine& machine) {
    ASSERT_TRUE(find_option("machine")->apply(machine, "pc-i440fx-2.4"));
    ASSERT_TRUE(hw::choose_board(machine));
    machine.add_global("VGA", "edid", "on");
  });
  for (const Device* device : pc.devices())
    if (device->type().name == "VGA") {
      EXPECT_EQ(to_text(device->get("edid").value()), "on");
    }
}

TEST(Boards, ThoseThatThereAreNotAreRefused) {
  Machine machine;
  ASSERT_TRUE(find_option("machine")->apply(machine, "pc-i440fx-1.3"));
  EXPECT_TRUE(hw::choose_board(machine).error().message().starts_with(
      "-machine pc-i440fx-1.3: unsupported machine type"));
}

TEST(Boards, NoneHasNoProcessorAndNoDevice) {
  Named none("none");
  EXPECT_TRUE(none.machine().vcpus().empty());
  EXPECT_TRUE(none.devices().empty());
  EXPECT_EQ(none.machine().memory().load(0, 4), 0xffffffffU);
}

TEST(Boards, NoneHasMemoryWhereItIsAskedFor) {
  Pc none({}, [](Machine& machine) {
    ASSERT_TRUE(find_option("machine")->apply(machine, "none"));
    ASSERT_TRUE(find_option("m")->apply(machine, "16"));
    ASSERT_TRUE(hw::choose_board(machine));
  });
  none.machine().memory().store(0x1000, 0x1234, 4);
  EXPECT_EQ(none.machine().memory().load(0x1000, 4), 0x1234U);
  EXPECT_EQ(none.machine().memory().load(16 * MiB, 4), 0xffffffffU);
}

u64 ram_below(const std::string& machine_option, u64 size) {
  MachineConfig config;
  config.ram_size = size;
  Pc pc(config, [&](Machine& machine) {
    ASSERT_TRUE(find_option("machine")->apply(machine, machine_option));
    ASSERT_TRUE(hw::choose_board(machine));
  });
  const auto e820 = fw_cfg_file(pc, "etc/e820");
  u64 below = 0;
  for (unsigned i = 0; i < 8; ++i) below |= u64{e820[8 + i]} << (8 * i);
  return below;
}

TEST(Boards, TheMostBelowFourGigabytesCanBeSaid) {
  EXPECT_EQ(ram_below("pc", 4 * GiB), 3 * GiB);
  EXPECT_EQ(ram_below("pc,max-ram-below-4g=2G", 4 * GiB), 2 * GiB);
  EXPECT_EQ(ram_below("pc,max-ram-below-4g=2G", 1 * GiB), 1 * GiB);
  EXPECT_EQ(ram_below("pc-i440fx-1.7", 4 * GiB), 0xe0000000U);
}

}  // namespace
}  // namespace rhea::test
