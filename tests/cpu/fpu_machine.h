// SPDX-License-Identifier: GPL-2.0-or-later
// The processor's bench with everything on that x87 and vector instructions need.
#pragma once

#include "tests/support/cpu_bench.h"

#include <initializer_list>
#include <optional>
#include <span>

namespace rhea::x86 {

/// In 64-bit mode. Memory from 5000h to 6FFFh is free.
class FpuMachine {
 public:
  FpuMachine();
  /// Decodes, binds and executes one instruction; the vector of its fault if it has one.
  std::optional<Vector> execute(std::span<const u8> bytes);
  std::optional<Vector> execute(std::initializer_list<u8> bytes) {
    return execute(std::span(bytes.begin(), bytes.size()));
  }
  /// 32-bit code in flat segments.
  void enter_protected() { bench.enter_protected(); }
  /// The same, but DS ends at `limit`: accesses beyond are #GP.
  void limit_data_segment(u32 limit);
  template <class T>
  void poke(u64 address, T value) {
    bench.poke(address, value);
  }
  template <class T>
  T peek(u64 address) const {
    return bench.peek<T>(address);
  }

  test::CpuBench bench;
  CpuModel& model{bench.model};
  Cpu& cpu{bench.cpu};
};

}  // namespace rhea::x86
