// SPDX-License-Identifier: GPL-2.0-or-later
// Diskettes of every size, and floppy drives' properties.
#include "tests/storage/fdc_host.h"
#include "tests/storage/ide_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

struct Format {
  u32 kilobytes;
  u8 sectors, cylinders, heads, rate;
  const char* drive;
};

void PrintTo(const Format& format, std::ostream* out) { *out << format.kilobytes << "K"; }

class Diskette : public testing::TestWithParam<Format> {};

TEST_P(Diskette, FirstAndLastSectorsAreWhereTheyBelong) {
  const Format format = GetParam();
  Bench bench;
  bench.add("isa-fdc");
  auto disk = make_fake_disk(bench, "fd0", u64{format.kilobytes} * KiB);
  fill_pattern(*disk);
  Device& drive = bench.add("floppy", {{"drive", "fd0"}});
  EXPECT_EQ(to_text(*drive.get("drive-type")), format.drive);
  FdcHost host(bench);
  host.start(0, format.rate);
  host.specify(true);

  host.command(FdcHost::sectors(0x46, 0, 0, 1, 1));
  EXPECT_EQ(host.read_data(512), std::vector<u8>(disk->begin(), disk->begin() + 512));
  EXPECT_EQ(host.result()[1], 0x80);

  const auto last_head = static_cast<u8>(format.heads - 1);
  const auto last_cylinder = static_cast<u8>(format.cylinders - 1);
  host.command(FdcHost::sectors(0x45, last_cylinder, last_head, format.sectors, format.sectors));
  host.write_data(std::vector<u8>(512, 0x77));
  EXPECT_EQ(host.result()[1], 0x80);
  EXPECT_EQ(std::vector<u8>(disk->end() - 512, disk->end()), std::vector<u8>(512, 0x77));

  EXPECT_EQ(host.run(FdcHost::sectors(0x46, 0, 0, static_cast<u8>(format.sectors + 1), 255))[1],
            0x04);
  EXPECT_EQ(host.run(FdcHost::sectors(0x46, format.cylinders, 0, 1, 1))[1], 0x01);
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, Diskette,
    testing::Values(Format{160, 8, 40, 1, 2, "120"}, Format{180, 9, 40, 1, 1, "120"},
                    Format{320, 8, 40, 2, 2, "120"}, Format{360, 9, 40, 2, 1, "120"},
                    Format{720, 9, 80, 2, 2, "144"}, Format{800, 10, 80, 2, 2, "144"},
                    Format{1200, 15, 80, 2, 0, "120"}, Format{1440, 18, 80, 2, 0, "144"},
                    Format{1600, 20, 80, 2, 0, "144"}, Format{1680, 21, 80, 2, 0, "144"},
                    Format{1722, 21, 82, 2, 0, "144"}, Format{1760, 22, 80, 2, 0, "144"},
                    Format{1920, 24, 80, 2, 0, "144"}, Format{2880, 36, 80, 2, 3, "288"},
                    Format{3840, 48, 80, 2, 3, "288"}));

TEST(FloppyDrive, AnUnusualSizeIsACommonDisketteWithAHole) {
  Bench bench;
  bench.add("isa-fdc");
  make_fake_disk(bench, "fd0", 512 * 3);
  Device& drive = bench.add("floppy", {{"drive", "fd0"}});
  EXPECT_EQ(to_text(*drive.get("drive-type")), "144");
  FdcHost host(bench);
  host.start();
  host.specify(true);
  host.command(FdcHost::sectors(0x46, 0, 0, 3, 3));
  EXPECT_EQ(host.read_data(512).size(), 512U);
  host.result();
  EXPECT_EQ(host.run(FdcHost::sectors(0x46, 0, 0, 4, 4))[1], 0x20);
}

TEST(FloppyDrive, ADriveWithoutADisketteIsTheFallback) {
  Bench bench;
  bench.add("isa-fdc", {{"fallback", "120"}});
  Device& drive = bench.add("floppy");
  EXPECT_EQ(to_text(*drive.get("drive-type")), "120");
}

TEST(FloppyDrive, ItsKindCanBeNamed) {
  Bench bench;
  bench.add("isa-fdc", {{"fdtypeB", "288"}});
  make_fake_disk(bench, "fd0", 1440 * KiB);
  make_fake_disk(bench, "fd1", 1440 * KiB);
  Device& a = bench.add("floppy", {{"drive", "fd0"}, {"drive-type", "120"}});
  Device& b = bench.add("floppy", {{"drive", "fd1"}});
  EXPECT_EQ(to_text(*a.get("drive-type")), "120");
  EXPECT_EQ(to_text(*b.get("drive-type")), "288");
}

TEST(FloppyDrive, TheControllerServesTwo) {
  Bench bench;
  bench.add("isa-fdc");
  bench.add("floppy");
  EXPECT_TRUE(bench.try_add("floppy", {{"unit", "1"}}));
  EXPECT_FALSE(bench.try_add("floppy"));
  Bench other;
  other.add("isa-fdc");
  EXPECT_EQ(other.try_add("floppy", {{"unit", "2"}}).error().message(),
            "Can't create floppy unit 2, bus supports only 2 units");
}

TEST(FloppyDrive, ADriveInUseIsRefused) {
  Bench bench;
  bench.add("isa-fdc");
  make_fake_disk(bench, "fd0", 1440 * KiB);
  bench.add("floppy", {{"drive", "fd0"}});
  EXPECT_EQ(bench.try_add("floppy", {{"drive", "fd0"}}).error().message(),
            "Drive 'fd0' is already in use by another device");
}

}  // namespace
}  // namespace rhea::test
