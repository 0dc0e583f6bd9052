// SPDX-License-Identifier: GPL-2.0-or-later
// The microvm board: what is on it, what its firmware is told, how it ends.
#include "hw/acpi/generic_events.h"
#include "hw/i386/device_tree.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/snapshot.h"
#include "rhea/util/keyval.h"
#include "softmmu/boot_options.h"
#include "tests/block/temp_dir.h"
#include "tests/board/firmware_view.h"
#include "tests/support/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libfdt.h>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <stdexcept>

namespace rhea::test {
namespace {

using hw::GenericEvents;
using testing::HasSubstr;

constexpr u32 kMagicValue = 0x7472'6976;

using Said = std::vector<std::pair<std::string, std::string>>;

MachineConfig with_ram(u64 bytes) {
  MachineConfig config;
  config.ram_size = bytes;
  return config;
}

/// The board with these properties, and devices on it.
struct Microvm {
  explicit Microvm(const Said& properties = {}, u64 ram = 128 * MiB, std::string_view boot = {})
      : pc(with_ram(ram), [&](Machine& machine) {
          EXPECT_TRUE(machine.service<BootOptions>().add(*KeyValues::parse(boot, "order")));
          auto& service = machine.service<hw::BoardService>();
          service.type = "microvm";
          service.properties = properties;
          machine.on_machine_ready([this, &machine] { plug(machine); });
        }) {}
  // Before the board looks for them.
  static void plug(Machine& machine) { EXPECT_TRUE(machine.plug("virtio-rng-device", {})); }
  u64 load(u64 address, unsigned size) { return pc.machine().memory().load(address, size); }
  Pc pc;
};

std::string why_not(const Said& properties, std::string_view boot = {}) {
  try {
    const Microvm made(properties, 128 * MiB, boot);
    return "ok";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

std::size_t place_of(const std::vector<u8>& bytes, std::string_view text) {
  const std::vector<u8> wanted(text.begin(), text.end());
  return static_cast<std::size_t>(std::ranges::search(bytes, wanted).begin() - bytes.begin());
}

u64 field_of(const std::vector<u8>& bytes, std::size_t at, unsigned size) {
  u64 value = 0;
  for (unsigned n = 0; n < size; ++n) value |= u64{bytes.at(at + n)} << (8 * n);
  return value;
}

/// A table of etc/acpi/tables, from its signature on.
std::vector<u8> acpi_table(Microvm& board, std::string_view signature) {
  const std::vector<u8> all = fw_cfg_file(board.pc, "etc/acpi/tables");
  const std::size_t at = place_of(all, signature);
  if (at == all.size()) return {};
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(at);
  return {begin, begin + static_cast<std::ptrdiff_t>(field_of(all, at + 4, 4))};
}

TEST(Microvm, WithAcpiHas24TransportsOnASecondIoApic) {
  Microvm board;
  EXPECT_EQ(board.load(0xfeb0'0000, 4), kMagicValue);
  EXPECT_EQ(board.load(0xfeb0'2e00, 4), kMagicValue);
  EXPECT_NE(board.load(0xfeb0'3000, 4), kMagicValue);
  EXPECT_EQ(board.load(0xfec1'0000, 4), 0u);
}

TEST(Microvm, WithoutItHasEight) {
  Microvm board(Said{{"acpi", "off"}});
  EXPECT_EQ(board.load(0xfeb0'0e00, 4), kMagicValue);
  EXPECT_NE(board.load(0xfeb0'1000, 4), kMagicValue);
  EXPECT_NE(board.load(0xfec1'0000, 4), 0u);
  EXPECT_TRUE(fw_cfg_file(board.pc, "etc/acpi/tables").empty());
}

TEST(Microvm, DevicesTakeTheLastTransportFirst) {
  Microvm board;
  EXPECT_EQ(board.load(0xfeb0'2e08, 4), 4u);
  EXPECT_EQ(board.load(0xfeb0'2c08, 4), 0u);
}

TEST(Microvm, TheMenuItsTimesAndThePictureReachTheFirmware) {
  const TempDir folder;
  const std::string picture = folder.path() / "a";
  std::ofstream(picture) << "\xff\xd8 and so on";
  Microvm board(Said{}, 128 * MiB, "menu=on,splash-time=70,reboot-timeout=700,splash=" + picture);
  EXPECT_EQ(fw_cfg_item(board.pc, 0x0e, 2), 1U);
  EXPECT_EQ(fw_cfg_file(board.pc, "etc/boot-menu-wait"), (std::vector<u8>{70, 0}));
  EXPECT_EQ(fw_cfg_file(board.pc, "etc/boot-fail-wait"), (std::vector<u8>{0xbc, 2, 0, 0}));
  EXPECT_EQ(fw_cfg_text(board.pc, "bootsplash.jpg"), "\xff\xd8 and so on");
}

TEST(Microvm, AnOrderOfDrivesThatItHasNotIsSaid) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(why_not({}, "order=dc"), "ok");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("-boot order=dc: this board has no order of drives"));
  EXPECT_THAT(why_not({}, "once=d"), HasSubstr("-boot once=d: this board has no order of drives"));
}

TEST(Microvm, MemoryBeyond3GiBLiesAbove4) {
  Microvm board(Said{}, 4 * GiB);
  board.pc.machine().memory().store(0xbfff'fff8, 0x1234, 8);
  board.pc.machine().memory().store(0x1'3fff'fff8, 0x5678, 8);
  EXPECT_EQ(board.load(0xbfff'fff8, 8), 0x1234u);
  EXPECT_EQ(board.load(0x1'3fff'fff8, 8), 0x5678u);
  EXPECT_EQ(board.load(0x1'4000'0000, 8), ~u64{0});
}

TEST(Microvm, FirmwareThatWasWrittenToIsNewAfterAReset) {
  Microvm board;
  const u64 before = board.load(0xffff'fff0, 8);
  board.pc.machine().memory().store(0xf'fff0, 0, 8);
  EXPECT_EQ(board.load(0xffff'fff0, 8), 0u) << "it is memory";
  board.pc.machine().reset_now(ShutdownCause::GuestReset, ResetKind::Warm);
  EXPECT_EQ(board.load(0xffff'fff0, 8), before);
}

TEST(Microvm, ADevicesInterruptReachesTheSecondIoApic) {
  Microvm board;
  std::vector<u32> vectors;
  board.pc.machine().interrupts.send_msi = [&](const MsiMessage& message) {
    vectors.push_back(message.data & 0xff);
  };
  AddressSpace& memory = board.pc.machine().memory();
  memory.store(0xfec1'0000, 0x10 + 2 * 23, 4);
  memory.store(0xfec1'0010, 0x8051, 4);  // level-triggered
  board.pc.machine().interrupts.gsi(47).set(true);
  EXPECT_EQ(vectors, std::vector<u32>{0x51});
  board.pc.machine().interrupts.ioapic->end_of_interrupt(0x51);
  EXPECT_EQ(vectors, (std::vector<u32>{0x51, 0x51})) << "it is still high";
}

TEST(Microvm, TablesSumToNothingAndNameOneAnother) {
  Microvm board;
  const std::vector<u8> fadt = acpi_table(board, "FACP");
  EXPECT_EQ(fadt.size(), 268u);
  EXPECT_EQ(fadt[8], 5u);
  EXPECT_EQ(field_of(fadt, 112, 4), 0x0010'0400u) << "hardware-reduced, with a reset register";
  EXPECT_EQ(field_of(fadt, 120, 8), 0xfea0'0202u);
  EXPECT_EQ(fadt[128], 0x42u);
  EXPECT_EQ(field_of(fadt, 248, 8), 0xfea0'0200u);
  EXPECT_EQ(field_of(fadt, 260, 8), 0xfea0'0201u);
  EXPECT_EQ(acpi_table(board, "XSDT").size(), 36u + 2 * 8);
  EXPECT_EQ(fw_cfg_file(board.pc, "etc/acpi/rsdp").size(), 36u);
}

TEST(Microvm, TheFadtTellsOfAClockThatIsNotThere) {
  Microvm with, without(Said{{"rtc", "off"}});
  EXPECT_EQ(field_of(acpi_table(with, "FACP"), 109, 2), 0u);
  EXPECT_EQ(field_of(acpi_table(without, "FACP"), 109, 2), 0x20u);
}

TEST(Microvm, AcpiIsThereUnlessItIsOff) {
  Microvm board(Said{{"acpi", "auto"}});
  EXPECT_FALSE(acpi_table(board, "FACP").empty());
}

TEST(Microvm, TheDsdtHasTheDevicesThatThereAre) {
  Microvm board;
  const std::vector<u8> dsdt = acpi_table(board, "DSDT");
  const std::size_t at = place_of(dsdt, "VR23");
  ASSERT_LT(at, dsdt.size());
  EXPECT_EQ(place_of(dsdt, "VR22"), dsdt.size());
  const std::string resources(
      "\x86\x09\x00\x01\x00\x2e\xb0\xfe\x00\x02\x00\x00"
      "\x89\x06\x00\x01\x01\x2f\x00\x00\x00\x79\x00",
      23);
  EXPECT_LT(place_of(dsdt, resources), dsdt.size());
  EXPECT_LT(place_of(dsdt, "LNRO0005"), dsdt.size());
}

TEST(Microvm, TheMadtHasBothIoApics) {
  Microvm board;
  const std::vector<u8> madt = acpi_table(board, "APIC");
  const std::string second("\x01\x0c\x01\x00\x00\x00\xc1\xfe\x18\x00\x00\x00", 12);
  EXPECT_LT(place_of(madt, second), madt.size());
  Microvm one(Said{{"ioapic2", "off"}});
  const std::vector<u8> less = acpi_table(one, "APIC");
  EXPECT_EQ(place_of(less, second), less.size());
  EXPECT_EQ(one.load(0xfeb0'0e08, 4), 4u) << "of eight transports the last";
}

TEST(Microvm, ItsDeviceTreeNamesDevicesAndInterrupts) {
  Microvm board;
  const std::vector<u8> tree = fw_cfg_file(board.pc, "etc/fdt");
  ASSERT_EQ(fdt_check_full(tree.data(), tree.size()), 0);
  EXPECT_STREQ(static_cast<const char*>(fdt_getprop(tree.data(), 0, "compatible", nullptr)),
               "linux,microvm");
  const int device = fdt_path_offset(tree.data(), "/virtio_mmio@feb02e00");
  ASSERT_GE(device, 0);
  const auto* line =
      static_cast<const u32*>(fdt_getprop(tree.data(), device, "interrupts", nullptr));
  EXPECT_EQ(fdt32_to_cpu(line[0]), 23u);
  const u32 parent = fdt32_to_cpu(
      *static_cast<const u32*>(fdt_getprop(tree.data(), device, "interrupt-parent", nullptr)));
  EXPECT_EQ(fdt_node_offset_by_phandle(tree.data(), parent),
            fdt_path_offset(tree.data(), "/ioapic2@fec10000"));
  EXPECT_GE(fdt_path_offset(tree.data(), "/serial@3f8"), 0);
  EXPECT_GE(fdt_path_offset(tree.data(), "/rtc@70"), 0);
}

TEST(Microvm, ItsStateIsSavedAndLoaded) {
  Microvm board;
  const auto saved = save_machine(board.pc.machine());
  board.pc.machine().memory().store(0xfec1'0000, 0x10, 4);
  board.pc.machine().reset_now(ShutdownCause::GuestReset, ResetKind::Warm);
  ASSERT_TRUE(load_machine(board.pc.machine(), saved));
  EXPECT_EQ(save_machine(board.pc.machine()), saved);
}

TEST(Microvm, WhatIsNotWantedIsNotThere) {
  Microvm board(Said{{"pic", "off"}, {"pit", "off"}, {"rtc", "off"}, {"isa-serial", "off"}});
  const auto& io = board.pc.machine().io();
  EXPECT_EQ(io.load(0x21, 1), 0xffu);
  EXPECT_EQ(io.load(0x71, 1), 0xffu);
  EXPECT_EQ(io.load(0x3fd, 1), 0xffu);
  const std::vector<u8> tree = fw_cfg_file(board.pc, "etc/fdt");
  EXPECT_LT(fdt_path_offset(tree.data(), "/serial@3f8"), 0);
}

TEST(Microvm, RefusesWhatItHasNot) {
  EXPECT_THAT(why_not({{"pcie", "on"}}), HasSubstr("'pcie' is not there"));
  EXPECT_THAT(why_not({{"usb", "on"}}), HasSubstr("'usb' is not there"));
  EXPECT_THAT(why_not({{"acpi", "off"}, {"ioapic2", "on"}}), HasSubstr("ioapic2=on"));
  EXPECT_EQ(why_not({{"pcie", "off"}, {"usb", "off"}}), "ok");
}

// ---- Power

class GenericEventsTest : public testing::Test {
 protected:
  GenericEventsTest() {
    device.connect_gpio_out("", 0, bench.machine().interrupts.gsi(GenericEvents::kGsi));
    bench.machine().on_event(
        [this](MachineEvent event, ShutdownCause) { events.push_back(event); });
  }
  u64 events_told() { return bench.load(GenericEvents::kSelectorAt, 4); }
  void control(u64 at, u64 value) { bench.store(GenericEvents::kControlAt + at, value, 1); }
  Bench bench;
  Device& device = bench.add("acpi-ged-x86");
  std::vector<MachineEvent> events;
};

TEST_F(GenericEventsTest, ThePowerButtonIsAnEventThatIsToldOnce) {
  bench.machine().request_powerdown();
  bench.machine().settle_requests();
  EXPECT_EQ(bench.irq_edges(GenericEvents::kGsi), 1u);
  EXPECT_EQ(events_told(), GenericEvents::kPowerButton);
  EXPECT_EQ(events_told(), 0u);
}

TEST_F(GenericEventsTest, AnEventThatNobodyHasSeenIsSaved) {
  bench.machine().request_powerdown();
  bench.machine().settle_requests();
  const auto saved = bench.save();
  bench.reset();
  EXPECT_EQ(events_told(), 0u);
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(events_told(), GenericEvents::kPowerButton);
}

TEST_F(GenericEventsTest, SleepStateFiveIsOff) {
  control(0, 5 << 2);
  control(0, 1 << 5 | 3 << 2);
  bench.machine().settle_requests();
  EXPECT_EQ(bench.machine().exit_code(), std::nullopt);
  control(0, 1 << 5 | 5 << 2);
  bench.machine().settle_requests();
  EXPECT_EQ(bench.machine().exit_code(), 0);
}

TEST_F(GenericEventsTest, TheResetRegisterTakesOneValue) {
  control(2, 0x41);
  bench.machine().settle_requests();
  EXPECT_EQ(std::ranges::count(events, MachineEvent::Reset), 0);
  control(2, 0x42);
  bench.machine().settle_requests();
  EXPECT_EQ(std::ranges::count(events, MachineEvent::Reset), 1);
}

TEST_F(GenericEventsTest, RegistersAreBytes) {
  EXPECT_EQ(bench.load(GenericEvents::kControlAt, 1), 0u);
  EXPECT_EQ(bench.load(GenericEvents::kControlAt + 1, 1), 0u);
  bench.store(GenericEvents::kControlAt, 0x34, 2);
  bench.machine().settle_requests();
  EXPECT_EQ(bench.machine().exit_code(), std::nullopt);
}

}  // namespace
}  // namespace rhea::test
