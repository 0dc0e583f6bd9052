// SPDX-License-Identifier: GPL-2.0-or-later
// A processor's registers as the debugger numbers them.
#pragma once

#include "gdbstub/register_list.h"
#include "gdbstub/segment_load.h"

#include <span>
#include <string>
#include <vector>

namespace rhea::gdbstub {

/// Reads and writes them in a state that somebody else fetches and puts back.
class Registers {
 public:
  /// No registers at all.
  Registers() = default;
  Registers(Layout layout, const accel::XsaveOffsets& vectors);

  const std::vector<RegisterFeature>& features() const { return features_; }
  std::size_t count() const { return order_.size(); }
  /// Of the register with that number.
  const Register& at(std::size_t number) const {
    return features_[order_[number].feature].registers[order_[number].index];
  }
  /// One behind the other, little-endian.
  std::vector<u8> read_all(const x86::CpuState& state) const;
  std::vector<u8> read(const x86::CpuState& state, std::size_t number) const;

  /// Of all registers, those that differ are written. False: the bytes are too few, or a processor
  /// cannot have these values; `state` is then of no use. Segment registers are loaded as the
  /// processor would, from descriptors that `memory` reads.
  bool write_all(x86::CpuState& state, std::span<const u8> bytes, const ReadLinear& memory) const;
  bool write(x86::CpuState& state, std::size_t number, std::span<const u8> bytes,
             const ReadLinear& memory) const;

 private:
  struct Position {
    unsigned feature{}, index{};
  };
  bool write_one(x86::CpuState& state, const Register& which, std::span<const u8> bytes,
                 const ReadLinear& memory) const;

  accel::XsaveOffsets vectors_;
  std::vector<RegisterFeature> features_;
  std::vector<Position> order_;  ///< by the debugger's number
};

}  // namespace rhea::gdbstub
