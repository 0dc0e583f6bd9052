// SPDX-License-Identifier: GPL-2.0-or-later
// Input devices: what they say they are, and what becomes of keys and movements.
#include "hw/virtio/virtio_input.h"

#include "tests/virtio/pci_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace rhea::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace input = hw::virtio_input;

constexpr u64 kEventsAt = 0x20'0000, kConfigAt = 0x2000;
constexpr KeyNumber kKeyA = 0x1e, kKeyUp = 0xc8, kNoKey = 0xff;

class VirtioInputTest : public testing::Test {
 protected:
  void use(std::string_view type, const Properties& properties = {}) {
    driver.emplace(bench, type, properties);
  }
  /// The driver comes up, with so many buffers.
  void begin(unsigned buffers = 8) {
    ring = driver->start(kVersion1, {.entries = 64});
    offer(buffers);
  }
  void offer(unsigned buffers) {
    for (unsigned n = 0; n < buffers; ++n)
      ring->add({{kEventsAt + input::kEventBytes * offered++, input::kEventBytes, true}});
    driver->notify(0);
  }
  /// "type code value" of each event that came.
  std::vector<std::string> events() {
    std::vector<std::string> all;
    while (ring->take_used()) {
      const u64 at = kEventsAt + input::kEventBytes * taken++;
      all.push_back(fmt::format("{} {:#x} {}", bench.load(at, 2), bench.load(at + 2, 2),
                                static_cast<i32>(bench.load(at + 4, 4))));
    }
    return all;
  }
  std::vector<u8> look(u8 select, u8 subselect = 0) {
    driver->modern(kConfigAt + input::kSelectAt, select, 1);
    driver->modern(kConfigAt + input::kSubselectAt, subselect, 1);
    std::vector<u8> data(driver->modern(kConfigAt + input::kSizeAt, 1));
    for (std::size_t n = 0; n < data.size(); ++n)
      data[n] = static_cast<u8>(driver->modern(kConfigAt + input::kDataAt + n, 1));
    return data;
  }
  std::string text(u8 select) {
    const auto data = look(select);
    return {data.begin(), data.end()};
  }
  InputHub& hub() { return bench.machine().service<InputHub>(); }

  Bench bench;
  std::optional<VirtioPciDriver> driver;
  std::unique_ptr<RingDriver> ring;
  unsigned offered{0}, taken{0};
};

TEST_F(VirtioInputTest, AKeyboardSaysWhatItIs) {
  use("virtio-keyboard-pci", {{"serial", "k1"}});
  EXPECT_EQ(text(input::kIdName), "QEMU Virtio Keyboard");
  EXPECT_EQ(text(input::kIdSerial), "k1");
  EXPECT_THAT(look(input::kIdDevices), ElementsAre(6, 0, 0x27, 6, 1, 0, 1, 0));
  EXPECT_THAT(look(input::kEventBits, input::kLed), ElementsAre(7));
  EXPECT_THAT(look(input::kEventBits, input::kRepeat), ElementsAre(1));
  const auto keys = look(input::kEventBits, input::kKey);
  ASSERT_GT(keys.size(), 13u);
  EXPECT_EQ(keys[30 / 8] >> (30 % 8) & 1, 1) << "A";
  EXPECT_EQ(keys[103 / 8] >> (103 % 8) & 1, 1) << "up";
}

TEST_F(VirtioInputTest, WhatThereIsNotHasNoSize) {
  use("virtio-keyboard-pci");
  EXPECT_THAT(look(input::kEventBits, input::kRel), IsEmpty());
  EXPECT_THAT(look(input::kIdName, 1), IsEmpty());
  EXPECT_THAT(look(0x77), IsEmpty());
}

TEST_F(VirtioInputTest, AMouseSaysWhatItIs) {
  use("virtio-mouse-pci");
  EXPECT_EQ(text(input::kIdName), "QEMU Virtio Mouse");
  EXPECT_THAT(look(input::kEventBits, input::kRel), ElementsAre(3, 1));
  EXPECT_EQ(look(input::kEventBits, input::kKey).back(), 0x1f);
}

