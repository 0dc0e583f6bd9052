// SPDX-License-Identifier: GPL-2.0-or-later
// The pair of 8259A on the bench.
#pragma once

#include "tests/support/bench.h"

#include <gtest/gtest.h>

namespace rhea::test {

class I8259Test : public testing::Test {
 protected:
  static constexpr u16 kMaster = 0x20;
  static constexpr u16 kSlave = 0xa0;
  static constexpr u16 kElcr = 0x4d0;

  I8259Test() : device_(bench_.add("isa-i8259")) {
    bench_.machine().interrupts.intr_changed = [this](bool level) {
      intr_ = level;
      ++changes_;
    };
  }

  /// As a PC's firmware does: vectors 8 and 0x70, cascade, no automatic end of interrupt.
  void initialise(u8 master_icw4 = 0x01, u8 slave_icw4 = 0x01) {
    initialise_chip(kMaster, 0x08, 0x04, master_icw4);
    initialise_chip(kSlave, 0x70, 0x02, slave_icw4);
  }
  void initialise_chip(u16 base, u8 vector, u8 icw3, u8 icw4) {
    bench_.outb(base, 0x11);
    bench_.outb(base + 1, vector);
    bench_.outb(base + 1, icw3);
    bench_.outb(base + 1, icw4);
  }
  void set(unsigned irq, bool level) { device_.gpio_in("", irq).set(level); }
  /// A new edge of a line that stays high.
  void rise(unsigned irq) {
    set(irq, false);
    set(irq, true);
  }
  void pulse(unsigned irq) {
    set(irq, true);
    set(irq, false);
  }
  u8 acknowledge() { return bench_.machine().interrupts.pic->acknowledge(); }
  u8 irr(u16 base) {
    bench_.outb(base, 0x0a);
    return bench_.inb(base);
  }
  u8 isr(u16 base) {
    bench_.outb(base, 0x0b);
    return bench_.inb(base);
  }

  Bench bench_;
  Device& device_;
  bool intr_{false};
  unsigned changes_{0};
};

}  // namespace rhea::test
