// SPDX-License-Identifier: GPL-2.0-or-later
// The short forms of -serial and -monitor ("unix:PATH,server=on,wait=off"), turned into -chardev's
// options.
#include "chardev/backend.h"

#include <array>

namespace rhea::chardev {
namespace {

Result<KeyValues> with_backend(std::string_view backend, std::string_view text,
                               std::string_view first_key) {
  KeyValues options = TRY(KeyValues::parse(text, first_key, Words::QuietFlags));
  options.add("backend", std::string(backend));
  return options;
}

// "HOST:PORT,options"; the host may be empty or a bracketed IPv6 address.
Result<KeyValues> parse_tcp(std::string_view text) {
  const auto comma = text.find(',');
  const std::string_view address = text.substr(0, comma);
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == address.size())
    return fail("'tcp:{}': an address is written HOST:PORT", text);
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  KeyValues options = TRY(
      with_backend("socket", comma == std::string_view::npos ? "" : text.substr(comma + 1), ""));
  options.add("host", std::string(host));
  options.add("port", std::string(address.substr(colon + 1)));
  return options;
}

KeyValues single(std::string_view backend, std::string_view key, std::string_view value) {
  KeyValues options;
  options.add("backend", std::string(backend));
  if (!key.empty()) options.add(std::string(key), std::string(value));
  return options;
}

}  // namespace

Result<KeyValues> parse_legacy(std::string_view text) {
  if (text.starts_with("mon:")) {
    const std::string_view inner = text.substr(4);
    KeyValues options = TRY(parse_legacy(inner));
    options.add("mux", "on");
    // The terminal is shared with the guest: Ctrl-C is a key like any other.
    if (inner == "stdio") options.add("signal", "off");
    return options;
  }
  if (text.starts_with("file:")) return single("file", "path", text.substr(5));
  if (text.starts_with("pipe:")) return single("pipe", "path", text.substr(5));
  if (text.starts_with("unix:")) return with_backend("socket", text.substr(5), "path");
  if (text.starts_with("tcp:")) return parse_tcp(text.substr(4));
  constexpr std::array<std::string_view, 6> kAbsent = {
      "telnet:", "websocket:", "udp:", "vc", "msmouse", "braille"};
  for (const std::string_view absent : kAbsent)
    if (text.starts_with(absent))
      return fail("'{}': this kind of character device is not available", text);
  const auto comma = text.find(',');
  const std::string_view name = text.substr(0, comma);
  if (find_backend(name) == nullptr) return fail("'{}' is not a character device", text);
  return with_backend(name, comma == std::string_view::npos ? "" : text.substr(comma + 1), "");
}

}  // namespace rhea::chardev
