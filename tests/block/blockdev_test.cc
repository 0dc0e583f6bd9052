// SPDX-License-Identifier: GPL-2.0-or-later
// Nodes with names: made, stacked, given to devices, kept from a second user, taken away.
#include "block/blockdev.h"

#include "rhea/util/json_keyval.h"
#include "tests/block/temp_dir.h"
#include "tests/support/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::HasSubstr;

class Blockdev : public testing::Test {
 protected:
  std::string add(const std::string& text) {
    auto options = parse_json_or_keyval(text, "driver");
    if (!options) return options.error().message();
    auto added = nodes().add(std::move(*options));
    return added ? "ok" : added.error().message();
  }
  std::string remove(std::string_view name) {
    auto removed = nodes().remove(name);
    return removed ? "ok" : removed.error().message();
  }
  std::string image(const std::string& name = "a.img", u64 bytes = 1 * MiB) {
    return dir.file(name, bytes, 'x');
  }
  block::NamedNodes& nodes() { return bench.machine().service<block::NamedNodes>(); }
  std::string plug(std::string_view type, std::string node) {
    auto added = bench.try_add(type, {{"drive", std::move(node)}});
    if (!added) return added.error().message();
    device = *added;
    return "ok";
  }

  TempDir dir;
  Bench bench;
  Device* device{};
};

TEST_F(Blockdev, AFileIsANode) {
  EXPECT_EQ(add("file,node-name=f,filename=" + image()), "ok");
  ASSERT_NE(nodes().find("f"), nullptr);
  EXPECT_EQ(nodes().find("f")->node->format(), "file");
  EXPECT_EQ(nodes().find("f")->node->size(), 1 * MiB);
  EXPECT_TRUE(drives(bench.machine()).empty());
}

TEST_F(Blockdev, RawLiesOverAFile) {
  EXPECT_EQ(add("file,node-name=f,filename=" + image()), "ok");
  EXPECT_EQ(add("raw,node-name=r,file=f,offset=4096,size=8192"), "ok");
  EXPECT_EQ(nodes().find("r")->node->size(), 8192U);
  EXPECT_EQ(add("raw,node-name=r2,file=f"), "Node 'f' is already in use");
  EXPECT_EQ(remove("f"), "Node f is in use");
  EXPECT_EQ(remove("r"), "ok");
  EXPECT_EQ(remove("f"), "ok");
}

TEST_F(Blockdev, TheFileMayBeSaidInside) {
  EXPECT_EQ(add(R"({"driver":"raw","node-name":"r","file":{"driver":"file","filename":")" +
                image() + R"("}})"),
            "ok");
  EXPECT_EQ(nodes().all().size(), 2U);
  const std::string inner = nodes().find("r")->child;
  EXPECT_EQ(remove(inner), "Node " + inner + " is not owned by the monitor");
  EXPECT_EQ(remove("r"), "ok");
  EXPECT_TRUE(nodes().all().empty());
}

TEST_F(Blockdev, AFailedOneLeavesNothing) {
  EXPECT_THAT(add("raw,node-name=r,size=513,file.driver=file,file.filename=" + image()),
              HasSubstr("not multiple of 512"));
  EXPECT_TRUE(nodes().all().empty());
  EXPECT_EQ(add("file,node-name=r,filename=" + image()), "ok");
}

TEST_F(Blockdev, OptionsReachTheNode) {
  EXPECT_EQ(add(R"({"driver":"file","node-name":"f","discard":"unmap","detect-zeroes":"unmap",)"
                R"("cache":{"direct":true,"no-flush":true},"read-only":true,"filename":")" +
                image() + R"("})"),
            "ok");
  const BlockNode& node = *nodes().find("f")->node;
  EXPECT_TRUE(node.read_only());
  EXPECT_TRUE(node.details().cache.direct);
  EXPECT_TRUE(node.details().cache.no_flush);
  EXPECT_EQ(node.details().detect_zeroes, DetectZeroes::Unmap);
}

// ---- Names and mistakes

TEST_F(Blockdev, NamesAreNew) {
  EXPECT_EQ(add("file,node-name=f,filename=" + image()), "ok");
  EXPECT_EQ(add("file,node-name=f,filename=" + image()), "Duplicate nodes with node-name='f'");
  make_fake_disk(bench, "d", 512);
  EXPECT_EQ(add("file,node-name=d,filename=" + image()),
            "node-name=d is conflicting with a device id");
  EXPECT_THAT(create_drive(bench.machine(), "if=none,id=f").error().message(),
              HasSubstr("Device name 'f' conflicts with an existing node name"));
  EXPECT_EQ(add("file,node-name=-x,filename=" + image()), "Invalid node-name: '-x'");
  EXPECT_EQ(add("file,filename=" + image()), "'node-name' must be specified for the root node");
}

