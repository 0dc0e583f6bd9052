// SPDX-License-Identifier: GPL-2.0-or-later
// What the pc board tells its firmware, and which drives it takes.
#include "rhea/block/block_backend.h"
#include "softmmu/default_devices.h"
#include "tests/board/firmware_view.h"
#include "tests/support/pc.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace rhea::test {
namespace {

u64 fw_cfg_nographic(Pc& pc) {
  constexpr u16 kNographic = 4;
  pc.machine().io().store(0x510, kNographic, 2);
  return pc.machine().io().load(0x511, 1);
}

bool has_sleep_state(Pc& pc, std::string_view name) {
  const auto tables = fw_cfg_file(pc, "etc/acpi/tables");
  return std::string_view(reinterpret_cast<const char*>(tables.data()), tables.size())
      .contains(name);
}

TEST(PcFirmware, HearsOfTheSleepStates) {
  Pc pc;
  EXPECT_EQ(fw_cfg_file(pc, "etc/system-states"),
            (std::vector<u8>{0x80, 0x00, 0x00, 0x81, 0x82, 0x80}));
  EXPECT_TRUE(has_sleep_state(pc, "_S3_"));
  EXPECT_TRUE(has_sleep_state(pc, "_S4_"));
}

TEST(PcFirmware, HearsThatSuspendToRamIsOff) {
  Pc pc({}, [](Machine& machine) { machine.add_global("PIIX4_PM", "disable_s3", "1"); });
  EXPECT_EQ(fw_cfg_file(pc, "etc/system-states"),
            (std::vector<u8>{0x80, 0x00, 0x00, 0x01, 0x82, 0x80}));
  EXPECT_FALSE(has_sleep_state(pc, "_S3_"));
  EXPECT_TRUE(has_sleep_state(pc, "_S4_"));
}

TEST(PcFirmware, HearsThatSuspendToDiskIsOffAndItsType) {
  Pc pc({}, [](Machine& machine) {
    machine.add_global("PIIX4_PM", "disable_s4", "1");
    machine.add_global("PIIX4_PM", "s4_val", "5");
  });
  EXPECT_EQ(fw_cfg_file(pc, "etc/system-states"),
            (std::vector<u8>{0x80, 0x00, 0x00, 0x81, 0x05, 0x80}));
  EXPECT_TRUE(has_sleep_state(pc, "_S3_"));
  EXPECT_FALSE(has_sleep_state(pc, "_S4_"));
}

TEST(PcFirmware, HearsWhetherItsTextGoesToTheSerialPort) {
  Pc usual;
  Pc without_card({}, [](Machine& machine) { machine.config.vga = "none"; });
  Pc nographic({}, [](Machine& machine) { machine.config.graphics = false; });
  Pc off({},
         [](Machine& machine) { machine.add_global("pc-i440fx-7.2-machine", "graphics", "off"); });
  EXPECT_EQ(fw_cfg_nographic(usual), 0U);
  EXPECT_EQ(fw_cfg_nographic(without_card), 0U);
  EXPECT_EQ(fw_cfg_nographic(nographic), 1U);
  EXPECT_EQ(fw_cfg_nographic(off), 1U);
}

TEST(PcFirmware, FindsOneEmptyFloppyDriveOfTheLargestKindInCmos) {
  Pc pc;
  EXPECT_EQ(cmos(pc, 0x10), 0x50U);
  EXPECT_EQ(cmos(pc, 0x14) & 0xc1, 0x01U);
}

TEST(PcFirmware, FindsTheFloppyDrivesThatWereNamedInCmos) {
  Pc pc({}, [](Machine& machine) {
    machine.add_global("isa-fdc", "fdtypeA", "120");
    machine.add_global("isa-fdc", "fdtypeB", "144");
    ASSERT_TRUE(create_drive(machine, "if=floppy,index=1"));
  });
  EXPECT_EQ(cmos(pc, 0x10), 0x24U);
  EXPECT_EQ(cmos(pc, 0x14) & 0xc1, 0x41U);
}

TEST(PcFirmware, FindsNoFloppyDriveWhereThereIsNone) {
  Pc pc({}, [](Machine& machine) { machine.service<DefaultDevices>().take_all(); });
  EXPECT_EQ(cmos(pc, 0x10), 0U);
  EXPECT_EQ(cmos(pc, 0x14) & 0xc1, 0U);
}

/// Why the board cannot be built with this drive.
std::string firmware_refusal(const std::string& drive) {
  try {
    Pc pc({}, [&drive](Machine& machine) { ASSERT_TRUE(create_drive(machine, drive)); });
    return "it works";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST(PcDrives, DisksThatTheBoardHasNoControllerForAreRefused) {
  EXPECT_EQ(firmware_refusal("if=scsi"),
            "-drive scsi0-hd0: machine type does not support if=scsi,bus=0,unit=0; write if=none, "
            "and -device virtio-scsi-pci -device scsi-hd,drive=scsi0-hd0");
  EXPECT_EQ(firmware_refusal("if=none,id=spare"), "it works");
}

}  // namespace
}  // namespace rhea::test
