// SPDX-License-Identifier: GPL-2.0-or-later
// The pc board as a whole: what is on it, how it resets, saves and loads, and what its memory map
// is.
#include "tests/support/pc.h"

#include "rhea/hw/pci.h"
#include "rhea/softmmu/snapshot.h"
#include "tests/conformance/fixture.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rhea::test {
namespace {

std::string range_of(Machine& machine, u64 address) {
  const RcuGuard guard;
  const FlatRange* range = machine.memory().view().find(address);
  if (range == nullptr) return "nothing";
  return fmt::format("{:x}-{:x} {}{}", range->first, range->last, range->region->name(),
                     range->readonly ? " (ro)" : "");
}

TEST(Pc, HasTheChipsetAtItsUsualPlaces) {
  Pc pc;
  auto& bus = *static_cast<PciBus*>(pc.machine().find_bus("PCI"));
  EXPECT_EQ(bus.config_read(0x00, 0, 4), 0x12378086u);
  EXPECT_EQ(bus.config_read(0x08, 0, 4), 0x70008086u);
  EXPECT_EQ(bus.config_read(0x09, 0, 4), 0x70108086u);
  EXPECT_EQ(bus.config_read(0x0b, 0, 4), 0x71138086u);
  EXPECT_EQ(bus.config_read(0x10, 0, 4), 0x11111234u);
  EXPECT_EQ(bus.config_read(0x18, 0, 4), 0x100e8086u);
  EXPECT_EQ(bus.config_read(0x20, 0, 4), 0xffffffffu);
}

TEST(Pc, ConfigurationMechanismOneReachesTheHostBridge) {
  Pc pc;
  pc.machine().io().store(0xcf8, 0x80000000, 4);
  EXPECT_EQ(pc.machine().io().load(0xcfc, 4), 0x12378086u);
}

TEST(Pc, TheMemoryMapAfterResetIsThatOfAPc) {
  Pc pc;
  Machine& machine = pc.machine();
  EXPECT_EQ(range_of(machine, 0), "0-9ffff pc.ram");
  EXPECT_EQ(range_of(machine, 0xfffffff0), "fffc0000-ffffffff pc.bios (ro)");
  EXPECT_EQ(range_of(machine, 0xf0000), "e0000-fffff pc.bios (ro)");
  EXPECT_EQ(range_of(machine, 0x100000), "100000-7ffffff pc.ram");
  EXPECT_EQ(range_of(machine, 0x8000000), "nothing");
  EXPECT_EQ(range_of(machine, 0xfec00000).substr(0, 8), "fec00000");
}

TEST(Pc, RamBeyondTheHoleLiesAboveFourGigabytes) {
  MachineConfig config;
  config.ram_size = 5 * GiB;
  Pc pc(config);
  EXPECT_EQ(range_of(pc.machine(), 0x100000), "100000-bfffffff pc.ram");
  EXPECT_EQ(range_of(pc.machine(), 0x100000000), "100000000-17fffffff pc.ram");
}

TEST(Pc, TheOldTimerAndInterruptControllersCanBeLeftOut) {
  const auto without = [](const char* part) {
    return [part](Machine& machine) {
      machine.service<hw::BoardService>().properties.emplace_back(part, "off");
    };
  };
  // Port 61 is the speaker's, which is the timer's; the 8259's mask reads as it was written.
  const auto has_pit = [](Pc& pc) { return pc.machine().io().load(0x61, 1) != 0xff; };
  const auto has_pic = [](Pc& pc) {
    pc.machine().io().store(0x21, 0x5a, 1);
    return pc.machine().io().load(0x21, 1) == 0x5a;
  };
  Pc whole, no_pit({}, without("pit")), no_pic({}, without("pic"));
  EXPECT_TRUE(has_pit(whole) && has_pic(whole));
  EXPECT_TRUE(!has_pit(no_pit) && has_pic(no_pit));
  EXPECT_TRUE(has_pit(no_pic) && !has_pic(no_pic));
  EXPECT_EQ(no_pit.machine().io().load(0x40, 1), 0xffu);
  // Lines have nowhere to go but the I/O APIC.
  no_pic.machine().interrupts.gsi(4).set(true);
  no_pic.machine().reset_now(ShutdownCause::SubsystemReset, ResetKind::Cold);
}

TEST(Pc, TwoBoardsLiveInOneProcess) {
  Pc one;
  Pc two;
  one.machine().memory().store(0x1000, 0x11, 1);
  EXPECT_EQ(two.machine().memory().load(0x1000, 1), 0u);
  one.machine().io().store(0x70, 0x40, 1);
  one.machine().io().store(0x71, 0x77, 1);
  two.machine().io().store(0x70, 0x40, 1);
  EXPECT_NE(two.machine().io().load(0x71, 1), 0x77u);
}

TEST(Pc, ASecondColdResetChangesNothing) {
  Pc pc;
  for (Device* device : pc.devices()) random_accesses(pc.machine(), *device, 3, 200);
  pc.machine().reset_now(ShutdownCause::SubsystemReset, ResetKind::Cold);
  const auto once = save_machine(pc.machine());
  pc.machine().reset_now(ShutdownCause::SubsystemReset, ResetKind::Cold);
  EXPECT_TRUE(save_machine(pc.machine()) == once);
}

TEST(Pc, SaveLoadSaveIsByteIdenticalInAnotherMachine) {
  Pc pc;
  for (Device* device : pc.devices()) random_accesses(pc.machine(), *device, 5, 200);
  const auto stream = save_machine(pc.machine());
  Pc other;
  const auto loaded = load_machine(other.machine(), stream);
  ASSERT_TRUE(loaded) << loaded.error().message();
  for (Device* device : pc.devices()) {
    StateWriter before;
    StateWriter after;
    save_object(*device, before);
    save_object(*other.machine().resolve(device->path()), after);
    EXPECT_EQ(before.data(), after.data()) << device->type().name;
  }
  EXPECT_TRUE(save_machine(other.machine()) == stream);
}

TEST(Pc, DamagedSnapshotsAreRefusedAndChangeNothing) {
  Pc pc;
  const auto stream = save_machine(pc.machine());
  for (std::size_t at = 0; at < stream.size(); at += stream.size() / 97 + 1) {
    auto bad = stream;
    bad[at] ^= 0x21;
    EXPECT_FALSE(load_machine(pc.machine(), bad)) << at;
    EXPECT_FALSE(load_machine(pc.machine(), std::span<const u8>(stream).first(at))) << at;
  }
  EXPECT_TRUE(save_machine(pc.machine()) == stream);
}

TEST(Pc, EveryDeviceSurvivesRandomAccesses) {
  Pc pc;
  for (Device* device : pc.devices()) {
    SCOPED_TRACE(device->type().name);
    random_accesses(pc.machine(), *device, 7, access_count(10'000));
  }
  pc.machine().reset_now(ShutdownCause::SubsystemReset, ResetKind::Cold);
  EXPECT_EQ(range_of(pc.machine(), 0x100000), "100000-7ffffff pc.ram");
}

TEST(Pc, RandomPortAccessesOverTheWholePortSpace) {
  Pc pc;
  std::mt19937_64 random(11);
  for (unsigned i = 0; i < access_count(100'000); ++i) {
    const unsigned size = 1u << random() % 3;
    const u64 port = random() % 2 == 0 ? random() % 0x400 : random() % 0x10000;
    if (random() % 2 == 0)
      pc.machine().io().load(port, size);
    else
      pc.machine().io().store(port, random(), size);
    if (i % 64 == 0)
      pc.machine().virtual_clock().advance_to(pc.machine().virtual_clock().now_ns() + 1'000'000);
  }
  pc.machine().reset_now(ShutdownCause::SubsystemReset, ResetKind::Cold);
  pc.machine().io().store(0xcf8, 0x80000000, 4);
  EXPECT_EQ(pc.machine().io().load(0xcfc, 4), 0x12378086u);
}

TEST(Pc, UnknownBoardsAndPropertiesAreErrors) {
  Machine machine;
  machine.service<accel::AccelService>().add_candidates("qtest");
  const DomainGuard guard(&machine.lock());
  ASSERT_TRUE(machine.service<accel::AccelService>().select());
  auto& board = machine.service<hw::BoardService>();
  board.type = "q36";
  EXPECT_EQ(
      hw::build_board(machine).error().message(),
      "-machine q36: unsupported machine type; -machine help lists them; did you mean 'q35'?");
  board.type = "pc";
  board.properties = {{"usb", "on"}};
  EXPECT_NE(hw::build_board(machine).error().message().find("usb"), std::string::npos);
}

}  // namespace
}  // namespace rhea::test
