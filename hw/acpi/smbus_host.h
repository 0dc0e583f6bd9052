// SPDX-License-Identifier: GPL-2.0-or-later
// The PIIX4's SMBus host controller registers.
#pragma once

#include "hw/i2c/i2c_bus.h"
#include "rhea/qom/state.h"
#include "rhea/util/types.h"

#include <array>

namespace rhea::hw {

/// Intel 82371AB datasheet (order 290562), 7.3: 16 byte-wide registers. A transaction ends at once:
/// with the error that a missing acknowledge gives where nobody is at its address.
class SmbusHost {
 public:
  static constexpr unsigned kRegisters = 16;

  static void describe(StateFields<SmbusHost>& s) {
    s.state("status", &SmbusHost::status_);
    s.state("slave-status", &SmbusHost::slave_status_);
    s.state("control", &SmbusHost::control_);
    s.state("registers", &SmbusHost::registers_);
    s.state("block", &SmbusHost::block_);
    s.state("block-index", &SmbusHost::block_index_).range(0, kBlock - 1);
  }
  void connect(const I2cBus& bus) { bus_ = &bus; }
  void reset();
  u8 read(unsigned reg);
  void write(unsigned reg, u8 value);
  /// Whether the controller asks for its interrupt.
  bool interrupt() const;

 private:
  static constexpr unsigned kBlock = 32;
  bool transact();
  bool read_block(I2cDevice& device);
  bool write_block(I2cDevice& device);

  const I2cBus* bus_{};
  u8 status_{0};
  u8 slave_status_{0};
  u8 control_{0};
  std::array<u8, kRegisters> registers_{};  ///< those that only hold what is written
  std::array<u8, kBlock> block_{};
  u8 block_index_{0};
};

}  // namespace rhea::hw
