// SPDX-License-Identifier: GPL-2.0-or-later
// A keyboard controller with its keyboard and mouse on the bench.
#pragma once

#include "rhea/softmmu/a20.h"
#include "rhea/ui/input.h"
#include "tests/support/bench.h"

#include <gtest/gtest.h>

#include <vector>

namespace rhea::test {

class Ps2Fixture : public testing::Test {
 protected:
  explicit Ps2Fixture(const Properties& properties = {}) {
    bench_.add("i8042", properties);
    bench_.reset();
    bench_.machine().on_event([this](MachineEvent event, ShutdownCause cause) {
      if (event == MachineEvent::Reset && cause == ShutdownCause::GuestReset) ++resets_;
    });
  }

  InputHub& hub() { return bench_.machine().service<InputHub>(); }
  u8 status() { return bench_.inb(0x64); }
  bool a20() { return bench_.machine().service<A20Gate>().open(); }
  /// Commands to the controller.
  u8 ask(u8 command) {
    bench_.outb(0x64, command);
    return bench_.inb(0x60);
  }
  void command_with(u8 command, u8 data) {
    bench_.outb(0x64, command);
    bench_.outb(0x60, data);
  }
  /// What can be read, up to `most` bytes.
  std::vector<u8> read_all(std::size_t most = 100) {
    std::vector<u8> bytes;
    while (bytes.size() < most && (status() & 0x01) != 0) bytes.push_back(bench_.inb(0x60));
    return bytes;
  }
  /// Bytes to the keyboard or the mouse, and everything that came back.
  std::vector<u8> keyboard(std::initializer_list<u8> bytes) {
    for (const u8 byte : bytes) bench_.outb(0x60, byte);
    return read_all();
  }
  std::vector<u8> mouse(std::initializer_list<u8> bytes) {
    for (const u8 byte : bytes) command_with(0xd4, byte);
    return read_all();
  }

  Bench bench_;
  int resets_{0};
};

}  // namespace rhea::test
