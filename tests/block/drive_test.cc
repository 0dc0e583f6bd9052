// SPDX-License-Identifier: GPL-2.0-or-later
// -drive and its short forms: where drives go, what they are called, what is refused.
#include "rhea/block/block_backend.h"
#include "rhea/util/option.h"
#include "tests/block/temp_dir.h"
#include "tests/support/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::HasSubstr;

class Drive : public testing::Test {
 protected:
  // -drive's outcome: the drive's id, or the error.
  std::string drive(const std::string& text) {
    const auto result = create_drive(bench.machine(), text);
    return result ? (*result)->name() : "error: " + result.error().message();
  }
  std::string option(std::string_view name, const std::string& argument) {
    // Guessed formats are warned of, which is tested elsewhere.
    testing::internal::CaptureStderr();
    const auto result = find_option(name)->apply(bench.machine(), argument);
    testing::internal::GetCapturedStderr();
    return result ? "ok" : result.error().message();
  }
  std::string image(const std::string& name) { return dir.file(name, 4096); }
  BlockBackend& get(std::string_view id) { return *find_drive(bench.machine(), id); }
  Bench bench;
  TempDir dir;
};

TEST_F(Drive, IdeIsTheDefaultAndFillsFromTheFirstPlaceOn) {
  EXPECT_EQ(drive("format=raw,file=" + image("a")), "ide0-hd0");
  EXPECT_EQ(drive("format=raw,file=" + image("b")), "ide0-hd1");
  EXPECT_EQ(drive("format=raw,file=" + image("c")), "ide1-hd0");
  EXPECT_EQ(get("ide1-hd0").bus, 1);
  EXPECT_EQ(get("ide1-hd0").unit, 0);
}

TEST_F(Drive, AnIndexIsAPlace) {
  EXPECT_EQ(drive("format=raw,index=3,file=" + image("a")), "ide1-hd1");
  EXPECT_EQ(drive("format=raw,index=3,file=" + image("b")),
            "error: drive with bus=1, unit=1 (index=3) exists");
}

TEST_F(Drive, AnIndexAndAUnitTogetherAreRefused) {
  EXPECT_EQ(drive("index=1,unit=0"), "error: index cannot be used with bus and unit");
}

TEST_F(Drive, AUnitThatTheBusLacksIsRefused) {
  EXPECT_EQ(drive("unit=2"), "error: unit 2 too big (max is 1)");
}

TEST_F(Drive, ShortFormsHaveFixedPlaces) {
  EXPECT_EQ(option("hda", image("a")), "ok");
  EXPECT_EQ(option("hdb", image("b")), "ok");
  EXPECT_EQ(option("hdc", image("c")), "ok");
  EXPECT_EQ(option("hdd", image("d")), "ok");
  EXPECT_EQ(option("fda", image("fa")), "ok");
  EXPECT_EQ(option("fdb", image("fb")), "ok");
  EXPECT_EQ(get("ide1-hd1").filename(), dir / "d");
  EXPECT_EQ(get("floppy1").filename(), dir / "fb");
  EXPECT_EQ(get("floppy1").unit, 1);
  EXPECT_EQ(drives(bench.machine()).size(), 6U);
}

TEST_F(Drive, CdromAndHdcWantTheSamePlace) {
  EXPECT_EQ(option("cdrom", image("a")), "ok");
  EXPECT_THAT(option("hdc", image("b")), HasSubstr("drive with bus=1, unit=0 (index=2) exists"));
}

TEST_F(Drive, ACdromIsReadOnly) {
  EXPECT_EQ(option("cdrom", image("a")), "ok");
  EXPECT_TRUE(get("ide1-cd0").is_cdrom());
  EXPECT_TRUE(get("ide1-cd0").read_only());
}

TEST_F(Drive, AShortFormTakesCommasAsTheyAre) { EXPECT_EQ(option("hda", image("a,b.img")), "ok"); }

TEST_F(Drive, ShortFormsNameTheFileThatIsMissing) {
  EXPECT_THAT(option("hda", dir / "none"), HasSubstr("No such file or directory"));
  EXPECT_THAT(option("hda", dir / "none"), HasSubstr(dir / "none"));
}

TEST_F(Drive, WithoutAFileTheDriveIsEmpty) {
  EXPECT_EQ(drive("if=ide,media=cdrom,index=2"), "ide1-cd0");
  EXPECT_FALSE(get("ide1-cd0").inserted());
}

TEST_F(Drive, AnIdNamesIt) {
  EXPECT_EQ(drive("if=none,id=x,format=raw,file=" + image("a")), "x");
  EXPECT_EQ(get("x").interface, DriveInterface::None);
  EXPECT_EQ(drive("if=none,id=x,format=raw,file=" + image("b")),
            "error: Duplicate ID 'x' for drive");
}

TEST_F(Drive, ReadOnlyIsKept) {
  EXPECT_EQ(drive("format=raw,readonly=on,id=x,file=" + image("a")), "x");
  EXPECT_TRUE(get("x").read_only());
}

TEST_F(Drive, TheSerialNumberIsKept) {
  EXPECT_EQ(drive("format=raw,serial=S1,id=x,file=" + image("a")), "x");
  EXPECT_EQ(get("x").serial, "S1");
}

