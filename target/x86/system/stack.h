// SPDX-License-Identifier: GPL-2.0-or-later
// A stack that is not in SS:RSP yet: what far transfers push and pop before they commit.
#pragma once

#include "target/x86/cpu.h"

namespace rhea::x86::system {

/// Pushes to and pops from `ss`:`sp` with the rights of a level, leaving the Cpu's registers alone.
/// Where an access does not fit, #SS with `error`.
class Stack {
 public:
  /// The current one.
  explicit Stack(Cpu& cpu);
  /// `width` is the stack's address size in bytes.
  Stack(Cpu& cpu, const SegmentRegister& ss, u64 sp, unsigned width, unsigned level, u32 error);

  void push(u64 value, unsigned size);
  u64 pop(unsigned size);
  void skip(u64 bytes) { sp_ = (sp_ + bytes) & Cpu::size_mask(width_); }
  void align(u64 bytes) { sp_ &= ~(bytes - 1); }
  u64 sp() const { return sp_; }
  unsigned width() const { return width_; }
  /// Moves the Cpu's stack pointer to where this one is.
  void commit() const { cpu_.set_sp(sp_, width_); }

 private:
  u64 linear(u64 offset, unsigned size) const;

  Cpu& cpu_;
  SegmentRegister ss_;
  u64 sp_;
  unsigned width_;
  Privilege as_;
  u32 error_;
};

}  // namespace rhea::x86::system
