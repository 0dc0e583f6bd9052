// SPDX-License-Identifier: GPL-2.0-or-later
// Every row of the instruction table, with what executes it.
#include "target/x86/interp/bind.h"

#include "rhea/util/error.h"
#include "target/x86/interp/vector.h"
#include "target/x86/isa/row.h"

#include <array>
#include <unordered_map>
#include <vector>

namespace rhea::x86::interp {
namespace {

void undefined(Cpu&, const Insn&) { raise(Vector::Ud); }
Execute bind_undefined(const Insn&) { return &undefined; }

std::unordered_map<std::string_view, Binder> by_mnemonic() {
  std::unordered_map<std::string_view, Binder> binders;
  for (const std::span<const Binding> family :
       {alu_bindings(), exchange_bindings(), shift_bindings(), muldiv_bindings(), bit_bindings(),
        move_bindings(), movsxd_bindings(), stack_bindings(), string_bindings(), branch_bindings(),
        flag_bindings(), io_bindings(), far_bindings(), segment_bindings(), system_bindings(),
        msr_bindings(), x87_bindings(), vector_bindings(), xsave_bindings()})
    for (const Binding& binding : family) binders[binding.mnemonic] = binding.bind;
  return binders;
}

/// A binder a row, in the rows' order.
const std::vector<Binder>& binders() {
  static const std::vector<Binder> made = [] {
    const auto by_name = by_mnemonic();
    std::vector<Binder> list;
    for (const isa::Row& row : isa::rows()) {
      const auto it = by_name.find(row.mnemonic);
      list.push_back(it != by_name.end()         ? it->second
                     : row.is(isa::NativeVector) ? nullptr
                                                 : &bind_undefined);
    }
    return list;
  }();
  return made;
}

}  // namespace

void bind(Insn& insn) {
  const Binder binder = binders()[insn.row];
  insn.exec = binder != nullptr ? binder(insn) : bind_vector(insn);
  if (insn.exec == nullptr) insn.exec = &undefined;
}

bool is_bound(unsigned row) { return binders()[row] != &bind_undefined; }

}  // namespace rhea::x86::interp
