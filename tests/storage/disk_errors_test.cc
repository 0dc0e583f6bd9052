// SPDX-License-Identifier: GPL-2.0-or-later
// What becomes of the host's errors: rerror= and werror= of disks and CD-ROMs.
#include "rhea/softmmu/tool_events.h"
#include "tests/storage/ata_fixture.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <string>

namespace rhea::test {
namespace {

using testing::HasSubstr;
using Events = std::vector<std::string>;

class DiskErrors : public Ata {
 protected:
  DiskErrors() {
    bench.machine().service<ToolEvents>().observe(
        [this](const std::string& name, const ToolEvents::Data& data) {
          std::string text = name;
          for (const auto& [key, value] : data)
            if (key != "node-name") text += " " + key + "=" + to_text(value);
          events.push_back(text);
        });
    bench.machine().resume();
  }
  void policy(OnError read, OnError write) {
    drive().set_error_policy({.read = read, .write = write});
  }
  void begin_read(u32 lba) {
    host.set_lba28(lba, 1);
    host.set_reg(7, 0x20);
  }
  void begin_write(u32 lba, u8 value) {
    host.set_lba28(lba, 1);
    host.command(0x30);
    for (int word = 0; word < 256; ++word)
      bench.outw(host.base(), static_cast<u16>(value << 8 | value));
  }
  bool stops() {
    return bench.run_until([this] { return bench.machine().run_state() == RunState::IoError; });
  }
  bool tells() {
    return bench.run_until([this] { return !events.empty(); });
  }

