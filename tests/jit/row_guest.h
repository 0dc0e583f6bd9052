// SPDX-License-Identifier: GPL-2.0-or-later
// A machine whose one software processor executes a few instructions in 64-bit or compatibility
// mode from a state of the caller's choice, translated or interpreted.
#pragma once

#include "accel/jit/vcpu.h"
#include "accel/jit/vm.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace rhea::test {

/// What an instruction may read and write.
struct RowState {
  std::array<u64, 16> gpr{};
  std::array<x86::VectorRegister, 16> ymm{};
  x86::X87 x87;
  u32 mxcsr{x86::kMxcsrReset};
  u64 flags{}, rip{}, cr2{};
};

enum class RowMode : u8 { Long, Compatibility };

class RowGuest {
 public:
  /// The pages from here on are plain memory, but for one that is not there and one that is
  /// read-only. Those below, but the stack's, are read-only.
  static constexpr u64 kRam = 256 * KiB, kCode = 0x1'0000, kData = 0x2'0000, kAbsent = 0x2'2000,
                       kReadOnly = 0x2'3000, kStack = 0x7000;

  /// `code_bytes`: as Vm has them.
  RowGuest(bool translates, RowMode mode, std::size_t code_bytes = 0);
  ~RowGuest();
  RowGuest(const RowGuest&) = delete;
  RowGuest& operator=(const RowGuest&) = delete;

  /// Code at kCode, with a HLT behind it.
  void load(std::span<const u8> code);
  /// As a device would.
  void store(u64 at, std::span<const u8> bytes);
  /// A page is another from now on, or kAbsent.
  void map(u64 page, u64 to);
  /// Of all memory that the guest may write.
  void fill(std::span<const u8> data);
  /// From RIP (0: the start of the code) to the first HLT, or that of an exception's handler.
  RowState run(const RowState& state);
  x86::Cpu& cpu() { return vcpu_->cpu(); }
  Machine& machine() { return machine_; }
  const u8* memory() const { return ram_.host(); }
  /// How many translated blocks there are.
  u64 translated() const { return counts().blocks.load(); }
  const jit::TranslationCounts& counts() const { return vcpu_->translations()->counts(); }
  /// Bytes of decoded and translated code so far.
  std::size_t code_size() const { return vcpu_->code_size(); }

 private:
  void build_tables();
  void enter_long_mode();

  RowMode mode_;
  Machine machine_;
  Region ram_;
  std::unique_ptr<jit::Vm> vm_;
  std::unique_ptr<jit::JitVcpu> vcpu_;
};

}  // namespace rhea::test
