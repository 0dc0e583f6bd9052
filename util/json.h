// SPDX-License-Identifier: GPL-2.0-or-later
// JSON values. They are instantiated in json.cc alone, which saves every other file seconds.
#pragma once

#include <nlohmann/json.hpp>

extern template class nlohmann::basic_json<>;

namespace rhea {

using Json = nlohmann::json;

}  // namespace rhea
