// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/net/mac_address.h"

#include <charconv>

namespace rhea {

std::string MacAddress::text() const {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", bytes[0], bytes[1], bytes[2],
                     bytes[3], bytes[4], bytes[5]);
}

Result<MacAddress> MacAddress::parse(std::string_view text) {
  const auto wrong = [&] {
    return fail("'{}' is not an Ethernet address (52:54:00:12:34:56)", text);
  };
  MacAddress mac;
  const char* at = text.data();
  const char* const last = text.data() + text.size();
  for (std::size_t i = 0; i < mac.bytes.size(); ++i) {
    if (i > 0 && (at == last || (*at != ':' && *at != '-'))) return wrong();
    if (i > 0) ++at;
    const auto [end, error] = std::from_chars(at, last, mac.bytes[i], 16);
    if (error != std::errc{} || end - at > 2) return wrong();
    at = end;
  }
  if (at != last) return wrong();
  return mac;
}

Result<MacAddress> PropertyCodec<MacAddress>::parse(const Value& value, const Property&) {
  return MacAddress::parse(TRY(parse_string(value)));
}

}  // namespace rhea
