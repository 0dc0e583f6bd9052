// SPDX-License-Identifier: GPL-2.0-or-later
// Every row of the instruction table is compared with the host, or there is a reason.
#include "tests/cpu/coverage.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace rhea::x86 {
namespace {

using testing::IsEmpty;

using Report = std::map<std::string, std::vector<std::string>>;

void print(std::string_view title, const Report& report) {
  for (const auto& [what, rows] : report)
    fmt::print("{} {} ({}): {}\n", title, what, rows.size(), fmt::join(rows, "; "));
}

TEST(Coverage, EveryRowIsComparedWithTheHostOrHasAReason) {
  Report compared, reasons;
  std::vector<std::string> neither;
  for (unsigned n = 0; n < isa::rows().size(); ++n) {
    const isa::Row& row = isa::rows()[n];
    const RowCoverage coverage = coverage_of(n);
    const std::string text = fmt::format("{:02x} {} {}", row.opcode, row.mnemonic, row.operands);
    if (!coverage.compared.empty())
      compared[coverage.compared].push_back(text);
    else if (!coverage.reason.empty())
      reasons[coverage.reason].push_back(text);
    else
      neither.push_back(text);
  }
  print("compared:", compared);
  print("not compared:", reasons);
  EXPECT_THAT(neither, IsEmpty());
}

TEST(Coverage, NoReasonIsThereForRowsThatAreCompared) {
  std::vector<std::string> both;
  for (unsigned n = 0; n < isa::rows().size(); ++n)
    if (reason_not_compared(isa::rows()[n]) != nullptr && !coverage_of(n).compared.empty())
      both.emplace_back(isa::rows()[n].mnemonic);
  EXPECT_THAT(both, IsEmpty());
}

}  // namespace
}  // namespace rhea::x86
