// SPDX-License-Identifier: GPL-2.0-or-later
// Vector, MMX, x87 and string instructions, translated: every row does what it does interpreted.
#include "tests/jit/row_cases.h"
#include "tests/support/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rhea::test {
namespace {

using testing::IsEmpty;
using x86::isa::Row;

std::vector<const Row*> rows_that(bool (*wanted)(const Row&)) {
  std::vector<const Row*> chosen;
  for (const Row& row : x86::isa::rows())
    if (wanted(row)) chosen.push_back(&row);
  return chosen;
}

bool is_vector(const Row& row) {
  return row.is(x86::isa::NativeVector) || row.mnemonic.ends_with("mxcsr") ||
         row.mnemonic.starts_with("vzero");
}
bool is_x87(const Row& row) {
  return row.map == x86::isa::Map::OneByte && row.opcode >= 0xd8 && row.opcode <= 0xdf;
}
/// With the vector instructions that share the x87 registers.
bool is_x87_or_mmx(const Row& row) {
  return is_x87(row) || row.mnemonic == "emms" || row.mnemonic == "fwait" ||
         (is_vector(row) && !row.vex && row.operands.find_first_of("PQN") != row.operands.npos);
}
bool is_string(const Row& row) {
  return row.map == x86::isa::Map::OneByte && row.opcode >= 0xa4 && row.opcode <= 0xaf &&
         row.opcode != 0xa8 && row.opcode != 0xa9;
}

unsigned times(unsigned usual) {
  return static_cast<unsigned>(from_environment("RHEA_ROW_CASES", usual));
}

TEST(TranslatedRows, VectorsAreTheInterpreters) {
  const RowReport report =
      compare_rows(rows_that(&is_vector), times(4), RowGates::Open, RowMode::Long, 1);
  EXPECT_THAT(report.differences, IsEmpty());
  EXPECT_THAT(report.untested, IsEmpty());
  EXPECT_GT(report.executed, 2'000U);
  EXPECT_GT(report.faulted, 200U);
}

TEST(TranslatedRows, VectorsThatTheStateForbidsAreTheInterpreters) {
  const RowReport report =
      compare_rows(rows_that(&is_vector), times(3), RowGates::Random, RowMode::Long, 2);
  EXPECT_THAT(report.differences, IsEmpty());
  EXPECT_GT(report.faulted, 400U);
}

TEST(TranslatedRows, X87IsTheInterpreters) {
  const RowReport report =
      compare_rows(rows_that(&is_x87_or_mmx), times(12), RowGates::Open, RowMode::Long, 3);
  EXPECT_THAT(report.differences, IsEmpty());
  EXPECT_THAT(report.untested, IsEmpty());
  EXPECT_GT(report.executed, 2'000U);
}

TEST(TranslatedRows, X87ThatTheStateForbidsIsTheInterpreters) {
  const RowReport report =
      compare_rows(rows_that(&is_x87_or_mmx), times(8), RowGates::Random, RowMode::Long, 4);
  EXPECT_THAT(report.differences, IsEmpty());
  EXPECT_GT(report.faulted, 200U);
}

TEST(TranslatedRows, StringsAreTheInterpreters) {
  const RowReport report =
      compare_rows(rows_that(&is_string), times(200), RowGates::Open, RowMode::Long, 5);
  EXPECT_THAT(report.differences, IsEmpty());
  EXPECT_THAT(report.untested, IsEmpty());
  EXPECT_GT(report.faulted, 100U);
}

TEST(TranslatedRows, VectorsIn32BitCodeAreTheInterpreters) {
  const RowReport report =
      compare_rows(rows_that(&is_vector), times(1), RowGates::Open, RowMode::Compatibility, 6);
  EXPECT_THAT(report.differences, IsEmpty());
  EXPECT_GT(report.executed, 500U);
}

TEST(TranslatedRows, X87In32BitCodeIsTheInterpreters) {
  const RowReport report =
      compare_rows(rows_that(&is_x87), times(4), RowGates::Open, RowMode::Compatibility, 7);
  EXPECT_THAT(report.differences, IsEmpty());
  EXPECT_GT(report.executed, 500U);
}

TEST(TranslatedRows, StringsIn32BitCodeAreTheInterpreters) {
  const RowReport report =
      compare_rows(rows_that(&is_string), times(200), RowGates::Open, RowMode::Compatibility, 8);
  EXPECT_THAT(report.differences, IsEmpty());
  EXPECT_GT(report.faulted, 100U);
}

}  // namespace
}  // namespace rhea::test
