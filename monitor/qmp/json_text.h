// SPDX-License-Identifier: GPL-2.0-or-later
// JSON values as QMP writes them, and property values as JSON.
#pragma once

#include "rhea/qom/value.h"
#include "util/json.h"

#include <string>

namespace rhea::qmp {

using rhea::Json;

/// On one line ({"a": 1, "b": [2]}), or indented. Pure ASCII; what is not UTF-8 becomes U+FFFD.
std::string to_text(const Json& value, bool pretty = false);
/// `text` in double quotes.
std::string quoted_text(std::string_view text);

/// One JSON text. Errors are worded as QEMU's; a key that comes twice in an object is one.
Result<Json> parse_json(std::string_view text);

Json to_json(const Value& value);
/// Scalars only.
Result<Value> to_value(const Json& json);

}  // namespace rhea::qmp
