// SPDX-License-Identifier: GPL-2.0-or-later
// From mnemonics to the functions that execute them.
#pragma once

#include "target/x86/cpu.h"
#include "target/x86/insn.h"

#include <span>
#include <string_view>

namespace rhea::x86::interp {

/// Picks the function for an instruction's operand kinds and sizes; nullptr: there is none (#UD).
using Binder = Execute (*)(const Insn& insn);

/// A mnemonic as the instruction table has it, and its binder. Each family's file has an array of
/// them.
struct Binding {
  std::string_view mnemonic;
  Binder bind;
};

/// The families. Every mnemonic of the table is in exactly one.
std::span<const Binding> alu_bindings();
std::span<const Binding> exchange_bindings();
std::span<const Binding> shift_bindings();
std::span<const Binding> muldiv_bindings();
std::span<const Binding> bit_bindings();
std::span<const Binding> move_bindings();
std::span<const Binding> movsxd_bindings();
std::span<const Binding> stack_bindings();
std::span<const Binding> string_bindings();
std::span<const Binding> branch_bindings();
std::span<const Binding> flag_bindings();
std::span<const Binding> io_bindings();
std::span<const Binding> far_bindings();
std::span<const Binding> segment_bindings();
std::span<const Binding> system_bindings();
std::span<const Binding> msr_bindings();
std::span<const Binding> x87_bindings();
std::span<const Binding> vector_bindings();
std::span<const Binding> xsave_bindings();

/// Fills in Insn::exec from its row. An instruction without a binding raises #UD.
void bind(Insn& insn);
/// Whether anything but #UD has been written for a row.
bool is_bound(unsigned row);

/// A binder for functions that look at the Insn themselves.
template <Execute Function>
Execute always(const Insn&) {
  return Function;
}

}  // namespace rhea::x86::interp