  Events events;
};

TEST_F(DiskErrors, AReadErrorIsReportedByDefault) {
  gate->break_at(5 * 512);
  begin_read(5);
  EXPECT_EQ(host.settle(), kFailed);
  EXPECT_EQ(host.reg(1), kUncorrectable);
  ASSERT_TRUE(tells());
  EXPECT_EQ(events, Events({"BLOCK_IO_ERROR device=d0 operation=read action=report nospace=off "
                            "reason=broken"}));
  EXPECT_TRUE(bench.machine().running());
}

TEST_F(DiskErrors, AFullHostStopsTheMachineByDefault) {
  gate->break_at(5 * 512, errno_text(ENOSPC));
  begin_write(5, 0x42);
  ASSERT_TRUE(stops());
  EXPECT_EQ(events, Events({"BLOCK_IO_ERROR device=d0 operation=write action=stop nospace=on "
                            "reason=No space left on device"}));
  EXPECT_EQ(drive().io_status(), "nospace");
  EXPECT_EQ(host.alternate_status(), IdeHost::kBusy);
}

TEST_F(DiskErrors, WhatStoppedTheMachineIsDoneWhenItGoesOn) {
  gate->break_at(5 * 512, errno_text(ENOSPC));
  begin_write(5, 0x42);
  ASSERT_TRUE(stops());
  gate->mend();
  bench.machine().resume();
  EXPECT_EQ(drive().io_status(), "ok");
  EXPECT_EQ(host.settle(), kReady);
  EXPECT_EQ(image(5, 1), std::vector<u8>(512, 0x42));
}

TEST_F(DiskErrors, WhatFailsAgainStopsAgain) {
  policy(OnError::Stop, OnError::Report);
  gate->break_at(5 * 512);
  begin_read(5);
  ASSERT_TRUE(stops());
  bench.machine().resume();
  ASSERT_TRUE(stops());
  EXPECT_EQ(events.size(), 2U);
  gate->mend();
  bench.machine().resume();
  EXPECT_EQ(host.settle(), kReady | IdeHost::kDrq);
  EXPECT_EQ(host.read_data(512), image(5, 1));
}

TEST_F(DiskErrors, AReadErrorThatIsIgnoredGivesZeroes) {
  policy(OnError::Ignore, OnError::Report);
  gate->break_at(5 * 512);
  begin_read(5);
  EXPECT_EQ(host.settle(), kReady | IdeHost::kDrq);
  EXPECT_EQ(host.read_data(512), std::vector<u8>(512));
  ASSERT_TRUE(tells());
  EXPECT_THAT(events[0], HasSubstr("action=ignore"));
}

TEST_F(DiskErrors, AWriteErrorThatIsIgnoredIsASuccess) {
  policy(OnError::Report, OnError::Ignore);
  gate->break_at(5 * 512);
  begin_write(5, 0x42);
  EXPECT_EQ(host.settle(), kReady);
}

TEST_F(DiskErrors, EnospcReportsOtherErrors) {
  gate->break_at(5 * 512);
  begin_write(5, 0x42);
  EXPECT_EQ(host.settle(), kFailed);
  EXPECT_TRUE(bench.machine().running());
}

TEST_F(DiskErrors, WhereNothingStopsTheMachineThereIsNoStatus) {
  policy(OnError::Report, OnError::Report);
  EXPECT_EQ(drive().io_status(), "");
  gate->break_at(5 * 512);
  begin_read(5);
  ASSERT_TRUE(tells());
  EXPECT_THAT(events[0], testing::Not(HasSubstr("nospace")));
}

// What the guest asks for in vain is its own affair.
TEST_F(DiskErrors, SectorsBeyondTheEndStopNothing) {
  policy(OnError::Stop, OnError::Stop);
  host.set_lba28(kSectors, 1);
  EXPECT_EQ(host.command(0x20), kFailed);
  EXPECT_TRUE(bench.machine().running());
}

TEST_F(DiskErrors, AResetForgetsWhatIsHeld) {
  gate->break_at(5 * 512, errno_text(ENOSPC));
  begin_write(5, 0x42);
  ASSERT_TRUE(stops());
  bench.reset(ResetKind::Cold);
  gate->mend();
  bench.machine().resume();
  drive().drain();
  EXPECT_EQ(host.alternate_status(), kReady);
  EXPECT_NE(image(5, 1), std::vector<u8>(512, 0x42));
}

TEST_F(DiskErrors, WhatIsHeldIsSavedAndDoneAfterwards) {
  gate->break_at(5 * 512, errno_text(ENOSPC));
  begin_write(5, 0x42);
  ASSERT_TRUE(stops());
  const std::vector<u8> saved = bench.save();
  bench.reset(ResetKind::Cold);
  gate->mend();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(host.alternate_status(), IdeHost::kBusy);
  bench.machine().resume();
  EXPECT_EQ(host.settle(), kReady);
  EXPECT_EQ(image(5, 1), std::vector<u8>(512, 0x42));
}

TEST_F(DiskErrors, AnEmptyDriveLeavesWhatIsHeldToTheGuest) {
  policy(OnError::Stop, OnError::Stop);
  gate->break_at(5 * 512);
  begin_read(5);
  ASSERT_TRUE(stops());
  drive().eject();
  bench.machine().resume();
  EXPECT_EQ(host.settle(), kFailed);
}

TEST_F(DiskErrors, ADriveThatHasLostItsMediumIsReset) {
  drive().eject();
  bench.reset();
  begin_read(5);
  EXPECT_EQ(host.settle(), kFailed);
}

TEST(DiskErrorOptions, ADeviceSaysMoreThanItsDrive) {
  Bench bench;
  IdeHost::add_controller(bench);
  make_fake_disk(bench, "d", MiB);
  BlockBackend& drive = *find_drive(bench.machine(), "d");
  drive.set_error_policy({.read = OnError::Ignore, .write = OnError::Ignore});
  bench.add("ide-hd", {{"drive", "d"}, {"werror", "stop"}}, "ide.0");
  EXPECT_EQ(drive.error_policy().read, OnError::Ignore);
  EXPECT_EQ(drive.error_policy().write, OnError::Stop);
}

TEST(DiskErrorOptions, AnUnknownActionIsRefused) {
  Bench bench;
  IdeHost::add_controller(bench);
  make_fake_disk(bench, "d", MiB);
  const auto added = bench.try_add("ide-hd", {{"drive", "d"}, {"rerror", "foo"}}, "ide.0");
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message(), HasSubstr("'foo' is not one of report, ignore, enospc"));
}

TEST(DiskErrorOptions, AFloppyDriveRefusesWhatItCannotDo) {
  Bench bench;
  bench.add("isa-fdc");
  make_fake_disk(bench, "d", 1440 * KiB);
  find_drive(bench.machine(), "d")->set_error_policy({.write = OnError::Stop});
  const auto added = bench.try_add("floppy", {{"drive", "d"}});
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message(), HasSubstr("fdc doesn't support drive option werror"));
}

}  // namespace
}  // namespace rhea::test
