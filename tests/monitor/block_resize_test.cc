// SPDX-License-Identifier: GPL-2.0-or-later
// block_resize, as QMP and HMP have it.
#include "rhea/block/block_backend.h"
#include "tests/block/temp_dir.h"
#include "tests/monitor/fixture.h"

namespace rhea::test {
namespace {

class BlockResize : public MonitorTest {
 protected:
  BlockResize() {
    EXPECT_TRUE(create_drive(machine(), "if=none,id=d,node-name=n,format=raw,file=" + image_));
    EXPECT_TRUE(create_drive(machine(), "if=none,id=ro,readonly=on,format=raw,file=" +
                                            folder_.file("ro.img", MiB, 'x')));
    EXPECT_TRUE(create_drive(machine(), "if=none,id=empty"));
  }
  void add_node(std::string_view name) {
    qmp(fmt::format(R"({{"execute":"blockdev-add","arguments":{{"driver":"raw","node-name":"{0}",
        "file":{{"driver":"file","node-name":"{0}-file","filename":"{1}"}}}}}})",
                    name, folder_.file(std::string(name), MiB, 'x')));
  }
  const TempDir folder_;
  const std::string image_ = folder_.file("disk.img", MiB, 'x');
};

TEST_F(BlockResize, ByTheDrivesName) {
  qmp(R"({"execute":"block_resize","arguments":{"device":"d","size":2097152}})");
  EXPECT_EQ(std::filesystem::file_size(image_), 2 * MiB);
  const auto drives = returned(R"({"execute":"query-block"})");
  EXPECT_EQ(drives[0]["inserted"]["image"]["virtual-size"], 2 * MiB);
}

TEST_F(BlockResize, ByTheNodesName) {
  qmp(R"({"execute":"block_resize","arguments":{"node-name":"n","size":4096}})");
  EXPECT_EQ(std::filesystem::file_size(image_), 4096U);
}

TEST_F(BlockResize, ANodeThatNoDriveHasIsResized) {
  add_node("loose");
  qmp(R"({"execute":"block_resize","arguments":{"node-name":"loose","size":4096}})");
  EXPECT_EQ(std::filesystem::file_size(folder_ / "loose"), 4096U);
}

TEST_F(BlockResize, ANodeBelowAnotherIsRefused) {
  add_node("over");
  EXPECT_EQ(
      error(R"({"execute":"block_resize","arguments":{"node-name":"over-file","size":4096}})"),
      "GenericError: Node 'over-file' is in use by 'over': resize that");
}

TEST_F(BlockResize, WrongOnesAreRefusedByName) {
  EXPECT_EQ(error(R"({"execute":"block_resize","arguments":{"device":"d","size":-1}})"),
            "GenericError: Parameter 'size' expects a >0 size");
  EXPECT_EQ(error(R"({"execute":"block_resize","arguments":{"device":"nope","size":1}})"),
            "GenericError: Cannot find device='nope' nor node-name=''");
  EXPECT_EQ(error(R"({"execute":"block_resize","arguments":{"device":"empty","size":1}})"),
            "GenericError: Device 'empty' has no medium");
  EXPECT_EQ(error(R"({"execute":"block_resize","arguments":{"device":"ro","size":1}})"),
            "GenericError: Image is read-only");
  EXPECT_EQ(
      error(R"({"execute":"block_resize","arguments":{"device":"d","size":9223372036854775807}})"),
      "GenericError: offset(9223372036854775807) exceeds maximum(9223372035781033984)");
}

TEST_F(BlockResize, TheHumanMonitorTakesMebibytes) {
  EXPECT_EQ(hmp("block_resize d 3"), "");
  EXPECT_EQ(std::filesystem::file_size(image_), 3 * MiB);
  EXPECT_EQ(hmp("block_resize nope 5M"), "Error: Cannot find device='nope' nor node-name=''\n");
}

}  // namespace
}  // namespace rhea::test
