// SPDX-License-Identifier: GPL-2.0-or-later
// A machine whose one software processor gets random code, tables and registers in any mode, and
// the checks that it has touched nothing but its own memory. Everything follows from a seed.
#pragma once

#include "accel/jit/vcpu.h"
#include "accel/jit/vm.h"
#include "target/x86/isa/generate.h"

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace rhea::test {

enum class WildMode : u8 { Real, Virtual8086, Protected16, Protected32, Compatibility, Long };
inline constexpr unsigned kWildModes = 6;

class WildGuest {
 public:
  explicit WildGuest(bool translate, unsigned cpus = 1, const char* model = "max,+vme,+la57");
  virtual ~WildGuest();
  WildGuest(const WildGuest&) = delete;
  WildGuest& operator=(const WildGuest&) = delete;

  /// Memory, tables, code and registers anew.
  void start(u64 seed);
  /// Registers and a place in the code anew, perhaps an interrupt.
  virtual void disturb();
  /// Executes that many blocks, or fewer; returns how many.
  unsigned run(unsigned blocks) { return vcpu_->run_briefly(blocks); }
  /// What is wrong with the processor, its TLBs or the host's own registers; empty: nothing.
  std::string damage();

 protected:
  static constexpr u64 kRam = 1 * MiB, kGdt = 0x1000, kTss = 0x2000, kIdt = 0x3000, kPages = 0x8000,
                       kCode = 0x1'0000, kCodeBytes = 0x4000, kData = 0x2'0000, kOverlay = 0x3'0000,
                       kDevice = 0xa'0000, kRom = 0xf'0000;
  static constexpr u16 kLastSelector = 0x100;

  u64 below(u64 limit) { return random_() % limit; }
  bool one_in(u64 n) { return below(n) == 0; }
  virtual u64 number();
  u64 code_address() { return code_starts_[below(code_starts_.size())]; }

  void poke(u64 address, u64 value, unsigned size) {
    machine_.memory().store(address, value, size);
  }
  void fill_data();
  virtual void fill_code();
  virtual void fill_descriptors();
  virtual void fill_gates();
  virtual void fill_page_tables();
  u64 page_flags(bool wide);
  void enter_mode();
  void enter_real();
  void enter_protected();
  void set_control_registers();
  void load_segments(u16 code, u16 data);
  void set_registers();
  void set_vectors();
  std::vector<u8> instruction();
  virtual u64 read(u64 offset, unsigned size);
  virtual void write(u64 offset, u64 value, unsigned size);
  std::string tlb_damage();
  std::string host_damage();

  x86::isa::Random random_;
  std::vector<std::vector<const x86::isa::Row*>> groups_;
  std::vector<u64> code_starts_{kCode};
  WildMode mode_{};
  bool user_{};
  Machine machine_;
  Region ram_, rom_, overlay_, device_, ports_;
  std::unique_ptr<jit::Vm> vm_;
  std::unique_ptr<jit::JitVcpu> vcpu_;
  std::unique_ptr<jit::JitVcpu> other_;  ///< a second processor, if there is one: it stands still
};

}  // namespace rhea::test
