// SPDX-License-Identifier: GPL-2.0-or-later
// A processor with flat memory and everything on, for single x87 and vector instructions.
#pragma once

#include "target/x86/cpu.h"

#include <array>
#include <initializer_list>
#include <optional>
#include <span>

namespace rhea::x86 {

/// Memory from address 0 up; no ports.
class FlatBus : public Bus {
 public:
  static constexpr u64 kSize = 64 << 10;
  HostPage page(u64 address) override;
  void wrote(u64, unsigned) override {}
  u64 read(u64, unsigned) override { return 0; }
  void write(u64, u64, unsigned) override {}
  u64 in(u16, unsigned) override { return 0; }
  void out(u16, u64, unsigned) override {}
  u64 tsc() override { return 0; }
  bool read_msr(u32, u64&) override { return false; }
  bool write_msr(u32, u64) override { return false; }
  u8 task_priority() override { return 0; }
  void set_task_priority(u8) override {}
  void fpu_error() override { ++fpu_errors; }

  alignas(4096) std::array<u8, kSize> memory{};
  unsigned fpu_errors{};
};

/// In 64-bit mode without paging, which no real processor has: linear addresses are physical.
class FpuMachine {
 public:
  FpuMachine();
  /// Decodes, binds and executes one instruction; the vector of its fault if it has one.
  std::optional<Vector> execute(std::span<const u8> bytes);
  std::optional<Vector> execute(std::initializer_list<u8> bytes) {
    return execute(std::span(bytes.begin(), bytes.size()));
  }
  /// 32-bit protected mode with flat segments.
  void enter_protected();
  /// The same, but DS ends at `limit`: accesses beyond are #GP.
  void limit_data_segment(u32 limit);
  template <class T>
  void poke(u64 address, T value) {
    std::memcpy(&bus.memory[address], &value, sizeof value);
  }
  template <class T>
  T peek(u64 address) const {
    T value;
    std::memcpy(&value, &bus.memory[address], sizeof value);
    return value;
  }

  FlatBus bus;
  CpuModel model;
  Cpu cpu;

 private:
  static CpuModel everything();
};

}  // namespace rhea::x86
