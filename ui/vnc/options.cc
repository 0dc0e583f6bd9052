// SPDX-License-Identifier: GPL-2.0-or-later
#include "ui/vnc/options.h"

#include "rhea/util/log.h"
#include "util/decimal.h"

#include <array>

namespace rhea::ui::vnc {
namespace {

constexpr u16 kFirstPort = 5900, kFirstWebPort = 5700;
constexpr u64 kMostDisplays = 65535 - kFirstPort;

struct HostAndNumber {
  std::string host;
  std::string number;
};

// "host:number", "[::1]:number".
Result<HostAndNumber> split(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail("'{}' has no ':' before a number", text);
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return HostAndNumber{.host = std::string(host), .number = std::string(text.substr(colon + 1))};
}

Result<u64> display_number(std::string_view text) {
  const auto number = decimal<u64>(text);
  if (!number || *number > kMostDisplays)
    return fail("'{}' is no display number from 0 to {}", text, kMostDisplays);
  return *number;
}

Result<SocketAddress> web_address(const std::string& text, const SocketAddress& main) {
  if (main.kind != SocketAddress::Kind::Tcp)
    return fail("websocket= is for a server that listens on a port");
  SocketAddress address = main;
  address.last_port = 0;
  if (text == "on" || text == "yes") {
    const u16 port = decimal<u16>(main.port).value_or(kFirstPort);
    address.port = std::to_string(port - kFirstPort + kFirstWebPort);
    return address;
  }
  std::string port = text;
  if (text.find(':') != std::string::npos) {
    HostAndNumber parts = TRY(split(text));
    address.host = parts.host;
    port = parts.number;
  }
  if (!decimal<u16>(port)) return fail("websocket={}: that is no port", text);
  address.port = port;
  return address;
}

Result<SocketAddress> take_address(KeyValues& options, const std::string& display) {
  SocketAddress address;
  if (display.starts_with("unix:")) {
    address.kind = SocketAddress::Kind::Unix;
    address.path = display.substr(5);
    if (address.path.empty()) return fail("'unix:' wants a path");
    return address;
  }
  address.kind = SocketAddress::Kind::Tcp;
  HostAndNumber parts = TRY(split(display));
  const u64 number = TRY(display_number(parts.number));
  address.host = parts.host;
  address.port = std::to_string(kFirstPort + number);
  if (const auto last = options.take("to")) {
    const u64 most = TRY(display_number(*last));
    if (most < number) return fail("to={} is less than the display {}", *last, number);
    address.last_port = static_cast<u16>(kFirstPort + most);
  }
  TRY(take_families(options, address));
  return address;
}

Result<Options::Share> take_share(KeyValues& options) {
  const std::string share = options.take("share").value_or("allow-exclusive");
  if (share == "allow-exclusive") return Options::Share::AllowExclusive;
  if (share == "force-shared") return Options::Share::ForceShared;
  if (share == "ignore") return Options::Share::Ignore;
  return fail("share= is allow-exclusive, force-shared or ignore, not '{}'", share);
}

// QEMU's that are not here.
Result<> refuse_others(KeyValues& options) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kMissing = {
      {{"tls-creds", "there is no TLS yet; use a tunnel (ssh -L)"},
       {"tls-authz", "there is no TLS yet; use a tunnel (ssh -L)"},
       {"sasl-authz", "there is no SASL; use password=on, or a tunnel (ssh -L)"},
       {"acl", "it is gone from QEMU, too"},
       {"display", "a server shows the first screen"},
       {"head", "a server shows the first screen"},
       {"connections", "32 clients are the most"},
       {"x509", "it is gone from QEMU, too"}}};
  for (const auto& [key, why] : kMissing)
    if (options.take(key)) return fail("{}= is not here: {}", key, why);
  if (TRY(options.take_bool("reverse", false)))
    return fail("reverse=on is not here yet: a client has to connect");
  if (TRY(options.take_bool("sasl", false)))
    return fail("sasl=on is not here; use password=on, or a tunnel (ssh -L)");
  if (TRY(options.take_bool("power-control", false)))
    return fail("power-control=on is not here yet");
  // What has no consequence here, or none yet.
  if (options.take("audiodev"))
    report_warning("-vnc: audiodev= changes nothing: there is no sound yet");
  for (const std::string_view key : {"key-delay-ms", "lock-key-sync", "non-adaptive"})
    if (options.take(key)) report_warning(fmt::format("-vnc: {}= changes nothing here", key));
  return {};
}

}  // namespace

Result<std::optional<Options>> Options::parse(std::string_view text) {
  KeyValues given = TRY(KeyValues::parse(text, "vnc"));
  const std::string display = given.take("vnc").value_or("");
  if (display == "none") {
    TRY(given.expect_empty("-vnc none"));
    return std::nullopt;
  }
  if (display.empty()) return fail("it wants a display: 127.0.0.1:0, :1, unix:PATH or none");
  Options options;
  options.id = given.take("id").value_or("default");
  options.address = TRY(take_address(given, display));
  if (const auto websocket = given.take("websocket"); websocket && *websocket != "off")
    options.websocket = TRY(web_address(*websocket, options.address));
  options.password = TRY(given.take_bool("password", false));
  options.password_secret = given.take("password-secret").value_or("");
  if (!options.password_secret.empty()) {
    if (options.password) return fail("'password' flag is redundant with 'password-secret'");
    options.password = true;
  }
  options.share = TRY(take_share(given));
  options.lossy = TRY(given.take_bool("lossy", false));
  TRY(refuse_others(given));
  TRY(given.expect_empty("-vnc"));
  return options;
}

}  // namespace rhea::ui::vnc
