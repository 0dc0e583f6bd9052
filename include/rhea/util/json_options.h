// SPDX-License-Identifier: GPL-2.0-or-later
// Option arguments that may be JSON: -device '{"driver":"edu","id":"e0"}'.
#pragma once

#include "rhea/util/keyval.h"

#include <string_view>

namespace rhea {

/// Whether an argument is JSON: it begins with a brace.
bool is_json_options(std::string_view text);

/// A JSON object as keys and values: members of objects become "outer.inner", of lists "list.0",
/// true and false "on" and "off". Null is an error.
Result<KeyValues> parse_json_options(std::string_view text);

/// JSON, or else KeyValues' own grammar.
Result<KeyValues> parse_options(std::string_view text, std::string_view implied_key);

}  // namespace rhea