TEST_F(Blockdev, MistakesAreNamed) {
  EXPECT_EQ(add("node-name=f"), "Parameter 'driver' is missing");
  EXPECT_EQ(add("file,node-name=f"), "Parameter 'filename' is missing");
  EXPECT_EQ(add("raw,node-name=f"), "Parameter 'file' is missing");
  EXPECT_EQ(add("raw,node-name=f,file=g"), "Cannot find device='g' nor node-name='g'");
  EXPECT_EQ(add("zip,node-name=f"), "Parameter 'driver' does not accept value 'zip'");
  EXPECT_EQ(add("file,node-name=f,colour=red,filename=" + image()),
            "Parameter 'colour' is unexpected");
  EXPECT_EQ(add("file,node-name=f,read-only,filename=" + image()),
            "Expected '=' after parameter 'read-only'");
  EXPECT_THAT(add("file,node-name=f,detect-zeroes=unmap,filename=" + image()),
              HasSubstr("not allowed without setting discard operation to unmap"));
  EXPECT_THAT(add("file,node-name=f,aio=native,filename=" + image()),
              HasSubstr("requires cache.direct=on"));
  EXPECT_THAT(add("host_device,node-name=f,filename=" + image()), HasSubstr("block device"));
  EXPECT_THAT(add("file,node-name=f,force-share=on,filename=" + image()),
              HasSubstr("can only be used with read-only images"));
  EXPECT_EQ(remove("f"), "Failed to find node with node-name='f'");
}

TEST_F(Blockdev, WhatIsToComeIsKnown) {
  EXPECT_THAT(add("qcow2,node-name=f,file=x"),
              HasSubstr("Block driver 'qcow2': QEMU has this; Rhea has not yet"));
  EXPECT_THAT(add("nbd,node-name=f"), HasSubstr("QEMU has this; Rhea has not yet"));
  EXPECT_THAT(add("throttle,node-name=f"), HasSubstr("QEMU has this; Rhea has not yet"));
  EXPECT_THAT(add("file,node-name=f,pr-manager=p,filename=x"), HasSubstr("QEMU has this"));
}

// ---- Devices

TEST_F(Blockdev, ADeviceTakesANodeForItself) {
  bench.add("piix3-ide", {{"addr", "1.1"}});
  EXPECT_EQ(add("file,node-name=f,filename=" + image()), "ok");
  EXPECT_EQ(add("raw,node-name=r,file=f"), "ok");
  EXPECT_EQ(plug("ide-hd", "r"), "ok");
  ASSERT_EQ(drives(bench.machine()).size(), 1U);
  BlockBackend& drive = *drives(bench.machine())[0];
  EXPECT_EQ(drive.shown_name(), "");
  EXPECT_EQ(drive.medium()->node_name, "r");
  EXPECT_FALSE(drive.removable());
  EXPECT_THAT(plug("ide-hd", "r"), HasSubstr("Node 'r' is already in use"));
  EXPECT_THAT(plug("ide-hd", "f"), HasSubstr("Node 'f' is already in use"));
  EXPECT_EQ(remove("r"), "Node r is in use");
  ASSERT_TRUE(bench.machine().unplug(*device));
  EXPECT_TRUE(drives(bench.machine()).empty());
  EXPECT_EQ(remove("r"), "ok");
}

TEST_F(Blockdev, ADiskNeedsANodeThatCanBeWritten) {
  bench.add("piix3-ide", {{"addr", "1.1"}});
  EXPECT_EQ(add("file,node-name=f,read-only=on,filename=" + image()), "ok");
  EXPECT_THAT(plug("ide-hd", "f"), HasSubstr("Block node is read-only"));
  EXPECT_EQ(plug("ide-cd", "f"), "ok");
}

TEST_F(Blockdev, AutoReadOnlyIsWritableForTheOneThatWrites) {
  bench.add("piix3-ide", {{"addr", "1.1"}});
  EXPECT_EQ(add("file,node-name=f,auto-read-only=on,filename=" + image()), "ok");
  EXPECT_TRUE(nodes().find("f")->node->read_only());
  EXPECT_EQ(plug("ide-hd", "f"), "ok");
  EXPECT_FALSE(nodes().find("f")->node->read_only());
}

// Two nodes may be there for one file, but only one of them may be used.
TEST_F(Blockdev, TheFileIsLockedByTheOneThatUsesIt) {
  bench.add("piix3-ide", {{"addr", "1.1"}});
  EXPECT_EQ(add("file,node-name=a,filename=" + image()), "ok");
  EXPECT_EQ(add("file,node-name=b,filename=" + (dir / "a.img")), "ok");
  EXPECT_EQ(plug("ide-hd", "a"), "ok");
  Device* first = device;
  EXPECT_THAT(plug("ide-hd", "b"), HasSubstr("Failed to get \"write\" lock"));
  ASSERT_TRUE(bench.machine().unplug(*first));
  EXPECT_EQ(plug("ide-hd", "b"), "ok");
}

TEST_F(Blockdev, AFloppyTakesWhatItCan) {
  bench.add("isa-fdc");
  EXPECT_EQ(add("file,node-name=f,read-only=on,filename=" + image("f.img", 1440 * KiB)), "ok");
  EXPECT_EQ(plug("floppy", "f"), "ok");
  EXPECT_TRUE(drives(bench.machine())[0]->read_only());
}

}  // namespace
}  // namespace rhea::test
