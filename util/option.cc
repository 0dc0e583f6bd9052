// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/util/option.h"

#include <algorithm>

namespace rhea {
namespace {

std::vector<const CommandLineOption*>& table() {
  static std::vector<const CommandLineOption*> all;
  return all;
}

}  // namespace

RegisterOption::RegisterOption(const CommandLineOption& option) : option_(option) {
  table().push_back(&option_);
}

std::vector<const CommandLineOption*> all_options() {
  std::vector<const CommandLineOption*> all = table();
  std::ranges::sort(all, {}, &CommandLineOption::name);
  return all;
}

const CommandLineOption* find_option(std::string_view name) {
  const auto it = std::ranges::find(table(), name, &CommandLineOption::name);
  return it == table().end() ? nullptr : *it;
}

}  // namespace rhea
