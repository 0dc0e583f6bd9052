// SPDX-License-Identifier: GPL-2.0-or-later
// What the rules of hostfwd= and guestfwd= are read by.
#pragma once

#include <arpa/inet.h>

#include <optional>
#include <string>
#include <string_view>

namespace rhea::net {

/// Cuts what comes before `separator` off `rest`, and the separator.
inline std::optional<std::string> cut(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  if (end == std::string_view::npos) return std::nullopt;
  std::string word(rest.substr(0, end));
  rest.remove_prefix(end + 1);
  return word;
}

/// Nothing leaves `address` as it is; false when it is no address.
inline bool read_address(const std::string& text, in_addr& address) {
  return text.empty() || ::inet_aton(text.c_str(), &address) != 0;
}

}  // namespace rhea::net
