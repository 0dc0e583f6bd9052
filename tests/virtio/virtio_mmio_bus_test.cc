// SPDX-License-Identifier: GPL-2.0-or-later
// What plugs into virtio-mmio's buses.
#include "hw/virtio/virtio_balloon.h"
#include "hw/virtio/virtio_input.h"
#include "hw/virtio/virtio_serial.h"
#include "rhea/ui/input.h"
#include "tests/support/changed_state.h"
#include "tests/support/fake_rng.h"
#include "tests/virtio/mmio_driver.h"
#include "tests/virtio/pci_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace rhea::test {
namespace {

using testing::Each;
using testing::HasSubstr;

constexpr u64 kSome = 0x2'0000;

class VirtioMmioBus : public testing::Test {
 protected:
  VirtioMmioBus() { source.there = 1000; }
  VirtioMmioDriver& use(bool legacy) {
    return driver.emplace(bench, legacy, "virtio-rng-device", Properties{{"rng", "source"}});
  }
  void ask() {
    ring->add({{kSome, 4, true}});
    driver->notify(0);
  }
  Bench bench;
  FakeRng& source = FakeRng::make(bench.machine(), "source");
  std::optional<VirtioMmioDriver> driver;
  std::unique_ptr<RingDriver> ring;
};

/// What arrives of what a driver says.
std::string said_by_console(bool legacy) {
  Bench bench;
  FakeChardev& screen = FakeChardev::make(bench, "screen");
  const VirtioMmioDriver console(bench, legacy, "virtio-serial-device", {{"max_ports", "1"}});
  bench.add("virtconsole", {{"chardev", "screen"}});
  if (!console.negotiate(legacy ? 0 : kVersion1)) return "no features";
  const auto out = console.enable_queue(1, VirtioMmioDriver::kRing);
  console.drive();
  bench.store(kSome, 'h', 1);
  out->add({{kSome, 1}});
  console.notify(1);
  return out->take_used() ? screen.written : "nothing was used";
}

TEST(VirtioMmioConsole, SpeaksForOldDriversAndNewOnes) {
  EXPECT_EQ(said_by_console(true), "h");
  EXPECT_EQ(said_by_console(false), "h");
}

TEST_F(VirtioMmioBus, ABalloonTakesPages) {
  driver.emplace(bench, true, "virtio-balloon-device", Properties{});
  ring = driver->start(0);
  bench.write(0x10'0000, std::vector<u8>(4096, 0xaa));
  bench.store(kSome, 0x100, 4);
  ring->add({{kSome, 4}});
  driver->notify(0);
  EXPECT_NE(ring->take_used(), std::nullopt);
  EXPECT_THAT(bench.read(0x10'0000, 4096), Each(0));
}

TEST_F(VirtioMmioBus, AKeyboardTellsKeys) {
  driver.emplace(bench, true, "virtio-keyboard-device", Properties{});
  ring = driver->start(0);
  ring->add({{kSome, 8, true}});
  driver->notify(0);
  bench.machine().service<InputHub>().key(0x1e, true);
  EXPECT_NE(ring->take_used(), std::nullopt);
  EXPECT_EQ(bench.load(kSome, 8), u64{1} << 32 | 0x1e << 16 | hw::virtio_input::kKey);
}

TEST_F(VirtioMmioBus, PointersSayWhatTheyAre) {
  const auto says = [](std::string_view type) {
    Bench other;
    const VirtioMmioDriver pointer(other, true, type, {});
    other.store(VirtioMmioDriver::kRegisters + 0x100, hw::virtio_input::kIdName, 1);
    return pointer.config(hw::virtio_input::kSizeAt, 1);
  };
  EXPECT_EQ(says("virtio-mouse-device"), std::string("QEMU Virtio Mouse").size());
  EXPECT_EQ(says("virtio-tablet-device"), std::string("QEMU Virtio Tablet").size());
}

TEST_F(VirtioMmioBus, WithoutADeviceItIsEmpty) {
  const VirtioMmioDriver empty(bench, false, "", {});
  EXPECT_EQ(empty.get(0x00), 0x7472'6976u);
  EXPECT_EQ(empty.get(0x08), 0u);
  EXPECT_EQ(empty.offered(), 0u);
  empty.drive();
  empty.notify(0);
  empty.put(0x64, 3);
  EXPECT_EQ(empty.status(), 0);
  EXPECT_EQ(empty.config(0, 4), 0u);
}

TEST_F(VirtioMmioBus, ThereIsRoomForOne) {
  use(false);
  const auto made = bench.try_add("virtio-rng-device", {{"rng", "source"}});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message(), HasSubstr("full"));
}

TEST_F(VirtioMmioBus, ADeviceThatGoesLeavesNothing) {
  use(false);
  ring = driver->start(kVersion1);
  ask();
  ASSERT_TRUE(bench.machine().unplug(*driver->device));
  EXPECT_EQ(driver->get(0x08), 0u);
  EXPECT_FALSE(driver->interrupted());
  bench.add("virtio-rng-device", {{"rng", "source"}});
  EXPECT_EQ(driver->get(0x08), 4u);
  EXPECT_EQ(driver->status(), 0);
}

TEST_F(VirtioMmioBus, TheBoardsOrderNamesPlaceAndBus) {
  bench.add("virtio-mmio", {{"number", "3"}});
  EXPECT_EQ(bench.load(0xfeb0'0600, 4), 0x7472'6976u);
  EXPECT_NE(bench.machine().find_bus("virtio-bus", "virtio-mmio-bus.3"), nullptr);
}

TEST_F(VirtioMmioBus, FirmwareFindsADiskByItsTransport) {
  make_fake_disk(bench, "disk0", 1 * MiB);
  bench.add("virtio-mmio", {{"number", "7"}});
  bench.add("virtio-blk-device", {{"drive", "disk0"}, {"bootindex", "1"}});
  const auto file = bench.machine().service<BootOrder>().file(false);
  EXPECT_EQ(std::string(file.begin(), file.end() - 1), "/virtio-mmio@00000000feb00e00/disk@0,0");
}

TEST_F(VirtioMmioBus, ARefusedStateChangesNoNumberOfQueues) {
  use(true);
  EXPECT_THAT(load_changed(*driver->transport, {"align-exponents"}, 0), HasSubstr("wrong length"));
  ring = driver->start(0);
  ask();
  EXPECT_NE(ring->take_used(), std::nullopt);
}

TEST_F(VirtioMmioBus, AStateOfOtherQueuesIsRefused) {
  use(false);
  const auto saved = bench.save();
  ASSERT_TRUE(bench.machine().unplug(*driver->device));
  EXPECT_FALSE(bench.load(saved));
}

}  // namespace
}  // namespace rhea::test
