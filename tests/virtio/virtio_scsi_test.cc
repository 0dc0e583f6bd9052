// SPDX-License-Identifier: GPL-2.0-or-later
// The SCSI host device: addresses, answers, the control queue, events, what comes and goes.
#include "tests/virtio/scsi_fixture.h"

namespace rhea::test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

class VirtioScsi : public VirtioScsiTest {
 protected:
  std::string refusal(const std::string& type, const Properties& properties) {
    const auto added = bench.try_add(type, properties);
    return added ? "it works" : added.error().message();
  }
};

TEST_F(VirtioScsi, SaysWhatItHas) {
  use_host({{"num_queues", "3"}, {"cmd_per_lun", "17"}, {"max_sectors", "4096"}});
  EXPECT_EQ(config(0, 4), 3u);
  EXPECT_EQ(config(4, 4), 254u);
  EXPECT_EQ(config(8, 4), 4096u);
  EXPECT_EQ(config(12, 4), 17u);
  EXPECT_EQ(config(16, 4), 16u);
  EXPECT_EQ(config(20, 4), 96u);
  EXPECT_EQ(config(24, 4), 32u);
  EXPECT_EQ(config(28, 2), 0u);
  EXPECT_EQ(config(30, 2), 255u);
  EXPECT_EQ(config(32, 4), 16383u);
  EXPECT_EQ(driver->modern(0x12, 2), 5u);
  EXPECT_EQ(bench.config_read(VirtioPciDriver::kDevfn, 0, 4), 0x1004'1af4u);
}

TEST_F(VirtioScsi, OffersEventsAndNoProtection) {
  use_host();
  EXPECT_EQ(driver->offered() & 0x0f, 0x06u);
}

TEST_F(VirtioScsi, OffersNoEventsThatThePropertiesForbid) {
  use_host({{"hotplug", "off"}, {"param_change", "off"}});
  EXPECT_EQ(driver->offered() & 0x0f, 0u);
}

TEST_F(VirtioScsi, PropertiesAreChecked) {
  EXPECT_THAT(refusal("virtio-scsi-pci", {{"num_queues", "0"}}), HasSubstr("number of queues"));
  EXPECT_THAT(refusal("virtio-scsi-pci", {{"virtqueue_size", "2"}}), HasSubstr("must be > 2"));
  EXPECT_THAT(refusal("virtio-scsi-pci", {{"virtqueue_size", "100"}}), HasSubstr("power of 2"));
}

TEST_F(VirtioScsi, PlacesOnTheBusAreGivenAndChecked) {
  use_host();
  EXPECT_EQ(add_disk("a").address(), (hw::ScsiAddress{0, 0, 0}));
  EXPECT_EQ(add_disk("b").address(), (hw::ScsiAddress{0, 1, 0}));
  EXPECT_EQ(add_disk("c", {{"scsi-id", "1"}}).address(), (hw::ScsiAddress{0, 1, 1}));
  EXPECT_EQ(add_disk("d", {{"scsi-id", "255"}, {"lun", "16383"}}).address().unit, 16383u);
  EXPECT_THAT(refusal("scsi-cd", {{"channel", "1"}}), HasSubstr("bad scsi channel id: 1"));
  EXPECT_THAT(refusal("scsi-cd", {{"scsi-id", "256"}}), HasSubstr("bad scsi device id: 256"));
  EXPECT_THAT(refusal("scsi-cd", {{"lun", "16384"}}), HasSubstr("bad scsi device lun: 16384"));
  EXPECT_THAT(refusal("scsi-cd", {{"scsi-id", "1"}, {"lun", "1"}}),
              HasSubstr("lun already used by"));
}

TEST_F(VirtioScsi, FirmwareFindsADiskByItsAddress) {
  use_host();
  EXPECT_EQ(firmware_path(add_disk("a", {{"scsi-id", "2"}, {"lun", "3"}})),
            "/scsi@3/channel@0/disk@2,3");
}

TEST_F(VirtioScsi, CommandsForNobodyAreAnsweredAsSuch) {
  use();
  lun = {1, 7, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(run({0x00}).response, Response::BadTarget);
  lun = {0, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(run({0x00}).response, Response::BadTarget);
  lun = {1, 0, 0x80, 0, 0, 0, 0, 0};
  EXPECT_EQ(run({0x00}).response, Response::BadTarget);
}

TEST_F(VirtioScsi, AUnitThatATargetDoesNotHaveSaysSo) {
  use();
  lun = {1, 0, 0, 5, 0, 0, 0, 0};
  EXPECT_EQ(get({0x12, 0, 0, 0, 36}, 36)[0], 0x7f);
  EXPECT_EQ(sense_of({0x00}), 0x52500u);
  EXPECT_EQ(get({0x03, 0, 0, 0, 18}, 18)[12], 0x25);
}

TEST_F(VirtioScsi, BothFormatsOfAddressLeadToAUnit) {
  use();
  lun = {1, 0, 0x40, 0, 0, 0, 0, 0};
  EXPECT_TRUE(run({0x00}).good());
}

TEST_F(VirtioScsi, ReportsTheUnitsOfATarget) {
  use_host();
  add_disk("a", {{"scsi-id", "0"}, {"lun", "300"}});
  add_disk("b", {{"scsi-id", "0"}, {"lun", "2"}});
  begin();
  const Bytes list = get({0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64}, 64);
  ASSERT_EQ(list.size(), 32u);
  EXPECT_EQ(hw::get_be(list, 0, 4), 24u);
  EXPECT_EQ(hw::get_be(list, 8, 2), 0u);
  EXPECT_EQ(hw::get_be(list, 16, 2), 2u);
  EXPECT_EQ(hw::get_be(list, 24, 2), 0x412cu);
  EXPECT_EQ(sense_of({0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 8}, 0, 8), 0x52400u);
}

TEST_F(VirtioScsi, AReadSaysHowMuchIsLeftAndHowMuchWasWritten) {
  use();
  ask(ten(0x28, 1, 2), 0, 4096);
  const auto used = answer();
  ASSERT_TRUE(used);
  EXPECT_EQ(used->written, kAnswerBytes + 1024);
  EXPECT_EQ(result_at(answer_at).residual, 3072u);
  EXPECT_EQ(bench.read(kScsiData, 1024), on_disk(512, 1024));
}

TEST_F(VirtioScsi, CommandsThatWantMoreRoomThanThereIsOverrun) {
  use();
  EXPECT_EQ(run(ten(0x28, 0, 2), 0, 512).response, Response::Overrun);
  EXPECT_EQ(run(ten(0x2a, 0, 2), 512).response, Response::Overrun);
  EXPECT_EQ(run({0x12, 0, 0, 0, 36}, 0, 35).response, Response::Overrun);
}

TEST_F(VirtioScsi, DataBothWaysAreRefused) {
  use();
  EXPECT_EQ(run(ten(0x28, 0, 1), 512, 512).response, Response::Failure);
}

TEST_F(VirtioScsi, ABufferWithoutRoomForAnAnswerBreaksTheQueue) {
  use();
  requests->add({{kHeads, kHeadBytes}, {kHeads + 0x100, 107, true}});
  driver->notify(2);
  EXPECT_NE(driver->status() & VirtioPciDriver::Core::kNeedsReset, 0);
}

TEST_F(VirtioScsi, ABufferWithoutACommandBreaksTheQueue) {
  use();
  requests->add({{kHeads, kHeadBytes - 1}, {kHeads + 0x100, kAnswerBytes, true}});
  driver->notify(2);
  EXPECT_NE(driver->status() & VirtioPciDriver::Core::kNeedsReset, 0);
}

TEST_F(VirtioScsi, ADriverChoosesTheSizesOfCommandsAndSenseData) {
  use();
  driver->modern(0x2014, 14, 4);
  driver->modern(0x2018, 16, 4);
  bench.write(kHeads, lun);
  bench.write(kHeads + 19, Cdb{0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  requests->add({{kHeads, 35}, {kHeads + 0x100, 26, true}});
  driver->notify(2);
  ASSERT_TRUE(answer());
  EXPECT_EQ(result_at(kHeads + 0x100).sense_bytes, 14u);
  driver->set_status(0);
  EXPECT_EQ(config(20, 4), 96u);
  EXPECT_EQ(config(24, 4), 32u);
}

TEST_F(VirtioScsi, NothingElseOfTheConfigurationIsTheDriversToWrite) {
  use();
  driver->modern(0x2000, 77, 4);
  driver->modern(0x2018, 257, 4);
  EXPECT_EQ(config(0, 4), 1u);
  EXPECT_EQ(config(24, 4), 32u);
}

TEST_F(VirtioScsi, DataGoInPackedRingsAsWell) {
  use_host({{"packed", "on"}});
  add_disk();
  begin(kAllOfScsi | kPacked);
  hear();
  EXPECT_EQ(get(ten(0x28, 3, 1), 512), on_disk(3 * 512, 512));
}

// ---- Management of tasks

TEST_F(VirtioScsi, ATaskIsAbortedAndAnsweredBeforeItsAbort) {
  use();
  gates["disk0"]->close();
  ask(ten(0x28, 1, 1), 0, 512);
  EXPECT_EQ(manage(Function::QueryTask, asked), Response::FunctionSucceeded);
  EXPECT_EQ(manage(Function::QueryTaskSet), Response::FunctionSucceeded);
  EXPECT_EQ(manage(Function::AbortTask, asked), Response::Ok);
  EXPECT_TRUE(requests->take_used());
  EXPECT_EQ(result_at(answer_at).response, Response::Aborted);
  EXPECT_EQ(manage(Function::QueryTask, asked), Response::Ok);
  gates["disk0"]->open();
  ASSERT_TRUE(settle());
  EXPECT_THAT(bench.read(kScsiData, 512), Each(0));
}

TEST_F(VirtioScsi, AnAbortOfAnotherTaskLeavesIt) {
  use();
  gates["disk0"]->close();
  ask(ten(0x28, 1, 1), 0, 512);
  EXPECT_EQ(manage(Function::AbortTask, 4711), Response::Ok);
  gates["disk0"]->open();
  ASSERT_TRUE(answer());
  EXPECT_TRUE(result_at(answer_at).good());
}

TEST_F(VirtioScsi, AResetOfAUnitEndsItsTasksAndIsTold) {
  use();
  gates["disk0"]->close();
  ask(ten(0x28, 1, 1), 0, 512);
  EXPECT_EQ(manage(Function::UnitReset), Response::Ok);
  EXPECT_TRUE(requests->take_used());
  EXPECT_EQ(result_at(answer_at).response, Response::Reset);
  gates["disk0"]->open();
  EXPECT_EQ(sense_of({0x00}), 0x62900u);
  EXPECT_TRUE(run({0x00}).good());
}

TEST_F(VirtioScsi, AResetOfTheNexusIsToldAsSuch) {
  use();
  EXPECT_EQ(manage(Function::NexusReset), Response::Ok);
  EXPECT_EQ(sense_of({0x00}), 0x62907u);
}

TEST_F(VirtioScsi, TaskSetsAreClearedAndWhatThereIsNotIsRejected) {
  use();
  gates["disk0"]->close();
  ask(ten(0x28, 1, 1), 0, 512);
  EXPECT_EQ(manage(Function::ClearTaskSet), Response::Ok);
  EXPECT_EQ(result_at(answer_at).response, Response::Aborted);
  gates["disk0"]->open();
  EXPECT_EQ(manage(Function::ClearAca), Response::FunctionRejected);
  EXPECT_EQ(manage(static_cast<Function>(99)), Response::FunctionRejected);
  lun = {1, 0, 0, 9, 0, 0, 0, 0};
  EXPECT_EQ(manage(Function::AbortTaskSet), Response::IncorrectUnit);
  lun = {1, 9, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(manage(Function::AbortTaskSet), Response::BadTarget);
}

TEST_F(VirtioScsi, AsynchronousNotificationsAreNone) {
  use();
  bench.store(kControl, 2, 4);
  bench.write(kControl + 4, lun);
  bench.store(kControl + 12, 0x7e, 4);
  bench.write(kControl + 64, Bytes(5, 0xff));
  control->add({{kControl, 16}, {kControl + 64, 5, true}});
  driver->notify(0);
  EXPECT_THAT(bench.read(kControl + 64, 5), Each(0));
}

// ---- Events

TEST_F(VirtioScsi, UnitsThatComeAndGoAreTold) {
  use();
  offer_event();
  offer_event();
  hw::ScsiDevice& other = add_disk("b", {{"scsi-id", "0"}, {"lun", "4"}});
  EXPECT_THAT(event().value(), ElementsAre(1u, 0u, 4u, 1u));
  EXPECT_EQ(sense_of({0x00}), 0x63f0eu);
  ASSERT_TRUE(bench.machine().unplug(other));
  EXPECT_THAT(event().value(), ElementsAre(1u, 0u, 4u, 2u));
  lun = {1, 0, 0, 4, 0, 0, 0, 0};
  EXPECT_EQ(sense_of({0x00}), 0x52500u);
}

TEST_F(VirtioScsi, AnEventWithoutABufferIsMissed) {
  use();
  add_disk("b");
  offer_event();
  EXPECT_THAT(event().value(), ElementsAre(0x8000'0000u, 0u, 0u, 0u));
}

TEST_F(VirtioScsi, ACapacityThatChangesIsTold) {
  use();
  offer_event();
  bool done = false;
  backend().resize(8 * MiB, [&](const Result<>&) { done = true; });
  ASSERT_TRUE(bench.run_until([&] { return done; }));
  EXPECT_THAT(event().value(), ElementsAre(3u, 0u, 0u, 0x092au));
  EXPECT_EQ(sense_of({0x00}), 0x62a09u);
  EXPECT_EQ(hw::get_be(get({0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 8), 0, 4), 8 * MiB / 512 - 1);
}

TEST_F(VirtioScsi, EventsOfADriverThatDoesNotWantThemAreNone) {
  use(kVersion1);
  offer_event();
  add_disk("b");
  bench.machine().loop().iterate(false);
  EXPECT_EQ(events->take_used(), std::nullopt);
}

}  // namespace
}  // namespace rhea::test
