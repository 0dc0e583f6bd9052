// SPDX-License-Identifier: GPL-2.0-or-later
// Registers and state of devices, through the monitors.
#include "tests/monitor/fixture.h"

namespace rhea::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class DeviceInfoTest : public MonitorTest {
 protected:
  void SetUp() override {
    path_ = bench_.add("edu", {{"addr", "3"}}).path();
    bench_.config_write(3 << 3, 0x10, 0xfe00'0000, 4);
    bench_.config_write(3 << 3, 0x04, 6, 2);
    bench_.store(0xfe00'0008, 4, 4);
    bench_.store(0xfe00'0060, 0x101, 4);
  }
  std::string get(const std::string& name) { return hmp("qom-get " + path_ + " " + name); }
  std::string path_;
};

TEST_F(DeviceInfoTest, shows_registers_with_their_fields_and_the_rest_of_the_state) {
  const std::string text = hmp("info device " + path_);
  EXPECT_THAT(text, StartsWith(path_ + ": edu\nregisters edu-mmio:\n"
                                       "  0000 IDENTIFICATION       ro  0x010000ed\n"
                                       "  0004 LIVENESS             rw  0x00000000\n"));
  EXPECT_THAT(text, HasSubstr("  0024 IRQ_STATUS           ro  0x00000101 [FACTORIAL DMA]\n"
                              "  0060 IRQ_RAISE            wo  -\n"));
  EXPECT_THAT(text, HasSubstr("state of pci-device:\n"));
  EXPECT_THAT(text, HasSubstr("  intx-level                on\n"));
  EXPECT_THAT(text, HasSubstr("state of edu:\n  buffer                    0000000000000000"));
  EXPECT_THAT(text, HasSubstr("… (4096 bytes)\n"));
  EXPECT_THAT(text, HasSubstr("  factorial-timer           at 10000 ns\n"
                              "  dma-timer                 not armed\n"));
  EXPECT_THAT(text, Not(HasSubstr("  IRQ_STATUS                257")));
}

TEST_F(DeviceInfoTest, an_unknown_device_is_an_error) {
  EXPECT_THAT(hmp("info device nothing"), HasSubstr("nothing"));
  EXPECT_THAT(hmp("info device"), StartsWith("device: string expected"));
}

TEST_F(DeviceInfoTest, qom_get_knows_registers_and_state) {
  EXPECT_EQ(get("IRQ_STATUS"), "257\n");
  EXPECT_EQ(get("IDENTIFICATION"), "16777453\n");
  EXPECT_EQ(get("intx-level"), "true\n");
  EXPECT_EQ(get("IRQ_RAISE"), "Error: Register 'edu.IRQ_RAISE' can only be read by the guest\n");
}

TEST_F(DeviceInfoTest, qom_list_lists_them) {
  const std::string list = hmp("qom-list " + path_);
  EXPECT_THAT(list, HasSubstr("IRQ_STATUS (register)\n"));
  EXPECT_THAT(list, HasSubstr("buffer (state)\n"));
  EXPECT_THAT(list, Not(HasSubstr("IRQ_RAISE")));
}

TEST_F(DeviceInfoTest, the_registers_of_a_type_are_told_without_a_device) {
  const auto banks =
      returned(R"({"execute":"x-query-device-registers","arguments":{"typename":"edu"}})");
  ASSERT_EQ(banks.size(), 1u);
  EXPECT_EQ(banks[0]["name"], "edu-mmio");
  const auto& status = banks[0]["registers"][3];
  EXPECT_EQ(status["name"], "STATUS");
  EXPECT_EQ(status["offset"], 0x20);
  EXPECT_EQ(status["writable"], 0x80);
  EXPECT_EQ(status["fields"][0]["name"], "COMPUTING");
  EXPECT_EQ(error(R"({"execute":"x-query-device-registers","arguments":{"typename":"nix"}})"),
            "DeviceNotFound: Device 'nix' not found");
}

}  // namespace
}  // namespace rhea::test
