// SPDX-License-Identifier: GPL-2.0-or-later
// The host's side of the floppy controller, for tests: commands, results, the 8237's channel 2.
#pragma once

#include "tests/support/bench.h"

#include <vector>

namespace rhea::test {

class FdcHost {
 public:
  static constexpr u16 kBase = 0x3f0;
  static constexpr u8 kReadyForHost = 0xd0, kIdle = 0x80;
  enum class Direction : u8 { ToMemory = 0x46, FromMemory = 0x4a };

  explicit FdcHost(Bench& bench) : bench_(bench) {}

  u8 reg(unsigned n) { return bench_.inb(static_cast<u16>(kBase + n)); }
  void set_reg(unsigned n, u8 value) { bench_.outb(static_cast<u16>(kBase + n), value); }
  u8 main_status() { return reg(4); }
  bool irq() const { return bench_.irq(6); }

  /// Motors on, reset released, gate open, drive `unit` selected; data rate `rate`; takes the
  /// reset's reports.
  void start(unsigned unit = 0, u8 rate = 0);
  void rate(u8 value) { set_reg(7, value); }
  /// Writes the bytes one by one, as long as the controller is ready for them.
  void command(const std::vector<u8>& bytes);
  /// Waits for the result phase, and reads it.
  std::vector<u8> result();
  std::vector<u8> run(const std::vector<u8>& bytes) {
    command(bytes);
    return result();
  }
  std::vector<u8> sense_interrupt() { return run({0x08}); }
  void seek(u8 cylinder, unsigned unit = 0);
  /// READ or WRITE with its nine bytes.
  static std::vector<u8> sectors(u8 code, u8 cylinder, u8 head, u8 first, u8 last,
                                 unsigned unit = 0) {
    return {code, static_cast<u8>(head << 2 | unit), cylinder, head, first, 2, last, 0x1b, 0xff};
  }

  /// Programs channel 2 of the 8237 for `length` bytes at `address`.
  void set_dma(u32 address, u32 length, Direction direction);
  /// Switches between DMA and the data register.
  void specify(bool non_dma) { command({0x03, 0xaf, static_cast<u8>(non_dma ? 0x03 : 0x02)}); }
  /// The data register in the execution phase.
  std::vector<u8> read_data(std::size_t bytes);
  void write_data(std::span<const u8> data);

 private:
  bool wait_for(u8 bits);
  Bench& bench_;
};

}  // namespace rhea::test
