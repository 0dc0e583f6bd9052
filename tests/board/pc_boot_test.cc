// SPDX-License-Identifier: GPL-2.0-or-later
// What the pc board's firmware hears of -boot and of bootindex=.
#include "rhea/block/block_backend.h"
#include "rhea/hw/boot_order.h"
#include "softmmu/boot_options.h"
#include "softmmu/default_devices.h"
#include "tests/block/temp_dir.h"
#include "tests/board/firmware_view.h"

#include <gtest/gtest.h>

#include <fstream>

namespace rhea::test {
namespace {

constexpr u8 kFirstAndSecond = 0x3d, kThird = 0x38;

void boot(Machine& machine, std::string_view text) {
  auto added = machine.service<BootOptions>().add(*KeyValues::parse(text, "order"));
  ASSERT_TRUE(added) << added.error().message();
}

std::function<void(Machine&)> with_boot(std::string text) {
  return [text = std::move(text)](Machine& machine) { boot(machine, text); };
}

std::string refusal(const std::string& text) {
  try {
    Pc pc({}, with_boot(text));
    return "it works";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

/// Plugs a device as -device does and resets the machine, as starting it does.
Device* plug(Pc& pc, std::string_view type, std::vector<std::pair<std::string, Value>> properties,
             std::string_view bus = {}) {
  auto device = pc.machine().plug(type, properties, {}, bus);
  if (!device) throw std::runtime_error(device.error().message());
  pc.machine().reset_now(ShutdownCause::None, ResetKind::Cold);
  return *device;
}

void add_cd_drive(Machine& machine, std::string_view id) {
  ASSERT_TRUE(create_drive(machine, fmt::format("if=none,media=cdrom,id={}", id)));
}

TEST(PcBoot, WithoutAnOptionTheFloppyComesAfterTheDisk) {
  Pc pc;
  EXPECT_EQ(cmos(pc, kFirstAndSecond), 0x12U);
  EXPECT_EQ(cmos(pc, kThird), 0x30U);
}

TEST(PcBoot, AnOrderHoldsOverResets) {
  Pc pc({}, with_boot("dn"));
  pc.machine().reset_now(ShutdownCause::GuestReset, ResetKind::Warm);
  EXPECT_EQ(cmos(pc, kFirstAndSecond), 0x43U);
  EXPECT_EQ(cmos(pc, kThird), 0x00U);
}

TEST(PcBoot, OnceHoldsUntilTheGuestResets) {
  Pc pc({}, with_boot("once=d,order=ac"));
  EXPECT_EQ(cmos(pc, kFirstAndSecond), 0x03U);
  pc.machine().reset_now(ShutdownCause::GuestReset, ResetKind::Warm);
  EXPECT_EQ(cmos(pc, kFirstAndSecond), 0x21U);
  pc.machine().reset_now(ShutdownCause::GuestReset, ResetKind::Warm);
  EXPECT_EQ(cmos(pc, kFirstAndSecond), 0x21U);
}

TEST(PcBoot, OnceAloneIsFollowedByTheUsualOrder) {
  Pc pc({}, with_boot("once=d"));
  pc.machine().reset_now(ShutdownCause::GuestReset, ResetKind::Warm);
  EXPECT_EQ(cmos(pc, kFirstAndSecond), 0x12U);
  EXPECT_EQ(cmos(pc, kThird), 0x30U);
}

TEST(PcBoot, TheOrderCanBeChangedWhileTheMachineRuns) {
  Pc pc;
  auto& options = pc.machine().service<BootOptions>();
  EXPECT_TRUE(options.set_order("n"));
  EXPECT_EQ(cmos(pc, kFirstAndSecond), 0x04U);
  EXPECT_EQ(options.set_order("x").error().message(), "Invalid boot device for PC: 'x'");
  EXPECT_EQ(cmos(pc, kFirstAndSecond), 0x04U);
}

TEST(PcBoot, LettersThatAPcHasNoDriveForAreRefused) {
  EXPECT_EQ(refusal("e"), "-boot e: Invalid boot device for PC: 'e'");
  EXPECT_EQ(refusal("once=p"), "-boot p: Invalid boot device for PC: 'p'");
  EXPECT_EQ(refusal("acdn"), "-boot acdn: Too many boot devices for PC");
}

TEST(PcBoot, TheMenuAndItsTimesReachTheFirmware) {
  constexpr u16 kBootMenu = 0x0e;
  Pc pc({}, with_boot("menu=on,splash-time=70,reboot-timeout=700"));
  EXPECT_EQ(fw_cfg_item(pc, kBootMenu, 2), 1U);
  EXPECT_EQ(fw_cfg_file(pc, "etc/boot-menu-wait"), (std::vector<u8>{70, 0}));
  EXPECT_EQ(fw_cfg_file(pc, "etc/boot-fail-wait"), (std::vector<u8>{0xbc, 2, 0, 0}));
}

TEST(PcBoot, WithoutTimesThereIsNoWaitAndNoRestart) {
  Pc pc;
  EXPECT_TRUE(fw_cfg_file(pc, "etc/boot-menu-wait").empty());
  EXPECT_EQ(fw_cfg_file(pc, "etc/boot-fail-wait"), (std::vector<u8>{0xff, 0xff, 0xff, 0xff}));
}

TEST(PcBoot, ASplashPictureReachesTheFirmwareUnderTheNameOfItsFormat) {
  const TempDir folder;
  const std::string jpeg = folder.path() / "a", bmp = folder.path() / "b",
                    text = folder.path() / "c";
  std::string bitmap(40, '\0');
  bitmap[0] = 'B', bitmap[1] = 'M', bitmap[28] = 24;
  std::ofstream(jpeg) << "\xff\xd8 and so on";
  std::ofstream(bmp) << bitmap;
  std::ofstream(text) << "no picture";
  Pc one({}, with_boot("splash=" + jpeg));
  Pc two({}, with_boot("splash=" + bmp));
  EXPECT_EQ(fw_cfg_text(one, "bootsplash.jpg"), "\xff\xd8 and so on");
  EXPECT_EQ(fw_cfg_file(two, "bootsplash.bmp").size(), 40U);
  testing::internal::CaptureStderr();
  EXPECT_EQ(refusal("splash=" + text), "it works");
  EXPECT_NE(testing::internal::GetCapturedStderr().find("must be JPEG or 24 bit BMP"),
            std::string::npos);
}

TEST(PcBoot, DevicesWithABootIndexAreListedInItsOrderByTheirFirmwarePaths) {
  Pc pc({}, [](Machine& machine) {
    machine.add_global("isa-fdc", "bootindexA", "2");
    add_cd_drive(machine, "one");
    add_cd_drive(machine, "two");
  });
  plug(pc, "ide-cd", {{"drive", "one"}, {"unit", "0"}, {"bootindex", "3"}}, "ide.0");
  plug(pc, "ide-cd", {{"drive", "two"}, {"unit", "1"}, {"bootindex", "1"}}, "ide.1");
  EXPECT_EQ(fw_cfg_text(pc, "bootorder"),
            "/pci@i0cf8/ide@1,1/drive@1/disk@1\n"
            "/pci@i0cf8/isa@1/fdc@03f0/floppy@0\n"
            "/pci@i0cf8/ide@1,1/drive@0/disk@0");
  EXPECT_EQ(fw_cfg_file(pc, "bootorder").back(), 0);
}

TEST(PcBoot, StrictEndsAListThatIsNotEmpty) {
  Pc empty({}, with_boot("strict=on"));
  EXPECT_TRUE(fw_cfg_file(empty, "bootorder").empty());
  Pc pc({}, [](Machine& machine) {
    boot(machine, "strict=on");
    machine.add_global("isa-fdc", "bootindexB", "0");
  });
  EXPECT_EQ(fw_cfg_text(pc, "bootorder"), "/pci@i0cf8/isa@1/fdc@03f0/floppy@1\nHALT");
}

TEST(PcBoot, ABootIndexIsTakenOnce) {
  Pc pc({}, [](Machine& machine) { machine.add_global("isa-fdc", "bootindexA", "0"); });
  add_cd_drive(pc.machine(), "one");
  const auto second =
      pc.machine().plug("ide-cd", {{"drive", "one"}, {"bootindex", "0"}}, {}, "ide.0");
  EXPECT_EQ(second.error().message(), "The bootindex 0 has already been used");
  // Nothing of the refused device is left.
  EXPECT_TRUE(pc.machine().plug("ide-cd", {{"drive", "one"}, {"bootindex", "1"}}, {}, "ide.0"));
}

TEST(PcBoot, ABootIndexChangesWithTheNextReset) {
  Pc pc;
  add_cd_drive(pc.machine(), "one");
  Device* drive = plug(pc, "ide-cd", {{"drive", "one"}, {"bootindex", "4"}}, "ide.0");
  const std::string path = "/pci@i0cf8/ide@1,1/drive@0/disk@0";
  EXPECT_EQ(fw_cfg_text(pc, "bootorder"), path);
  EXPECT_TRUE(drive->set("bootindex", i64{-1}));
  EXPECT_EQ(fw_cfg_text(pc, "bootorder"), path);
  pc.machine().reset_now(ShutdownCause::GuestReset, ResetKind::Warm);
  EXPECT_EQ(fw_cfg_text(pc, "bootorder"), "");
}

TEST(PcBoot, ADeviceThatIsUnpluggedLeavesTheOrder) {
  Pc pc;
  add_cd_drive(pc.machine(), "one");
  Device* drive = plug(pc, "ide-cd", {{"drive", "one"}, {"bootindex", "4"}}, "ide.0");
  ASSERT_TRUE(pc.machine().unplug(*drive));
  pc.machine().reset_now(ShutdownCause::GuestReset, ResetKind::Warm);
  EXPECT_EQ(fw_cfg_text(pc, "bootorder"), "");
}

TEST(PcBoot, ADeviceThatNamesNoBusFillsTheLastChannelFirst) {
  Pc pc({}, [](Machine& machine) {
    machine.service<DefaultDevices>().user_named("ide-cd");
    add_cd_drive(machine, "a");
    add_cd_drive(machine, "b");
    add_cd_drive(machine, "c");
  });
  plug(pc, "ide-cd", {{"drive", "a"}, {"bootindex", "1"}});
  plug(pc, "ide-cd", {{"drive", "b"}, {"bootindex", "2"}});
  plug(pc, "ide-cd", {{"drive", "c"}, {"bootindex", "3"}});
  EXPECT_EQ(fw_cfg_text(pc, "bootorder"),
            "/pci@i0cf8/ide@1,1/drive@1/disk@0\n"
            "/pci@i0cf8/ide@1,1/drive@1/disk@1\n"
            "/pci@i0cf8/ide@1,1/drive@0/disk@0");
}

TEST(PcBoot, PciDevicesAreNamedByClassElseByTheirIds) {
  Pc pc;
  const Device* edu = plug(pc, "edu", {{"addr", "7.0"}});
  EXPECT_EQ(firmware_path(*edu), "/pci@i0cf8/pci1234,11e8@7");
}

}  // namespace
}  // namespace rhea::test
