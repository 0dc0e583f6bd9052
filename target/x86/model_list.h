// SPDX-License-Identifier: GPL-2.0-or-later
// The named processor models.
#pragma once

#include "rhea/util/types.h"

#include <span>
#include <string_view>

namespace rhea::x86 {

struct Signature {
  u32 family{}, model{}, stepping{};
};

/// What is empty or zero comes from the base.
struct ModelRow {
  std::string_view name{};
  std::string_view version{};  ///< its other name: QEMU numbers the versions of a model
  std::string_view base{};     ///< a row before this one
  std::string_view vendor{};   ///< 12 characters
  std::string_view brand{};
  Signature signature{};
  u32 level{}, xlevel{};    ///< highest basic and extended leaf
  std::string_view more{};  ///< features beside the base's, as in cpuid_bits()
  std::string_view less{};  ///< those of the base that it lacks
};

std::span<const ModelRow> model_rows();

}  // namespace rhea::x86
