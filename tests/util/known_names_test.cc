// SPDX-License-Identifier: GPL-2.0-or-later
// What is said of names that Rhea does not have.
#include "rhea/util/known_names.h"

#include <gtest/gtest.h>

namespace rhea {
namespace {

const std::vector<std::string_view> kOptions = {"boot", "cdrom", "device", "drive", "hda", "m"};

TEST(KnownNames, AnOptionOfQemusIsNamedWithWhatToUse) {
  EXPECT_EQ(
      about_unknown(NameKind::Option, "spice", kOptions),
      "QEMU has this; Rhea has not yet: use -display curses, or QMP's screendump and send-key");
  EXPECT_EQ(about_unknown(NameKind::Option, "xen-attach", kOptions),
            "QEMU has this; Rhea has not yet: use -accel kvm or -accel tcg");
  EXPECT_EQ(about_unknown(NameKind::Device, "tpci200", {}), "QEMU has this; Rhea has not yet");
}

TEST(KnownNames, WhatQemuDroppedHasALineForToday) {
  EXPECT_EQ(about_unknown(NameKind::Option, "nodefconfig", kOptions),
            "QEMU 7.2 has this no longer: write -no-user-config");
  EXPECT_EQ(about_unknown(NameKind::Option, "watchdog", kOptions),
            "QEMU 7.2 has this no longer: write -device MODEL, as in -device i6300esb");
}

TEST(KnownNames, OldBoardsHaveALineForToday) {
  EXPECT_EQ(about_unknown(NameKind::Machine, "pc-1.0", {"pc"}),
            "QEMU 7.2 has this no longer: write -machine pc, or the oldest there is, "
            "pc-i440fx-1.4");
}

TEST(KnownNames, AMisspellingIsAnsweredWithTheNearestName) {
  EXPECT_EQ(about_unknown(NameKind::Option, "dirve", kOptions), "did you mean 'drive'?");
  EXPECT_EQ(about_unknown(NameKind::Option, "cd-rom", kOptions), "did you mean 'cdrom'?");
  EXPECT_EQ(about_unknown(NameKind::Option, "Device", kOptions), "did you mean 'device'?");
  EXPECT_EQ(about_unknown(NameKind::Option, "hdaa", kOptions), "did you mean 'hda'?");
  EXPECT_EQ(about_unknown(NameKind::Option, "monitro", kOptions), "did you mean 'monitor'?");
}

TEST(KnownNames, NothingIsSaidOfWhatIsLikeNoName) {
  EXPECT_EQ(about_unknown(NameKind::Option, "frobnicate", kOptions), "");
  EXPECT_EQ(about_unknown(NameKind::Option, "z", kOptions), "");
  EXPECT_EQ(about_unknown(NameKind::Option, "", kOptions), "");
  EXPECT_EQ(about_unknown(NameKind::Option, std::string(100'000, 'x'), kOptions), "");
}

TEST(KnownNames, EveryKindHasItsNames) {
  const auto has = [](NameKind kind, std::string_view name) {
    return !about_unknown(kind, name, {}).empty() &&
           about_unknown(kind, name, {}).starts_with("QEMU has this");
  };
  EXPECT_TRUE(has(NameKind::Device, "usb-net"));
  EXPECT_TRUE(has(NameKind::Object, "throttle-group"));
  EXPECT_TRUE(has(NameKind::Machine, "pc-q35-7.2"));
  EXPECT_TRUE(has(NameKind::MachineProperty, "memory-encryption"));
  EXPECT_TRUE(has(NameKind::Chardev, "spicevmc"));
  EXPECT_TRUE(has(NameKind::Display, "gtk"));
  EXPECT_TRUE(has(NameKind::Vga, "qxl"));
  EXPECT_TRUE(has(NameKind::LogItem, "out_asm"));
  EXPECT_TRUE(has(NameKind::QmpCommand, "blockdev-mirror"));
  EXPECT_TRUE(has(NameKind::QmpEvent, "BLOCK_JOB_COMPLETED"));
  EXPECT_TRUE(has(NameKind::HmpCommand, "savevm"));
  EXPECT_TRUE(has(NameKind::InfoCommand, "usb"));
}

TEST(KnownNames, WhatIsForOtherMachinesIsNotForThisTarget) {
  EXPECT_EQ(about_unknown(NameKind::Option, "prom-env", {}),
            "Option not supported for this target");
}

TEST(KnownNames, AFamilyOfDevicesHasOneAdvice) {
  EXPECT_EQ(about_unknown(NameKind::Device, "vmxnet3", {}),
            "QEMU has this; Rhea has not yet: use a network card that -device help lists, or "
            "-nic none");
  EXPECT_EQ(about_unknown(NameKind::Device, "usb-hub", {}),
            "QEMU has this; Rhea has not yet: leave it out: there is no USB");
  EXPECT_EQ(about_unknown(NameKind::Device, "usb-rocket-launcher", {}), "");
}

TEST(KnownNames, ParametersAreKnownOptionByOption) {
  EXPECT_EQ(about_unknown_parameter("-drive", "bps_rd", {"file", "format"}),
            "QEMU has this; Rhea has not yet: leave it out: disks have no limits");
  EXPECT_EQ(about_unknown_parameter("-drive", "formt", {"file", "format"}),
            "did you mean 'format'?");
  EXPECT_EQ(about_unknown_parameter("-m", "bps_rd", {"size"}), "");
}

TEST(KnownNames, PropertiesAreKnownDeviceByDevice) {
  EXPECT_EQ(about_unknown_property("ide-hd", "logical_block_size", {"drive", "serial"}),
            "QEMU has this; Rhea has not yet: leave it out");
  EXPECT_EQ(about_unknown_property("ide-hd", "serail", {"drive", "serial"}),
            "did you mean 'serial'?");
  EXPECT_EQ(about_unknown_property("VGA", "vgamem", {"vgamem_mb"}), "did you mean 'vgamem_mb'?");
  EXPECT_EQ(about_unknown_property("edu", "logical_block_size", {"dma_mask"}), "");
  EXPECT_EQ(about_unknown_property("virtio-blk-pci-non-transitional", "ats", {"drive"}),
            "QEMU has this; Rhea has not yet: leave it out");
  EXPECT_EQ(about_unknown_property("e1000-82544gc", "acpi-index", {"mac"}),
            "QEMU has this; Rhea has not yet: leave it out");
  EXPECT_EQ(about_unknown_property("VGAs", "acpi-index", {"xres"}), "");
}

}  // namespace
}  // namespace rhea
