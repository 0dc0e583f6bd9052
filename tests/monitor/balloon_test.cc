// SPDX-License-Identifier: GPL-2.0-or-later
// What monitors say to the balloon and hear of it.
#include "tests/monitor/fixture.h"

namespace rhea::test {
namespace {

class BalloonCommands : public MonitorTest {
 protected:
  BalloonCommands() {
    machine().config.ram_size = 64 * MiB;
    bench_.add("virtio-balloon-pci", {{"addr", "3"}});
    device_ = bench_.pci().device(3 << 3);
  }
  u64 target_mib() {
    bench_.config_write(3 << 3, pci::kBar0 + 16, 0xe000'0000, 4);
    bench_.config_write(3 << 3, pci::kCommand, pci::kCommandMemory, 2);
    return 64 - bench_.load(0xe000'2000, 4) / 256;
  }
  PciDevice* device_;
};

TEST_F(BalloonCommands, ATargetIsGivenInBytesOrMiB) {
  EXPECT_EQ(qmp(R"({"execute":"balloon","arguments":{"value":50331648}})"), R"({"return": {}})");
  EXPECT_EQ(target_mib(), 48u);
  EXPECT_EQ(hmp("balloon 32"), "");
  EXPECT_EQ(target_mib(), 32u);
}

TEST_F(BalloonCommands, NothingIsNoTarget) {
  EXPECT_EQ(error(R"({"execute":"balloon","arguments":{"value":0}})"),
            "GenericError: Parameter 'target' expects a size");
  EXPECT_EQ(error(R"({"execute":"balloon","arguments":{"value":-5}})"),
            "GenericError: Parameter 'target' expects a size");
  EXPECT_EQ(hmp("balloon 0"), "Error: Parameter 'target' expects a size\n");
}

TEST_F(BalloonCommands, TheGuestsMemoryIsTold) {
  EXPECT_EQ(returned(R"({"execute":"query-balloon"})")["actual"], 64 * MiB);
  EXPECT_EQ(hmp("info balloon"), "balloon: actual=64\n");
}

TEST_F(BalloonCommands, StatisticsAreAnObject) {
  const auto got = returned(R"({"execute":"qom-get","arguments":{"path":")" + device_->path() +
                            R"(","property":"guest-stats"}})");
  EXPECT_EQ(got["last-update"], 0);
  EXPECT_EQ(got["stats"]["stat-htlb-pgfail"], ~u64{0});
}

}  // namespace
}  // namespace rhea::test
