// SPDX-License-Identifier: GPL-2.0-or-later
// QMP's description of a character back end, turned into -chardev's options.
#include "monitor/qmp/chardev_backend.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace rhea::qmp {
namespace {

std::string as_text(const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "on" : "off";
  if (value.is_string()) return value.get<std::string>();
  return value.dump();
}

// Members whose names are the options' own.
void add_plain(KeyValues& options, const Json& data) {
  for (const auto& [key, value] : data.items())
    if (!value.is_object()) options.add(key, as_text(value));
}

// A number, or the name that getfd gave: the descriptor then goes over to the back end.
Result<std::string> descriptor(Client& client, const std::string& text) {
  if (!text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) != 0) return text;
  const auto it = client.named.find(text);
  if (it == client.named.end()) return fail("File descriptor named '{}' not found", text);
  const int fd = it->second.release();
  client.named.erase(it);
  return std::to_string(fd);
}

Result<> add_address(KeyValues& options, Client& client, const Json& address) {
  const auto& type = text_argument(address, "type");
  const Json& data = address["data"];
  if (type == "fd") {
    auto fd = TRY(descriptor(client, text_argument(data, "str")));
    options.add("fd", std::move(fd));
    return {};
  }
  if (type == "vsock") return fail("chardev: socket: QEMU has vsock; Rhea has not yet");
  for (const auto& [key, value] : data.items()) {
    if (key == "numeric" || key == "keep-alive" || key == "mptcp") continue;
    options.add(key, as_text(value));
  }
  return {};
}

Result<> add_socket(KeyValues& options, Client& client, const Json& data) {
  add_plain(options, data);
  TRY(add_address(options, client, data["addr"]));
  // Other defaults than the command line's.
  const bool server = argument(data, "server", true);
  if (!data.contains("server")) options.add("server", "on");
  if (server && !data.contains("wait")) options.add("wait", "off");
  return {};
}

Result<> add_udp(KeyValues& options, const Json& data) {
  const auto inet = [](const Json& address) -> Result<Json> {
    if (text_argument(address, "type") != "inet")
      return fail("chardev: udp: addresses are of type 'inet'");
    return address["data"];
  };
  const Json remote = TRY(inet(data["remote"]));
  for (const auto& [key, value] : remote.items())
    if (key == "host" || key == "port" || key == "ipv4" || key == "ipv6")
      options.add(key, as_text(value));
  if (!data.contains("local")) return {};
  const Json local = TRY(inet(data["local"]));
  options.add("localaddr", text_argument(local, "host"));
  options.add("localport", text_argument(local, "port"));
  return {};
}