TEST_F(Drive, SnapshotForAllMakesEveryDriveAnOverlay) {
  EXPECT_EQ(option("snapshot", ""), "ok");
  EXPECT_EQ(drive("format=raw,id=x,file=" + image("a")), "x");
  EXPECT_EQ(drive("format=raw,id=y,file=" + (dir / "a")), "y");  // both only read the file
  EXPECT_FALSE(get("x").read_only());
}

TEST_F(Drive, FourSnapshotsDoNotLockEachOther) {
  EXPECT_EQ(drive("format=raw,snapshot=on,file=" + image("a")), "ide0-hd0");
  EXPECT_EQ(drive("format=raw,snapshot=on,file=" + (dir / "a")), "ide0-hd1");
}

TEST_F(Drive, CacheOptionsAreTaken) {
  EXPECT_EQ(drive("format=raw,id=x,cache=writethrough,file=" + image("a")), "x");
  EXPECT_FALSE(get("x").medium()->details().cache.writeback);
  EXPECT_EQ(
      drive("format=raw,id=y,cache=unsafe,cache.no-flush=off,cache.direct=on,file=" + image("b")),
      "y");
  const CacheOptions cache = get("y").medium()->details().cache;
  EXPECT_TRUE(cache.writeback);
  EXPECT_TRUE(cache.direct);
  EXPECT_FALSE(cache.no_flush);
}

TEST_F(Drive, TheOptionsOfTheFileMayBeSaidOfTheFile) {
  EXPECT_EQ(drive("driver=raw,id=x,node-name=n1,file.driver=file,file.locking=off,"
                  "file.aio=io_uring,detect-zeroes=on,discard=unmap,file.filename=" +
                  image("a")),
            "x");
  EXPECT_EQ(get("x").medium()->node_name, "n1");
  EXPECT_EQ(get("x").medium()->details().detect_zeroes, DetectZeroes::On);
  EXPECT_EQ(drive("format=raw,id=y,node-name=n1,file=" + image("b")),
            "error: Duplicate nodes with node-name='n1'");
}

struct Wrong {
  const char* text;
  const char* error;
};
class WrongDrive : public Drive, public testing::WithParamInterface<Wrong> {};

TEST_P(WrongDrive, IsRefusedByName) {
  EXPECT_THAT(drive(GetParam().text), HasSubstr(GetParam().error));
  EXPECT_TRUE(drives(bench.machine()).empty());
}

INSTANTIATE_TEST_SUITE_P(
    Options, WrongDrive,
    testing::Values(
        Wrong{"if=sd", "unsupported bus type 'sd'; QEMU has this; Rhea has not yet: use if=ide"},
        Wrong{"if=xen", "unsupported bus type 'xen'; QEMU has this; Rhea has not yet: use if=ide"},
        Wrong{"if=id", "unsupported bus type 'id'; did you mean 'ide'?"},
        Wrong{"if=usb", "unsupported bus type 'usb'"}, Wrong{"media=tape", "'tape' invalid media"},
        Wrong{"index=x", "parameter 'index' expects a small number, not 'x'"},
        Wrong{"index=-1", "parameter 'index' expects"}, Wrong{"unit=9999999999", "'unit'"},
        Wrong{"readonly=perhaps", "parameter 'readonly' expects 'on' or 'off', not 'perhaps'"},
        Wrong{"snapshot=2", "parameter 'snapshot'"}, Wrong{"cache=huge", "invalid cache option"},
        Wrong{"aio=magic", "Parameter 'aio' does not accept value 'magic'"},
        Wrong{"aio=native,format=raw,file=/etc/hostname", "it requires cache.direct=on"},
        Wrong{"discard=maybe", "Parameter 'discard' does not accept value 'maybe'"},
        Wrong{"detect-zeroes=x", "Parameter 'detect-zeroes' does not accept value 'x'"},
        Wrong{"copy-on-read=on", "parameter 'copy-on-read': QEMU has this; Rhea has not yet"},
        Wrong{"rerror=enospc", "'enospc' invalid read error action"},
        Wrong{"werror=auto", "'auto' invalid write error action"},
        Wrong{"if=floppy,werror=stop", "werror is not supported by this bus type"},
        Wrong{"if=pflash,rerror=report", "rerror is not supported by this bus type"},
        Wrong{"throttling.bps-total=5",
              "-drive: unknown parameter 'throttling.bps-total'; QEMU has this"},
        Wrong{"formt=raw", "-drive: unknown parameter 'formt'; did you mean 'format'?"},
        Wrong{"node-name=abcdefghijklmnopqrstuvwxyzabcdef,if=none", "Node name too long"},
        Wrong{"id=1bad", "Parameter 'id' expects an identifier, not '1bad'"},
        Wrong{"id=", "Parameter 'id' expects an identifier, not ''"},
        Wrong{"format=raw,driver=raw", "Cannot specify both 'driver' and 'format'"},
        Wrong{"format=qcow2,file=x", "format 'qcow2': QEMU has this; Rhea has not yet"},
        Wrong{"file.driver=nbd", "Block driver 'nbd': QEMU has this; Rhea has not yet"},
        Wrong{"offset=x", "Parameter 'offset' expects a size, not 'x'"},
        Wrong{"colour=red", "-drive: unknown parameter 'colour'"},
        Wrong{"file=/nonexistent/x,format=raw", "Could not open '/nonexistent/x'"},
        Wrong{"id=a/b", "'a/b'"}, Wrong{"=x", "parameter without a name"}));

}  // namespace
}  // namespace rhea::test
