// SPDX-License-Identifier: GPL-2.0-or-later
// The instruction table, put together.
#include "target/x86/isa/tables.h"

#include <vector>

namespace rhea::x86::isa {
namespace {

std::vector<Row> concatenate() {
  std::vector<Row> all;
  for (const auto piece : {onebyte_rows(), x87_rows(), map_0f_rows(), map_0f_vector_rows(),
                           map_0f38_rows(), map_0f3a_rows(), vex_rows()})
    all.insert(all.end(), piece.begin(), piece.end());
  return all;
}

}  // namespace

std::span<const Row> rows() {
  static const std::vector<Row> kAll = concatenate();
  return kAll;
}

}  // namespace rhea::x86::isa