TEST_F(VirtioInputTest, ATabletSaysWhatItIs) {
  use("virtio-tablet-pci");
  EXPECT_EQ(text(input::kIdName), "QEMU Virtio Tablet");
  EXPECT_THAT(look(input::kIdDevices), ElementsAre(6, 0, 0x27, 6, 3, 0, 1, 0));
  EXPECT_THAT(look(input::kEventBits, input::kAbs), ElementsAre(3));
  EXPECT_THAT(look(input::kEventBits, input::kRel), ElementsAre(0, 1)) << "the wheel";
  std::vector<u8> range(20);
  range[4] = 0xff;
  range[5] = 0x7f;
  EXPECT_EQ(look(input::kAxisRange, input::kAxisX), range);
  EXPECT_EQ(look(input::kAxisRange, input::kAxisY), range);
  EXPECT_THAT(look(input::kAxisRange, 2), IsEmpty());
}

TEST_F(VirtioInputTest, AMouseHasNoRange) {
  use("virtio-mouse-pci");
  EXPECT_THAT(look(input::kAxisRange, input::kAxisX), IsEmpty());
}

TEST_F(VirtioInputTest, ATabletTellsPlaces) {
  use("virtio-tablet-pci");
  begin();
  hub().pointer({.buttons = 1, .place = PointerPlace{.x = 0, .y = 0x7fff}});
  EXPECT_THAT(events(), ElementsAre("3 0x0 0", "3 0x1 32767", "1 0x110 1", "0 0x0 0"));
}

TEST_F(VirtioInputTest, PlacesGoToTheTabletAndMovesToTheMouse) {
  unsigned moves = 0;
  InputPort mouse;
  mouse.open(bench.machine(), {.name = "mouse", .move = [&](const PointerEvent& event) {
                                 EXPECT_EQ(event.buttons, 0);
                                 moves += static_cast<unsigned>(event.dx);
                               }});
  use("virtio-tablet-pci");
  begin();
  hub().pointer({.dx = 2, .buttons = 1});
  EXPECT_EQ(moves, 2u);
  EXPECT_THAT(events(), ElementsAre("1 0x110 1", "0 0x0 0"));
  hub().pointer({.buttons = 1, .place = PointerPlace{.x = 7, .y = 8}});
  EXPECT_EQ(moves, 2u);
  EXPECT_THAT(events(), ElementsAre("3 0x0 7", "3 0x1 8", "0 0x0 0"));
}

TEST_F(VirtioInputTest, KeysAreTold) {
  use("virtio-keyboard-pci");
  begin();
  hub().key(kKeyA, true);
  hub().key(kKeyA, false);
  hub().key(kKeyUp, true);
  EXPECT_THAT(events(),
              ElementsAre("1 0x1e 1", "0 0x0 0", "1 0x1e 0", "0 0x0 0", "1 0x67 1", "0 0x0 0"));
  EXPECT_TRUE(driver->interrupted());
}

TEST_F(VirtioInputTest, AKeyWithoutANumberIsNone) {
  use("virtio-keyboard-pci");
  begin();
  hub().key(kNoKey, true);
  EXPECT_THAT(events(), IsEmpty());
}

TEST_F(VirtioInputTest, MovementsAndButtonsAreToldTogether) {
  use("virtio-mouse-pci");
  begin();
  hub().pointer({.dx = 5, .dy = -3, .dz = 1, .buttons = 2});
  EXPECT_THAT(events(), ElementsAre("2 0x0 5", "2 0x1 -3", "2 0x8 1", "1 0x111 1", "0 0x0 0"));
  hub().pointer({.buttons = 0});
  EXPECT_THAT(events(), ElementsAre("1 0x111 0", "0 0x0 0"));
}

TEST_F(VirtioInputTest, AWheelMayBeButtons) {
  use("virtio-mouse-pci", {{"wheel-axis", "off"}});
  begin();
  hub().pointer({.dz = -1});
  EXPECT_THAT(events(), ElementsAre("1 0x150 1", "0 0x0 0", "1 0x150 0", "0 0x0 0"));
}

TEST_F(VirtioInputTest, WhatNothingHappenedToIsNotTold) {
  use("virtio-mouse-pci");
  begin();
  hub().pointer({});
  EXPECT_THAT(events(), IsEmpty());
}

TEST_F(VirtioInputTest, EventsWaitForBuffers) {
  use("virtio-keyboard-pci");
  begin(1);
  hub().key(kKeyA, true);
  EXPECT_THAT(events(), ElementsAre("1 0x1e 1"));
  offer(1);
  EXPECT_THAT(events(), ElementsAre("0 0x0 0"));
}

