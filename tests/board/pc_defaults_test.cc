// SPDX-License-Identifier: GPL-2.0-or-later
// Which devices a PC has although nobody asked for them, and what takes them away.
#include "rhea/util/option.h"
#include "softmmu/default_devices.h"
#include "tests/support/pc.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

namespace rhea::test {
namespace {

std::string defaults_of(Pc& pc) {
  std::string left;
  for (const Device* device : pc.devices())
    for (const std::string_view type :
         {"isa-serial", "isa-parallel", "floppy", "ide-cd", "VGA", "e1000"})
      if (device->type().name == type) left += fmt::format("{} ", type);
  return left;
}

/// The default devices of a machine for which options were given, before any is applied.
std::string left_by(std::vector<std::pair<std::string_view, std::string>> given) {
  Pc pc({}, [&given](Machine& machine) {
    for (const auto& [option, argument] : given) find_option(option)->foresee(machine, argument);
  });
  return defaults_of(pc);
}

std::string left_with_option(std::string_view option, const std::string& argument) {
  Pc pc({}, [&](Machine& machine) {
    EXPECT_TRUE(find_option(option)->apply(machine, argument)) << option;
  });
  return defaults_of(pc);
}

constexpr std::string_view kAll = "isa-serial isa-parallel VGA e1000 ide-cd floppy ";

class StandsInFor : public testing::TestWithParam<std::pair<std::string_view, std::string_view>> {};

TEST_P(StandsInFor, ItsDefaultDevice) {
  const auto [driver, replaced] = GetParam();
  const std::string left = left_by({{"device", fmt::format("{},id=x", driver)}});
  std::string expected(kAll);
  if (!replaced.empty()) expected.erase(expected.find(replaced), replaced.size() + 1);
  EXPECT_EQ(left, expected);
  EXPECT_EQ(left_by({{"global", fmt::format("{}.x=y", driver)}}), expected);
}

// Seen in QEMU 7.2, driver by driver.
INSTANTIATE_TEST_SUITE_P(
    Drivers, StandsInFor,
    testing::Values(std::pair{"isa-serial", "isa-serial"}, std::pair{"floppy", "floppy"},
                    std::pair{"ide-cd", "ide-cd"}, std::pair{"ide-hd", "ide-cd"},
                    std::pair{"scsi-cd", "ide-cd"}, std::pair{"scsi-hd", "ide-cd"},
                    std::pair{"VGA", "VGA"}, std::pair{"isa-vga", "VGA"},
                    std::pair{"cirrus-vga", "VGA"}, std::pair{"isa-cirrus-vga", "VGA"},
                    std::pair{"vmware-svga", "VGA"}, std::pair{"qxl-vga", "VGA"},
                    std::pair{"virtio-vga", "VGA"}, std::pair{"virtio-vga-gl", "VGA"},
                    std::pair{"vhost-user-vga", "VGA"}, std::pair{"ati-vga", "VGA"},
                    std::pair{"isa-parallel", "isa-parallel"}, std::pair{"bochs-display", ""},
                    std::pair{"secondary-vga", ""}, std::pair{"pci-serial", ""},
                    std::pair{"e1000", ""}, std::pair{"scsi-block", ""},
                    std::pair{"usb-storage", ""}, std::pair{"virtio-blk-pci", ""},
                    std::pair{"virtio-gpu-pci", ""}, std::pair{"qxl", ""}));

TEST(PcDefaults, AFloppyControllerTakesTheDriveAway) {
  EXPECT_EQ(left_by({{"device", "isa-fdc"}}), "isa-serial isa-parallel VGA e1000 ide-cd ");
}

TEST(PcDefaults, AnyWordOfNetworksTakesTheCardAway) {
  const std::string rest = "isa-serial isa-parallel VGA ide-cd floppy ";
  EXPECT_EQ(left_with_option("nic", "none"), rest);
  EXPECT_EQ(left_with_option("net", "none"), rest);
  EXPECT_EQ(left_with_option("netdev", "user,id=n0"), rest);
}

TEST(PcDefaults, TheLongFormOfGlobalCountsToo) {
  EXPECT_EQ(left_by({{"global", "driver=ide-hd,property=serial,value=x"}}),
            "isa-serial isa-parallel VGA e1000 floppy ");
}

TEST(PcDefaults, ADriverThatIsGivenByItsKeyCountsToo) {
  EXPECT_EQ(left_by({{"device", "id=x,driver=VGA"}}),
            "isa-serial isa-parallel e1000 ide-cd floppy ");
}

TEST(PcDefaults, ADriverThatIsGivenInJsonCountsToo) {
  EXPECT_EQ(left_by({{"device", R"({"driver":"VGA","id":"x"})"}}),
            "isa-serial isa-parallel e1000 ide-cd floppy ");
}

TEST(PcDefaults, AnExplicitCardStaysBesideTheUsersOwn) {
  Pc pc({}, [](Machine& machine) {
    machine.service<DefaultDevices>().user_named("VGA");
    ASSERT_TRUE(find_option("vga")->apply(machine, "std"));
  });
  EXPECT_EQ(std::ranges::count(pc.devices(), "VGA",
                               [](const Device* device) { return device->type().name; }),
            1);
}

TEST(PcDefaults, NoParallelPortIsNone) {
  EXPECT_EQ(left_with_option("parallel", "none"), "isa-serial VGA e1000 ide-cd floppy ");
}

TEST(PcDefaults, ParallelPortsAreThreeAtMost) {
  const auto with_ports = [](unsigned count) {
    Pc pc({}, [count](Machine& machine) {
      for (unsigned i = 0; i < count; ++i)
        ASSERT_TRUE(find_option("parallel")->apply(machine, "null"));
    });
    return std::ranges::count(pc.devices(), "isa-parallel",
                              [](const Device* device) { return device->type().name; });
  };
  EXPECT_EQ(with_ports(3), 3);
  EXPECT_THROW(with_ports(4), std::runtime_error);
}

TEST(PcDefaults, TheUsersSerialPortIsTheFirst) {
  Pc pc({}, [](Machine& machine) { machine.service<DefaultDevices>().user_named("isa-serial"); });
  const auto port = pc.machine().plug("isa-serial", {});
  ASSERT_TRUE(port) << port.error().message();
  EXPECT_EQ(to_text((*port)->get("iobase").value()), "1016");
}

TEST(PcDefaults, TheSpeakerTakesASilentBackEnd) {
  Pc pc({}, [](Machine& machine) {
    ASSERT_TRUE(find_option("audiodev")->apply(machine, "none,id=a0"));
    ASSERT_TRUE(find_option("machine")->apply(machine, "pcspk-audiodev=a0"));
  });
  std::string found;
  for (Device* device : pc.devices())
    if (device->type().name == "isa-pcspk") found = to_text(device->get("audiodev").value());
  EXPECT_EQ(found, "a0");
}

}  // namespace
}  // namespace rhea::test
