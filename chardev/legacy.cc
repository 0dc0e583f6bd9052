// SPDX-License-Identifier: GPL-2.0-or-later
// The short forms of -serial and -monitor ("unix:PATH,server=on,wait=off"), turned into -chardev's
// options.
#include "chardev/backend.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace rhea::chardev {
namespace {

Result<KeyValues> with_backend(std::string_view backend, std::string_view text,
                               std::string_view first_key) {
  KeyValues options = TRY(KeyValues::parse(text, first_key, Words::QuietFlags));
  options.add("backend", std::string(backend));
  return options;
}

KeyValues single(std::string_view backend, std::string_view key, std::string_view value) {
  KeyValues options;
  options.add("backend", std::string(backend));
  if (!key.empty()) options.add(std::string(key), std::string(value));
  return options;
}

struct HostPort {
  std::string host, port;
};

// "HOST:PORT"; the host may be empty or a bracketed IPv6 address.
std::optional<HostPort> split_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == text.size()) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return HostPort{.host = std::string(host), .port = std::string(text.substr(colon + 1))};
}

// "HOST:PORT,options" after a kind ("tcp", "telnet").
Result<KeyValues> parse_stream(std::string_view kind, std::string_view text) {
  const auto comma = text.find(',');
  const auto address = split_address(text.substr(0, comma));
  if (!address) return fail("'{}:{}': an address is written HOST:PORT", kind, text);
  KeyValues options = TRY(
      with_backend("socket", comma == std::string_view::npos ? "" : text.substr(comma + 1), ""));
  options.add("host", address->host);
  options.add("port", address->port);
  if (kind != "tcp") options.add(std::string(kind), "on");
  return options;
}

// "[HOST]:PORT[@[LOCAL]:PORT]"
Result<KeyValues> parse_udp(std::string_view text) {
  const auto at = text.find('@');
  const auto remote = split_address(text.substr(0, at));
  if (!remote)
    return fail("'udp:{}': an address is written [HOST]:PORT[@[LOCAL-HOST]:LOCAL-PORT]", text);
  KeyValues options = single("udp", "host", remote->host);
  options.add("port", remote->port);
  if (at == std::string_view::npos) return options;
  const auto local = split_address(text.substr(at + 1));
  if (!local) return fail("'udp:{}': the local address is written [HOST]:PORT", text);
  options.add("localaddr", local->host);
  options.add("localport", local->port);
  return options;
}

// Takes a number off the front.
std::optional<unsigned> take_number(std::string_view& text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

// "800x600" in pixels, "80Cx24C" in characters.
Result<KeyValues> parse_console(std::string_view size) {
  std::string_view rest = size;
  const auto wide = take_number(rest);
  const bool characters = rest.starts_with('C');
  if (characters) rest.remove_prefix(1);
  const bool by = rest.starts_with('x');
  if (by) rest.remove_prefix(1);
  const auto high = take_number(rest);
  if (!wide || !by || !high || rest != (characters ? "C" : ""))
    return fail("'vc:{}': a size is written WIDTHxHEIGHT or COLUMNSCxROWSC", size);
  KeyValues options = single("vc", characters ? "cols" : "width", std::to_string(*wide));
  options.add(characters ? "rows" : "height", std::to_string(*high));
  return options;
}

Result<KeyValues> parse_muxed(std::string_view inner) {
  KeyValues options = TRY(parse_legacy(inner));
  options.add("mux", "on");
  // The terminal is shared with the guest: Ctrl-C is a key like any other.
  if (inner == "stdio") options.add("signal", "off");
  return options;
}

struct Form {
  std::string_view prefix;
  Result<KeyValues> (*parse)(std::string_view rest);
};
constexpr std::array<Form, 11> kForms = {{
    {"mon:", &parse_muxed},
    {"file:",
     [](std::string_view path) -> Result<KeyValues> { return single("file", "path", path); }},
    {"pipe:",
     [](std::string_view path) -> Result<KeyValues> { return single("pipe", "path", path); }},
    {"unix:", [](std::string_view rest) { return with_backend("socket", rest, "path"); }},
    {"tcp:", [](std::string_view rest) { return parse_stream("tcp", rest); }},
    {"telnet:", [](std::string_view rest) { return parse_stream("telnet", rest); }},
    {"tn3270:", [](std::string_view rest) { return parse_stream("tn3270", rest); }},
    {"websocket:", [](std::string_view rest) { return parse_stream("websocket", rest); }},
    {"udp:", &parse_udp},
    {"vc:", &parse_console},
    {"/dev/parport",
     [](std::string_view rest) -> Result<KeyValues> {
       return single("parallel", "path", "/dev/parport" + std::string(rest));
     }},
}};

}  // namespace

Result<KeyValues> parse_legacy(std::string_view text) {
  for (const Form& form : kForms)
    if (text.starts_with(form.prefix)) return form.parse(text.substr(form.prefix.size()));
  if (text.starts_with("/dev/")) return single("serial", "path", text);
  const auto comma = text.find(',');
  const std::string_view name = text.substr(0, comma);
  if (find_backend(name) == nullptr) return no_such_backend(name);
  return with_backend(name, comma == std::string_view::npos ? "" : text.substr(comma + 1), "");
}

}  // namespace rhea::chardev
