// SPDX-License-Identifier: GPL-2.0-or-later
// A serial mouse on a 16550.
#include "chardev/backend.h"
#include "rhea/ui/input.h"
#include "tests/legacy/serial_fixture.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

class SerialMouseTest : public SerialBase {
 protected:
  SerialMouseTest() {
    create_chardev(bench_.machine(), "msmouse,id=m").value();
    bench_.add("isa-serial", {{"chardev", "m"}});
    write(kFcr, 0x01);
  }
  std::string read_all() {
    std::string text;
    while ((read(kLsr) & 0x01) != 0) text.push_back(static_cast<char>(read(kData)));
    return text;
  }
  void power() {
    write(kMcr, 0x03);
    read_all();
  }
  InputHub& hub() { return bench_.machine().service<InputHub>(); }
};

TEST_F(SerialMouseTest, SaysWhatItIsWhenItGetsPower) {
  EXPECT_EQ(read_all(), "");
  write(kMcr, 0x03);
  EXPECT_EQ(read_all(), "M3");
}

TEST_F(SerialMouseTest, MovementAndButtonsAreOnePacket) {
  power();
  hub().pointer({.dx = 5, .dy = -3, .dz = 0, .buttons = 1});
  EXPECT_EQ(read_all(), "\x6c\x05\x3d");
}

TEST_F(SerialMouseTest, MiddleButtonIsAFourthByte) {
  power();
  hub().pointer({.dx = 0, .dy = 0, .dz = 0, .buttons = 4});
  EXPECT_EQ(read_all(), std::string("\x40\0\0\x20", 4));
  hub().pointer({.dx = 0, .dy = 0, .dz = 0, .buttons = 0});
  EXPECT_EQ(read_all(), std::string("\x40\0\0\0", 4));
}

TEST_F(SerialMouseTest, MovementsOfAGuestThatDoesNotReadAreAddedUp) {
  power();
  for (int i = 0; i < 100; ++i) hub().pointer({.dx = 1, .dy = 0, .dz = 0, .buttons = 0});
  const std::string first = read_all();
  int moved = 0;
  for (std::size_t i = 0; i + 2 < first.size(); i += 3) moved += (first[i] & 3) << 6 | first[i + 1];
  EXPECT_EQ(moved, 100);
}

TEST_F(SerialMouseTest, WithoutPowerThePointerIsAnothers) {
  PointerEvent seen;
  InputPort another;
  another.open(bench_.machine(),
               {.name = "another", .move = [&](const PointerEvent& event) { seen = event; }});
  power();
  hub().pointer({.dx = 1, .dy = 0, .dz = 0, .buttons = 0});
  EXPECT_EQ(seen.dx, 0);
  write(kMcr, 0x00);
  hub().pointer({.dx = 2, .dy = 0, .dz = 0, .buttons = 0});
  EXPECT_EQ(seen.dx, 2);
}

}  // namespace
}  // namespace rhea::test
