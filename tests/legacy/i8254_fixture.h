// SPDX-License-Identifier: GPL-2.0-or-later
// A timer on the bench, driven pulse by pulse.
#pragma once

#include "rhea/softmmu/speaker_timer.h"
#include "tests/support/bench.h"

#include <gtest/gtest.h>

namespace rhea::test {

class I8254Test : public testing::Test {
 protected:
  static constexpr u64 kInputHz = 1'193'182;
  static constexpr u16 kControl = 0x43;
  static constexpr u8 kOut = 0x80;
  static constexpr u8 kNullCount = 0x40;

  I8254Test() : device_(add_timer()), speaker_(dynamic_cast<SpeakerTimer&>(device_)) {}

  // OUT 0 is high from the first reset on.
  Device& add_timer() {
    bench_.on_add([this](Device& timer) { timer.connect_gpio_out("", 0, bench_.isa().irq(0)); });
    Device& timer = bench_.add("isa-pit");
    bench_.on_add({});
    return timer;
  }

  /// Lets `count` pulses of the input clock pass.
  void pulses(u64 count) {
    Clock& clock = bench_.machine().virtual_clock();
    const u64 target = clock.ticks(kInputHz) + count;
    const auto ns =
        static_cast<i64>((static_cast<u128>(target) * kNsPerSecond + kInputHz - 1) / kInputHz);
    bench_.advance(ns - clock.now_ns());
  }
  u16 port(unsigned counter) const { return static_cast<u16>(0x40 + counter); }
  /// Sets a counter, low and high byte, and lets it load.
  void start(unsigned counter, u8 mode, u16 count) {
    bench_.outb(kControl, static_cast<u8>(counter << 6 | 0x30 | mode << 1));
    write(counter, count);
    pulses(1);
  }
  void write(unsigned counter, u16 count) {
    bench_.outb(port(counter), static_cast<u8>(count));
    bench_.outb(port(counter), static_cast<u8>(count >> 8));
  }
  u16 read(unsigned counter) {
    bench_.outb(kControl, static_cast<u8>(counter << 6));
    const u8 low = bench_.inb(port(counter));
    return static_cast<u16>(low | bench_.inb(port(counter)) << 8);
  }
  u8 status(unsigned counter) {
    bench_.outb(kControl, static_cast<u8>(0xe0 | 2u << counter));
    return bench_.inb(port(counter));
  }
  bool out(unsigned counter) { return (status(counter) & kOut) != 0; }

  Bench bench_;
  Device& device_;
  SpeakerTimer& speaker_;
};

}  // namespace rhea::test