TEST_F(VirtioInputTest, WhatWaitsIsSaved) {
  use("virtio-keyboard-pci");
  begin(0);
  hub().key(kKeyA, true);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  offer(2);
  EXPECT_THAT(events(), ElementsAre("1 0x1e 1", "0 0x0 0"));
}

TEST_F(VirtioInputTest, WhatCameWhileTheMachineStoodIsToldWhenItGoesOn) {
  use("virtio-keyboard-pci");
  begin();
  bench.machine().resume();
  bench.machine().pause();
  hub().key(kKeyA, false);
  EXPECT_THAT(events(), IsEmpty());
  bench.machine().resume();
  EXPECT_THAT(events(), ElementsAre("1 0x1e 0", "0 0x0 0"));
}

TEST_F(VirtioInputTest, ADriverThatTakesNothingIsNotWaitedForWithoutEnd) {
  use("virtio-keyboard-pci");
  begin(0);
  for (unsigned n = 0; n < 200; ++n) hub().key(kKeyA, n % 2 == 0);
  for (unsigned n = 0; n < 10; ++n) offer(60), static_cast<void>(events());
  EXPECT_EQ(taken, 256u);
}

TEST_F(VirtioInputTest, ThePs2KeyboardHasTheKeysWhileNoDriverIsThere) {
  unsigned other = 0;
  InputPort port;
  port.open(bench.machine(), {.name = "other", .key = [&other](KeyNumber, bool) { ++other; }});
  use("virtio-keyboard-pci");
  hub().key(kKeyA, true);
  EXPECT_EQ(other, 1u);
  begin();
  hub().key(kKeyA, true);
  EXPECT_EQ(other, 1u);
  driver->set_status(0);
  hub().key(kKeyA, true);
  EXPECT_EQ(other, 2u);
}

TEST_F(VirtioInputTest, WhatIsLoadedHasTheKeysThatWhatWasSavedHad) {
  unsigned other = 0;
  InputPort port;
  port.open(bench.machine(), {.name = "other", .key = [&other](KeyNumber, bool) { ++other; }});
  use("virtio-keyboard-pci");
  const auto before = bench.save();
  begin();
  const auto ready = bench.save();
  ASSERT_TRUE(bench.load(before));
  hub().key(kKeyA, true);
  EXPECT_EQ(other, 1u);
  ASSERT_TRUE(bench.load(ready));
  hub().key(kKeyA, true);
  EXPECT_EQ(other, 1u);
}

TEST_F(VirtioInputTest, ThePs2MouseHasThePointerAgainAfterAnUnplug) {
  unsigned other = 0;
  InputPort port;
  port.open(bench.machine(), {.name = "other", .move = [&other](const PointerEvent&) { ++other; }});
  use("virtio-mouse-pci");
  begin();
  hub().pointer({.dx = 1});
  EXPECT_EQ(other, 0u);
  ASSERT_TRUE(bench.machine().unplug(driver->device()));
  hub().pointer({.dx = 1});
  EXPECT_EQ(other, 1u);
}

TEST_F(VirtioInputTest, LampsAreTaken) {
  use("virtio-keyboard-pci");
  begin();
  const RingPlace place{
      .descriptors = 0x4'0000, .driver = 0x4'4000, .device = 0x4'8000, .entries = 8};
  driver->enable_queue(1, place);
  SplitDriver lamps(bench.machine().memory(), place);
  lamps.add({{kEventsAt, input::kEventBytes}});
  driver->notify(1);
  EXPECT_NE(lamps.take_used(), std::nullopt);
}

TEST_F(VirtioInputTest, ALongNumberIsRefused) {
  const auto made = bench.try_add("virtio-keyboard-pci", {{"serial", std::string(129, 'x')}});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message(), HasSubstr("longer than 128"));
}

TEST_F(VirtioInputTest, ThereIsNoLegacyOne) {
  use("virtio-keyboard-pci");
  EXPECT_EQ(bench.config_read(VirtioPciDriver::kDevfn, pci::kDeviceId, 2), 0x1052u);
  EXPECT_FALSE(bench.try_add("virtio-mouse-pci", {{"disable-legacy", "off"}}));
}

}  // namespace
}  // namespace rhea::test
