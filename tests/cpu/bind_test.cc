// SPDX-License-Identifier: GPL-2.0-or-later
// Every row of the instruction table has something that executes it.
#include "target/x86/interp/bind.h"

#include "target/x86/isa/row.h"

#include <gtest/gtest.h>

namespace rhea::test {
namespace {

TEST(Bindings, EveryRowIsExecuted) {
  const auto rows = x86::isa::rows();
  for (unsigned row = 0; row < rows.size(); ++row)
    EXPECT_TRUE(x86::interp::is_bound(row))
        << rows[row].mnemonic << " " << rows[row].operands << " (opcode " << std::hex
        << unsigned{rows[row].opcode} << ")";
}

}  // namespace
}  // namespace rhea::test
