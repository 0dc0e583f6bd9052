// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes and numbers as the remote protocol writes them.
#pragma once

#include "rhea/util/types.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::gdbstub {

/// -1: no hexadecimal digit.
int digit_value(char c);
/// Two lower-case digits a byte.
std::string to_hex(std::span<const u8> bytes);
std::string to_hex(std::string_view text);
/// Nullopt: an odd number of digits, or others among them.
std::optional<std::vector<u8>> from_hex(std::string_view digits);

}  // namespace rhea::gdbstub
