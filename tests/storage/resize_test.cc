// SPDX-License-Identifier: GPL-2.0-or-later
// Images that become longer or shorter under a disk.
#include "tests/block/temp_dir.h"
#include "tests/storage/ide_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

namespace rhea::test {
namespace {

using testing::HasSubstr;

class Resize : public testing::Test {
 protected:
  Resize() {
    IdeHost::add_controller(bench);
    EXPECT_TRUE(create_drive(bench.machine(), "if=none,id=d,format=raw,file=" + image));
    bench.add("ide-hd", {{"drive", "d"}, {"unit", "0"}}, "ide.0");
  }
  BlockBackend& drive() { return *find_drive(bench.machine(), "d"); }
  std::string resize(u64 bytes) { return resize(drive(), bytes); }
  std::string resize(BlockBackend& which, u64 bytes) {
    return outcome_of([&](auto done) { which.resize(bytes, done); });
  }
  std::string outcome_of(const std::function<void(BlockBackend::Completion)>& begin) {
    std::string outcome;
    begin(
        [&outcome](const Result<>& result) { outcome = result ? "ok" : result.error().message(); });
    bench.run_until([&outcome] { return !outcome.empty(); });
    return outcome;
  }
  BlockBackend& forgetful() {
    EXPECT_TRUE(create_drive(bench.machine(), "if=none,id=s,snapshot=on,format=raw,file=" + base));
    return *find_drive(bench.machine(), "s");
  }
  u32 identified_sectors() {
    host.select(0);
    host.command(0xec);
    const std::vector<u8> identity = host.read_data(512);
    return word(identity, 60) | u32{word(identity, 61)} << 16;
  }

  const TempDir folder;
  const std::string image = folder.file("disk.img", MiB, 'x');
  const std::string base = folder.file("base.img", MiB, 'x');
  Bench bench;
  IdeHost host{bench};
};

TEST_F(Resize, AGrownDiskHasMoreSectorsOfZeroes) {
  EXPECT_EQ(resize(2 * MiB), "ok");
  EXPECT_EQ(std::filesystem::file_size(image), 2 * MiB);
  EXPECT_EQ(identified_sectors(), 4096U);
  host.set_lba28(4095, 1);
  EXPECT_EQ(host.command(0x20), IdeHost::kReady | IdeHost::kSeekComplete | IdeHost::kDrq);
  EXPECT_EQ(host.read_data(512), std::vector<u8>(512));
}

TEST_F(Resize, AShrunkDiskRefusesWhatIsBeyond) {
  EXPECT_EQ(resize(512 * KiB), "ok");
  EXPECT_EQ(std::filesystem::file_size(image), 512 * KiB);
  EXPECT_EQ(identified_sectors(), 1024U);
  host.set_lba28(1024, 1);
  EXPECT_EQ(host.command(0x20) & IdeHost::kError, IdeHost::kError);
}

TEST_F(Resize, WhatWasAskedForBehindItDoesNotMakeTheFileLongerAgain) {
  const std::vector<u8> data(512);
  std::string written;
  drive().resize(512 * KiB, [](const Result<>&) {});
  drive().write(MiB - 512, data, [&written](const Result<>& result) {
    written = result ? "ok" : result.error().message();
  });
  bench.run_until([&written] { return !written.empty(); });
  EXPECT_EQ(written, "the medium has become shorter");
  EXPECT_EQ(std::filesystem::file_size(image), 512 * KiB);
}

TEST_F(Resize, ASizeIsRoundedUpToSectors) {
  EXPECT_EQ(resize(1000), "ok");
  EXPECT_EQ(drive().size(), 1024U);
}

TEST_F(Resize, MoreThanTheHostCanHaveIsAnError) {
  EXPECT_THAT(resize(~u64{0}), HasSubstr("File too large"));
  EXPECT_EQ(drive().size(), MiB);
}

TEST_F(Resize, APieceOfAFileStaysAsItIs) {
  ASSERT_TRUE(create_drive(
      bench.machine(), "if=none,id=piece,format=raw,size=4096,file=" + folder.file("p", MiB, 'x')));
  EXPECT_EQ(resize(*find_drive(bench.machine(), "piece"), 8192),
            "Cannot resize fixed-size raw disks");
}

TEST_F(Resize, ATemporaryLayerGrowsAndItsImageStays) {
  BlockBackend& layer = forgetful();
  std::vector<u8> data(4096, 1);
  EXPECT_EQ(resize(layer, 2 * MiB), "ok");
  EXPECT_EQ(layer.size(), 2 * MiB);
  EXPECT_EQ(outcome_of([&](auto done) { layer.read(2 * MiB - 4096, data, done); }), "ok");
  EXPECT_EQ(data, std::vector<u8>(4096));
  EXPECT_EQ(std::filesystem::file_size(base), MiB);
}

TEST_F(Resize, WhatATemporaryLayerLostDoesNotComeBack) {
  BlockBackend& layer = forgetful();
  const std::vector<u8> written(4096, 'w');
  EXPECT_EQ(outcome_of([&](auto done) { layer.write(600 * KiB, written, done); }), "ok");
  EXPECT_EQ(resize(layer, 512 * KiB), "ok");
  EXPECT_EQ(resize(layer, MiB), "ok");
  std::vector<u8> data(512 * KiB, 1);
  EXPECT_EQ(outcome_of([&](auto done) { layer.read(512 * KiB, data, done); }), "ok");
  EXPECT_EQ(data, std::vector<u8>(512 * KiB));
}

}  // namespace
}  // namespace rhea::test