struct Renamed {
  std::string_view backend, from, to;
};
constexpr std::array kRenamed = {
    Renamed{"file", "out", "path"},
    Renamed{"serial", "device", "path"},
    Renamed{"pipe", "device", "path"},
};

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "ChardevBackendKind",
                     .values = {"file", "serial", "pipe", "socket", "udp", "pty", "null", "mux",
                                "msmouse", "stdio", "vc", "ringbuf", "memory"}}),
    RegisterQmpType({.name = "SocketAddressType", .values = {"inet", "unix", "vsock", "fd"}}),
    RegisterQmpType({.name = "InetSocketAddress",
                     .members = {{"host", "str"},
                                 {"port", "str"},
                                 {"numeric", "bool", true},
                                 {"to", "uint16", true},
                                 {"ipv4", "bool", true},
                                 {"ipv6", "bool", true},
                                 {"keep-alive", "bool", true},
                                 {"mptcp", "bool", true}}}),
    RegisterQmpType(
        {.name = "UnixSocketAddress",
         .members = {{"path", "str"}, {"abstract", "bool", true}, {"tight", "bool", true}}}),
    RegisterQmpType({.name = "VsockSocketAddress", .members = {{"cid", "str"}, {"port", "str"}}}),
    RegisterQmpType({.name = "String", .members = {{"str", "str"}}}),
    RegisterQmpType(
        {.name = "InetSocketAddressWrapper", .members = {{"data", "InetSocketAddress"}}}),
    RegisterQmpType(
        {.name = "UnixSocketAddressWrapper", .members = {{"data", "UnixSocketAddress"}}}),
    RegisterQmpType(
        {.name = "VsockSocketAddressWrapper", .members = {{"data", "VsockSocketAddress"}}}),
    RegisterQmpType({.name = "StringWrapper", .members = {{"data", "String"}}}),
    RegisterQmpType({.name = "SocketAddressLegacy",
                     .members = {{"type", "SocketAddressType"}},
                     .tag = "type",
                     .variants = {{"inet", "InetSocketAddressWrapper"},
                                  {"unix", "UnixSocketAddressWrapper"},
                                  {"vsock", "VsockSocketAddressWrapper"},
                                  {"fd", "StringWrapper"}}}),
    RegisterQmpType({.name = "ChardevFile",
                     .members = {{"out", "str"},
                                 {"append", "bool", true},
                                 {"logfile", "str", true},
                                 {"logappend", "bool", true}}}),
    RegisterQmpType(
        {.name = "ChardevHostdev",
         .members = {{"device", "str"}, {"logfile", "str", true}, {"logappend", "bool", true}}}),
    RegisterQmpType({.name = "ChardevSocket",
                     .members = {{"addr", "SocketAddressLegacy"},
                                 {"tls-creds", "str", true},
                                 {"tls-authz", "str", true},
                                 {"server", "bool", true},
                                 {"wait", "bool", true},
                                 {"nodelay", "bool", true},
                                 {"telnet", "bool", true},
                                 {"tn3270", "bool", true},
                                 {"websocket", "bool", true},
                                 {"reconnect", "int", true},
                                 {"logfile", "str", true},
                                 {"logappend", "bool", true}}}),
    RegisterQmpType({.name = "ChardevUdp",
                     .members = {{"remote", "SocketAddressLegacy"},
                                 {"local", "SocketAddressLegacy", true},
                                 {"logfile", "str", true},
                                 {"logappend", "bool", true}}}),
    RegisterQmpType({.name = "ChardevCommon",
                     .members = {{"logfile", "str", true}, {"logappend", "bool", true}}}),
    RegisterQmpType(
        {.name = "ChardevMux",
         .members = {{"chardev", "str"}, {"logfile", "str", true}, {"logappend", "bool", true}}}),
    RegisterQmpType({.name = "ChardevStdio",
                     .members = {{"signal", "bool", true},
                                 {"logfile", "str", true},
                                 {"logappend", "bool", true}}}),
    RegisterQmpType({.name = "ChardevVC",
                     .members = {{"width", "int", true},
                                 {"height", "int", true},
                                 {"cols", "int", true},
                                 {"rows", "int", true},
                                 {"logfile", "str", true},
                                 {"logappend", "bool", true}}}),
    RegisterQmpType({.name = "ChardevRingbuf",
                     .members = {{"size", "int", true},
                                 {"logfile", "str", true},
                                 {"logappend", "bool", true}}}),
    RegisterQmpType({.name = "ChardevFileWrapper", .members = {{"data", "ChardevFile"}}}),
    RegisterQmpType({.name = "ChardevHostdevWrapper", .members = {{"data", "ChardevHostdev"}}}),
    RegisterQmpType({.name = "ChardevSocketWrapper", .members = {{"data", "ChardevSocket"}}}),
    RegisterQmpType({.name = "ChardevUdpWrapper", .members = {{"data", "ChardevUdp"}}}),
    RegisterQmpType({.name = "ChardevCommonWrapper", .members = {{"data", "ChardevCommon"}}}),
    RegisterQmpType({.name = "ChardevMuxWrapper", .members = {{"data", "ChardevMux"}}}),
    RegisterQmpType({.name = "ChardevStdioWrapper", .members = {{"data", "ChardevStdio"}}}),
    RegisterQmpType({.name = "ChardevVCWrapper", .members = {{"data", "ChardevVC"}}}),
    RegisterQmpType({.name = "ChardevRingbufWrapper", .members = {{"data", "ChardevRingbuf"}}}),
    RegisterQmpType({.name = "ChardevBackend",
                     .members = {{"type", "ChardevBackendKind"}},
                     .tag = "type",
                     .variants = {{"file", "ChardevFileWrapper"},
                                  {"serial", "ChardevHostdevWrapper"},
                                  {"pipe", "ChardevHostdevWrapper"},
                                  {"socket", "ChardevSocketWrapper"},
                                  {"udp", "ChardevUdpWrapper"},
                                  {"pty", "ChardevCommonWrapper"},
                                  {"null", "ChardevCommonWrapper"},
                                  {"mux", "ChardevMuxWrapper"},
                                  {"msmouse", "ChardevCommonWrapper"},
                                  {"stdio", "ChardevStdioWrapper"},
                                  {"vc", "ChardevVCWrapper"},
                                  {"ringbuf", "ChardevRingbufWrapper"},
                                  {"memory", "ChardevRingbufWrapper"}}}),
};

}  // namespace

Result<KeyValues> chardev_options(Client& client, const Json& backend) {
  const auto& type = text_argument(backend, "type");
  const Json& data = backend["data"];
  KeyValues options;
  options.add("backend", type);
  if (type == "socket") {
    TRY(add_socket(options, client, data));
    return options;
  }
  if (type == "udp") TRY(add_udp(options, data));
  for (const auto& [key, value] : data.items()) {
    if (value.is_object()) continue;
    const auto* it = std::ranges::find_if(
        kRenamed, [&](const Renamed& r) { return r.backend == type && r.from == key; });
    options.add(it == kRenamed.end() ? key : std::string(it->to), as_text(value));
  }
  return options;
}

}  // namespace rhea::qmp
