// SPDX-License-Identifier: GPL-2.0-or-later
// A 16550 whose line is a serial device of the host, and one whose chardev changes.
#include "chardev/backend.h"
#include "tests/legacy/serial_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

/// Remembers what the port sets.
class HostLine final : public Chardev {
 public:
  static constexpr std::string_view kName = "chardev-test-line";
  std::size_t write(std::span<const u8> data) override { return data.size(); }
  std::string filename() const override { return "line"; }
  void set_serial_line(const SerialLine& next) override { line = next; }
  void set_break(bool on) override { broken = on; }
  void set_modem_control(bool d, bool r) override {
    dtr = d;
    rts = r;
  }
  std::optional<ModemLines> modem_lines() const override { return lines; }

  SerialLine line;
  bool broken{false}, dtr{false}, rts{false};
  ModemLines lines;
};
const RegisterType<HostLine> registration;

class SerialHostLineTest : public SerialBase {
 protected:
  SerialHostLineTest()
      : line_(bench_.machine().container("/chardevs").add_child("line0", create<HostLine>())),
        device_(bench_.add("isa-serial", {{"chardev", "line0"}})) {}

  HostLine& line_;
  Device& device_;
};

TEST_F(SerialHostLineTest, RateAndFormatFollowTheDivisor) {
  write(kLcr, 0x80);
  write(kData, 12);
  write(kIer, 0);
  write(kLcr, 0x1e);
  EXPECT_EQ(line_.line.rate, 9600u);
  EXPECT_EQ(line_.line.data_bits, 7);
  EXPECT_EQ(line_.line.parity, 'E');
  EXPECT_EQ(line_.line.stop_bits, 2);
}

TEST_F(SerialHostLineTest, BreakLastsAsLongAsTheGuestHoldsIt) {
  write(kLcr, 0x43);
  EXPECT_TRUE(line_.broken);
  write(kLcr, 0x03);
  EXPECT_FALSE(line_.broken);
}

TEST_F(SerialHostLineTest, DtrAndRtsAreTheGuests) {
  write(kMcr, 0x01);
  EXPECT_TRUE(line_.dtr);
  EXPECT_FALSE(line_.rts);
}

TEST_F(SerialHostLineTest, ModemLinesAreTheHosts) {
  line_.lines = {.cts = false, .dsr = true, .ri = false, .dcd = false};
  EXPECT_EQ(read(kMsr) & 0xf0, 0x20);
}

TEST_F(SerialHostLineTest, ChangedChardevIsThePortsFromThenOn) {
  KeyValues options = KeyValues::parse("ringbuf", "backend").value();
  ASSERT_TRUE(chardev::change_chardev(bench_.machine(), "line0", std::move(options)).has_value());
  bench_.run_until([] { return true; });
  write(kData, 'x');
  EXPECT_NE(to_text(device_.get("chardev").value()).find("line0"), std::string::npos);
  EXPECT_EQ(find_chardev(bench_.machine(), "line0")->filename(), "ringbuf");
}

}  // namespace
}  // namespace rhea::test
