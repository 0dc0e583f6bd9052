// SPDX-License-Identifier: GPL-2.0-or-later
// Option arguments that may be JSON: '{"driver": "file", "cache": {"direct": true}}' says what
// "driver=file,cache.direct=on" says.
#pragma once

#include "rhea/util/keyval.h"

namespace rhea {

inline bool is_json(std::string_view text) { return text.starts_with('{'); }

/// A JSON object, flattened: members of members are "outer.inner", elements of lists "list.0",
/// truth values "on" and "off". null is refused.
Result<KeyValues> keyval_from_json(std::string_view text);

/// What -blockdev, -device and their kin take: either.
Result<KeyValues> parse_json_or_keyval(std::string_view text, std::string_view implied_key = {},
                                       Words words = Words::Required);

}  // namespace rhea
