// SPDX-License-Identifier: GPL-2.0-or-later
// A 16550A on the bench.
#pragma once

#include "tests/support/bench.h"

#include <gtest/gtest.h>

namespace rhea::test {

/// A port at its usual place, seen by its registers.
class SerialBase : public testing::Test {
 protected:
  static constexpr u16 kBase = 0x3f8;
  static constexpr i64 kCharacter = 10 * kNsPerSecond / 115200;  // 8N1 at divisor 1

  enum Register : u8 { kData, kIer, kIir, kLcr, kMcr, kLsr, kMsr, kScratch };
  static constexpr Register kFcr = kIir;

  static constexpr u8 kReceived = 0x04;
  static constexpr u8 kTimeout = 0x0c;
  static constexpr u8 kTransmitted = 0x02;
  static constexpr u8 kLineError = 0x06;
  static constexpr u8 kModem = 0x00;
  static constexpr u8 kNone = 0x01;

  u8 read(Register r) { return bench_.inb(static_cast<u16>(kBase + r)); }
  void write(Register r, u8 value) { bench_.outb(static_cast<u16>(kBase + r), value); }

  Bench bench_;
};

}  // namespace rhea::test
