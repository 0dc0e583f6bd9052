// SPDX-License-Identifier: GPL-2.0-or-later
// Code page 437, the characters of the PC's text modes.
#pragma once

#include "rhea/util/types.h"

#include <string>

namespace rhea::ui {

/// The Unicode character that looks like the PC's character `c`.
char32_t cp437_to_unicode(u8 c);
/// Appends UTF-8.
void append_utf8(std::string& text, char32_t character);

}  // namespace rhea::ui
