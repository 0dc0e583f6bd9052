// SPDX-License-Identifier: GPL-2.0-or-later
// Commands that are under way while the host or their unit is reset, saved, stopped or taken out.
#include "tests/support/environment.h"
#include "tests/virtio/scsi_fixture.h"

#include <random>

namespace rhea::test {
namespace {

using testing::Each;

class VirtioScsiLife : public VirtioScsiTest {
 protected:
  void start_again() { begin(); }
  Bytes data_read() { return bench.read(kScsiData, 512); }
  Gate& gate() { return *gates["disk0"]; }
};

TEST_F(VirtioScsiLife, AResetForgetsAReadThatTheDiskIsAt) {
  use();
  gate().close();
  ask(ten(0x28, 1, 1), 0, 512);
  start_again();
  gate().open();
  ASSERT_TRUE(settle());
  EXPECT_THAT(data_read(), Each(0));
  EXPECT_EQ(requests->take_used(), std::nullopt);
  EXPECT_EQ(sense_of({0x00}), 0x62900u);
  EXPECT_TRUE(run(ten(0x28, 1, 1), 0, 512).good());
}

TEST_F(VirtioScsiLife, AWriteThatTheDriveHasIsDoneAfterAReset) {
  use();
  bench.write(kScsiData, Bytes(512, 0x77));
  gate().close();
  ask(ten(0x28, 0, 1), 0, 512);
  ask(ten(0x2a, 1, 1), 512);
  driver->set_status(0);
  gate().open();
  ASSERT_TRUE(settle());
  EXPECT_THAT(on_disk(512, 512), Each(0x77));
}

TEST_F(VirtioScsiLife, ResetsOverAndOverHoldNoMoreThanTheLimit) {
  use();
  gate().close();
  for (unsigned round = 0; round < 50; ++round) {
    for (unsigned n = 0; n < 8; ++n) ask(ten(0x2a, 0, 2048), 1 * MiB);
    start_again();
  }
  EXPECT_LE(backend().in_flight(), 33u);
  gate().open();
  ASSERT_TRUE(settle());
  hear();
  EXPECT_TRUE(run(ten(0x28, 1, 1), 0, 512).good());
}

TEST_F(VirtioScsiLife, AQueueThatIsResetForgetsItsCommands) {
  use(kAllOfScsi | kRingReset);
  gate().close();
  ask(ten(0x28, 1, 1), 0, 512);
  driver->modern(0x16, 2, 2);
  driver->modern(0x3a, 1, 2);
  gate().open();
  ASSERT_TRUE(settle());
  EXPECT_THAT(data_read(), Each(0));
}

TEST_F(VirtioScsiLife, MoreThanTheDriveMayHaveWaitsAndIsDone) {
  use();
  gate().close();
  for (unsigned n = 0; n < 16; ++n) ask(ten(0x28, 0, 8192), 0, 4 * MiB);
  EXPECT_LE(backend().in_flight(), 32u);
  gate().open();
  unsigned answered = 0;
  bench.run_until(
      [&] { return answered == 16 || (answered += requests->take_used().has_value()) == 16; });
  EXPECT_EQ(answered, 16u);
}

TEST_F(VirtioScsiLife, AUnitThatIsTakenOutAnswersForItsCommands) {
  use();
  gate().close();
  ask(ten(0x28, 1, 1), 0, 512);
  auto* const disk = const_cast<Device*>(backend().device());
  ASSERT_TRUE(bench.machine().unplug(*disk));
  EXPECT_TRUE(requests->take_used());
  EXPECT_EQ(result_at(answer_at).response, Response::BadTarget);
  gate().open();
  ASSERT_TRUE(settle());
  EXPECT_THAT(data_read(), Each(0));
}

TEST_F(VirtioScsiLife, AHostThatIsTakenOutTakesItsUnitsAlong) {
  use();
  gate().close();
  ask(ten(0x28, 1, 1), 0, 512);
  ask(ten(0x2a, 1, 1), 512);
  ASSERT_TRUE(bench.machine().unplug(driver->device()));
  gate().open();
  ASSERT_TRUE(settle());
  EXPECT_EQ(backend().device(), nullptr);
  EXPECT_THAT(data_read(), Each(0));
}

TEST_F(VirtioScsiLife, ASavedCommandIsDoneWhenTheMachineGoesOn) {
  use();
  gate().close();
  ask(ten(0x28, 1, 1), 0, 512);
  const auto saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  gate().open();
  ASSERT_TRUE(settle());
  EXPECT_EQ(requests->take_used(), std::nullopt);
  bench.machine().resume();
  EXPECT_TRUE(answer());
  EXPECT_EQ(data_read(), on_disk(512, 512));
  bench.machine().pause();
}

TEST_F(VirtioScsiLife, SavingLoadingAndSavingAgainChangesNothing) {
  use();
  gate().close();
  ask(ten(0x28, 1, 3), 0, 1536);
  ask(ten(0x35, 0, 0));
  ask(sixteen(0x93, 12, 1, 0x01));
  const auto saved = bench.save();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(bench.save(), saved);
}

TEST_F(VirtioScsiLife, CommandsWaitWhileTheMachineStands) {
  use();
  bench.machine().resume();
  bench.machine().pause();
  const unsigned before = gate().arrivals;
  ask(ten(0x28, 1, 1), 0, 512);
  EXPECT_EQ(gate().arrivals, before);
  bench.machine().resume();
  EXPECT_TRUE(answer());
  bench.machine().pause();
}

TEST_F(VirtioScsiLife, AnErrorThatStopsTheMachineIsTriedAgain) {
  use_host();
  add_disk("disk0", {{"rerror", "stop"}});
  begin();
  hear();
  bench.machine().resume();
  gate().break_at(600);
  ask(ten(0x28, 1, 1), 0, 512);
  ASSERT_TRUE(bench.run_until([&] { return !bench.machine().running(); }));
  EXPECT_EQ(requests->take_used(), std::nullopt);
  gate().mend();
  bench.machine().resume();
  EXPECT_TRUE(answer());
  EXPECT_EQ(data_read(), on_disk(512, 512));
  bench.machine().pause();
}

TEST_F(VirtioScsiLife, AUnitThatComesWhileTheMachineStandsIsMissed) {
  use();
  offer_event();
  bench.machine().resume();
  bench.machine().pause();
  add_disk("b");
  EXPECT_EQ(events->take_used(), std::nullopt);
  bench.machine().resume();
  EXPECT_EQ(event().value()[0], 0x8000'0000u);
  bench.machine().pause();
}

/// A guest that asks a host's units for anything.
class HostileScsiGuest : public VirtioScsiTest {
 protected:
  u64 pick(u64 below) { return random() % below; }
  Cdb any_command() {
    static constexpr std::array<u8, 44> kKnown{
        0x00, 0x03, 0x04, 0x08, 0x0a, 0x12, 0x15, 0x16, 0x17, 0x1a, 0x1b, 0x1d, 0x1e, 0x25, 0x28,
        0x2a, 0x2b, 0x2e, 0x2f, 0x35, 0x41, 0x42, 0x43, 0x46, 0x4a, 0x51, 0x52, 0x55, 0x5a, 0x88,
        0x8a, 0x8f, 0x91, 0x93, 0x9e, 0xa0, 0xa8, 0xaa, 0xad, 0xaf, 0xb9, 0xbb, 0xbd, 0xbe};
    Cdb cdb(16);
    if (pick(4) == 0)
      for (u8& byte : cdb) byte = static_cast<u8>(random());
    else
      for (u8& byte : cdb) byte = pick(3) == 0 ? static_cast<u8>(pick(9)) : u8{0};
    cdb[0] = pick(32) == 0 ? static_cast<u8>(random()) : kKnown[pick(kKnown.size())];
    return cdb;
  }
  void wait_for_answers() {
    bench.run_until([&] { return backend().in_flight() == 0 && backend("cd0").in_flight() == 0; });
    while (requests->take_used()) ++answered;
  }
  void request() {
    if (asked % 16 == 0) wait_for_answers();
    const std::array<u32, 6> lengths{0, 8, 36, 512, 4096, 1 * MiB};
    const auto length = [&] {
      return pick(32) == 0 ? static_cast<u32>(random()) : lengths[pick(6)];
    };
    lun = {1, static_cast<u8>(pick(3)), 0, 0, 0, 0, 0, 0};
    if (pick(16) == 0) lun[pick(8)] = static_cast<u8>(random());
    const bool in = pick(2) == 0;
    for (unsigned n = 0; n < 32; ++n) bench.store(kScsiData + 8 * u64{n}, pick(2) * pick(64), 8);
    ask(any_command(), in ? 0 : length(), in ? length() : 0);
    // While the device may be at it.
    if (pick(64) == 0) bench.store(0x6'0000 + pick(16 * u64{64}), random(), 1);
  }
  void take_control() {
    bench.store(kControl, pick(4), 4);
    bench.store(kControl + 4, pick(10), 4);
    bench.write(kControl + 8, lun);
    bench.store(kControl + 16, asked - pick(4), 8);
    control->add({{kControl, 24}, {kControl + 64, 5, true}});
    driver->notify(0);
    while (control->take_used()) ++answered;
  }
  void start_over() {
    driver->map();
    begin(kAllOfScsi | (pick(2) == 0 ? kPacked : 0));
  }
  void save_and_load() {
    const auto saved = bench.save();
    refused += !bench.load(saved);
    changed += bench.save() != saved;
  }
  void move_medium() {
    MediaDevice* const tray = backend("cd0").media();
    tray->medium_changed(tray->tray_open());
  }
  void step() {
    const u64 what = pick(100);
    if (what < 70) return request();
    if (what < 80) return static_cast<void>(bench.machine().loop().iterate(false));
    if (what < 84) return take_control();
    if (what < 87) return offer_event();
    if (what < 89) return start_over();
    if (what < 91) return gates["disk0"]->break_at(pick(kScsiDiskBytes));
    if (what < 92) return gates["disk0"]->mend();
    if (what < 93) return driver->modern(0x2000 + pick(36), random(), 1);
    if (what < 94) return move_medium();
    if (what < 95 && pick(4) == 0) return save_and_load();
    if (what < 96 && pick(4) == 0) {
      bench.machine().resume();
      return bench.machine().pause();
    }
    wait_for_answers();
  }
  std::mt19937_64 random{from_environment("RHEA_RING_SEED", 1)};
  unsigned refused{0}, changed{0}, answered{0};
};

TEST_F(HostileScsiGuest, DoesNoHarmAndItsStateIsAlwaysOneThatLoads) {
  use_host({{"packed", "on"}});
  add_disk();
  add_cd();
  begin();
  const u64 steps = from_environment("RHEA_VIRTIO_STEPS", 3'000);
  for (u64 n = 0; n < steps; ++n) step();
  EXPECT_TRUE(bench.run_until([&] { return backend().in_flight() == 0; }));
  EXPECT_EQ(refused, 0u);
  EXPECT_EQ(changed, 0u);
  EXPECT_GT(answered, steps / 100);
}

}  // namespace
}  // namespace rhea::test
