// SPDX-License-Identifier: GPL-2.0-or-later
// The pieces that the instruction table is put together from.
#pragma once

#include "target/x86/isa/row.h"

namespace rhea::x86::isa {

std::span<const Row> onebyte_rows();
std::span<const Row> x87_rows();
std::span<const Row> map_0f_rows();
std::span<const Row> map_0f_vector_rows();
std::span<const Row> map_0f38_rows();
std::span<const Row> map_0f3a_rows();
std::span<const Row> vex_rows();

}  // namespace rhea::x86::isa
