// SPDX-License-Identifier: GPL-2.0-or-later
// The host's side of an IDE channel, for tests: registers, PIO, bus mastering, packets.
#pragma once

#include "tests/support/bench.h"

#include <array>
#include <vector>

namespace rhea::test {

/// One channel (0 primary, 1 secondary) of a piix3-ide that the constructor puts at 00:01.1.
class IdeHost {
 public:
  static constexpr u8 kError = 0x01, kDrq = 0x08, kSeekComplete = 0x10, kFault = 0x20,
                      kReady = 0x40, kBusy = 0x80;
  static constexpr u16 kMaster = 0xc000;  ///< where BAR 4 is put
  static constexpr unsigned kDevfn = 1 << 3 | 1;

  /// Puts the controller on the bench, once.
  static void add_controller(Bench& bench);

  explicit IdeHost(Bench& bench, unsigned channel = 0) : bench_(bench), channel_(channel) {}

  // Command block: 1 features/error, 2 count, 3..5 LBA, 6 device, 7 command/status.
  u8 reg(unsigned n) { return bench_.inb(static_cast<u16>(base() + n)); }
  void set_reg(unsigned n, u8 value) { bench_.outb(static_cast<u16>(base() + n), value); }
  u8 status() { return reg(7); }
  u8 alternate_status() { return bench_.inb(control_port()); }
  void control(u8 value) { bench_.outb(control_port(), value); }
  u16 base() const { return channel_ == 0 ? 0x1f0 : 0x170; }
  u16 control_port() const { return channel_ == 0 ? 0x3f6 : 0x376; }
  bool irq() const { return bench_.irq(14 + channel_); }

  void select(unsigned unit, u8 bits = 0xe0) { set_reg(6, static_cast<u8>(bits | unit << 4)); }
  void set_lba28(u32 lba, u8 count, unsigned unit = 0);
  void set_lba48(u64 lba, u16 count, unsigned unit = 0);
  /// Writes the command register, and waits until the device is not busy.
  u8 command(u8 code);
  /// Waits until BSY is clear; returns the alternate status.
  u8 settle();
  std::vector<u8> read_data(std::size_t bytes);
  void write_data(std::span<const u8> data);

  // Bus master of the channel.
  u16 master() const { return static_cast<u16>(kMaster + 8 * channel_); }
  u8 master_status() { return bench_.inb(static_cast<u16>(master() + 2)); }
  /// Writes descriptors {address, length, last} to memory at `table` and points the bus master
  /// there.
  struct Descriptor {
    u32 address;
    u32 length;  ///< 0x10000 is written as 0
    bool last{true};
  };
  void set_table(u32 table, const std::vector<Descriptor>& descriptors);
  void start_master(bool to_memory) {
    bench_.outb(master(), static_cast<u8>(to_memory ? 0x09 : 0x01));
  }
  void stop_master() { bench_.outb(master(), 0); }
  /// Until the device has raised its interrupt.
  bool wait_irq() {
    return bench_.run_until([this] { return irq(); });
  }

  /// Sends a packet command with PIO; `limit` is the byte count limit.
  u8 packet(std::vector<u8> cdb, u16 limit = 0xfffe, u8 features = 0);
  /// All data of a PIO packet command, block by block, until the device is through.
  std::vector<u8> packet_in(const std::vector<u8>& cdb, u16 limit = 0xfffe);

 private:
  Bench& bench_;
  unsigned channel_;
};

inline u16 word(std::span<const u8> data, unsigned n) {
  return static_cast<u16>(data[2 * n] | data[2 * n + 1] << 8);
}

/// Bytes that tell from where they are.
inline void fill_pattern(std::vector<u8>& disk) {
  for (std::size_t i = 0; i < disk.size(); ++i) disk[i] = static_cast<u8>(i ^ i >> 8 ^ i >> 16);
}

}  // namespace rhea::test
