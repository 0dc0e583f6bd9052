// SPDX-License-Identifier: GPL-2.0-or-later
// Ethernet addresses, and how a card gets one.
#pragma once

#include "rhea/qom/property.h"
#include "rhea/util/error.h"
#include "rhea/util/types.h"

#include <array>
#include <string>
#include <string_view>

namespace rhea {

struct MacAddress {
  std::array<u8, 6> bytes{};

  bool operator==(const MacAddress&) const = default;
  bool is_multicast() const { return (bytes[0] & 1) != 0; }
  /// "52:54:00:12:34:56".
  std::string text() const;
  /// Six numbers of one or two hexadecimal digits with colons or dashes between them.
  static Result<MacAddress> parse(std::string_view text);
};

inline constexpr MacAddress kBroadcastMac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

template <>
struct PropertyCodec<MacAddress> {
  static std::string type() { return "str"; }
  static Value to_value(const MacAddress& mac) { return mac.text(); }
  static Result<MacAddress> parse(const Value& value, const Property&);
};

}  // namespace rhea
