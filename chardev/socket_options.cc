// SPDX-License-Identifier: GPL-2.0-or-later
// What -chardev socket takes.
#include "chardev/socket_options.h"

#include "rhea/qom/value.h"

namespace rhea::chardev {
namespace {

constexpr std::string_view kTcpPrefix = "tcp:";

Result<SocketOptions::Protocol> take_protocol(KeyValues& options) {
  const bool telnet = TRY(options.take_bool("telnet", false));
  const bool websocket = TRY(options.take_bool("websocket", false));
  if (TRY(options.take_bool("tn3270", false)))
    return fail("chardev: socket: QEMU has tn3270=on, for s390x; Rhea has not");
  for (const std::string_view absent : {"tls-creds", "tls-authz"})
    if (options.find(absent) != nullptr)
      return fail("chardev: socket: QEMU has {}=; Rhea has not yet: use a TLS tunnel (stunnel)",
                  absent);
  if (telnet && websocket) return fail("chardev: socket: telnet and websocket exclude each other");
  return telnet      ? SocketOptions::Protocol::Telnet
         : websocket ? SocketOptions::Protocol::WebSocket
                     : SocketOptions::Protocol::None;
}

Result<bool> take_delay(KeyValues& options) {
  if (options.find("delay") != nullptr && options.find("nodelay") != nullptr)
    return fail("'delay' and 'nodelay' are mutually exclusive");
  const bool delay = TRY(options.take_bool("delay", true));
  return !TRY(options.take_bool("nodelay", !delay));
}

Result<> check(const SocketOptions& options, bool wait_given) {
  if (!options.server && wait_given)
    return fail("'wait' option is incompatible with socket in client connect mode");
  if (options.server && options.reconnect_seconds != 0)
    return fail("'reconnect' option is incompatible with socket in server listen mode");
  if (!options.server && options.protocol == SocketOptions::Protocol::WebSocket)
    return fail("WebSocket client is not implemented: a websocket chardev needs server=on");
  if (options.address.kind == SocketAddress::Kind::Descriptor && options.reconnect_seconds != 0)
    return fail("'reconnect' option is incompatible with 'fd'");
  return {};
}

}  // namespace

Result<SocketOptions> SocketOptions::take(KeyValues& options) {
  SocketOptions result;
  result.server = TRY(options.take_bool("server", false));
  const bool wait_given = options.find("wait") != nullptr;
  result.wait = TRY(options.take_bool("wait", result.server));
  result.delay = TRY(take_delay(options));
  result.protocol = TRY(take_protocol(options));
  if (const auto text = options.take("reconnect"))
    result.reconnect_seconds =
        TRY(parse_unsigned(Value(*text), {.min = 0, .max = 1'000'000}, false));
  result.address = TRY(SocketAddress::take(options));
  TRY(check(result, wait_given));
  return result;
}

std::unique_ptr<StreamProtocol> SocketOptions::make_protocol() const {
  switch (protocol) {
    case Protocol::None: return nullptr;
    case Protocol::Telnet: return make_telnet();
    case Protocol::WebSocket: return make_websocket();
  }
  return nullptr;
}

std::string SocketOptions::named(std::string text) const {
  if (protocol == Protocol::None || !text.starts_with(kTcpPrefix)) return text;
  return (protocol == Protocol::Telnet ? "telnet:" : "websocket:") + text.substr(kTcpPrefix.size());
}

}  // namespace rhea::chardev
