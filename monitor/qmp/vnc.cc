// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: VNC servers, their clients and passwords.
#include "monitor/qmp/command.h"
#include "monitor/qmp/event.h"
#include "rhea/util/log.h"
#include "ui/vnc/servers.h"
#include "util/decimal.h"

#include <chrono>

namespace rhea::qmp {
namespace {

using ui::vnc::Server;
using ui::vnc::Servers;

Result<Json> query_vnc(Context& context, const Json&) {
  const auto& servers = context.machine.service<Servers>().all();
  if (servers.empty()) return Json{{"enabled", false}};
  return servers.front()->describe_first();
}

Result<Json> query_vnc_servers(Context& context, const Json&) {
  Json list = Json::array();
  for (const auto& server : context.machine.service<Servers>().all())
    list.push_back(server->describe());
  return list;
}

// ---- Passwords

Result<Server*> server_of(Context& context, const Json& arguments, std::string_view what) {
  if (text_argument(arguments, "protocol") != "vnc")
    return fail(ErrorClass::DeviceNotActive, "SPICE is not in use");
  std::optional<std::string_view> id;
  if (arguments.contains("display")) id = text_argument(arguments, "display");
  Server* const server = context.machine.service<Servers>().find(id);
  if (server == nullptr) return fail("Could not set {}", what);
  return server;
}

Result<> give(Server& server, const std::string& password) {
  if (!server.wants_password())
    return fail(
        "Could not set password: the server asks for none; start it with -vnc …,password=on");
  server.set_password(password);
  return {};
}

Result<Json> set_password(Context& context, const Json& arguments) {
  Server* const server = TRY(server_of(context, arguments, "password"));
  if (arguments.contains("connected") && text_argument(arguments, "connected") != "keep")
    return fail("Invalid parameter 'connected'");
  TRY(give(*server, text_argument(arguments, "password")));
  return Json();
}

Result<Json> change_vnc_password(Context& context, const Json& arguments) {
  Server* const server = context.machine.service<Servers>().find(std::nullopt);
  if (server == nullptr) return fail("Could not set password");
  TRY(give(*server, text_argument(arguments, "password")));
  return Json();
}

i64 now_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// "now", "never", "+SECONDS", or seconds since 1970.
Result<std::optional<i64>> parse_time(std::string_view text) {
  if (text == "never") return std::nullopt;
  if (text == "now") return 0;
  const bool relative = text.starts_with('+');
  const auto seconds = decimal<u32>(text.substr(relative ? 1 : 0));
  if (!seconds && !decimal<u64>(text.substr(relative ? 1 : 0)))
    return fail("Parameter 'time' doesn't accept value '{}'", text);
  return i64{seconds.value_or(UINT32_MAX)} + (relative ? now_seconds() : 0);
}

Result<Json> expire_password(Context& context, const Json& arguments) {
  Server* const server = TRY(server_of(context, arguments, "password expire time"));
  const auto when = TRY(parse_time(text_argument(arguments, "time")));
  server->expire_password(when);
  return Json();
}

const RegisterQmpType types[] = {
    RegisterQmpType(
        {.name = "NetworkAddressFamily", .values = {"ipv4", "ipv6", "unix", "vsock", "unknown"}}),
    RegisterQmpType({.name = "VncBasicInfo",
                     .members = {{"host", "str"},
                                 {"service", "str"},
                                 {"family", "NetworkAddressFamily"},
                                 {"websocket", "bool"}}}),
    RegisterQmpType({.name = "VncServerInfo",
                     .members = {{"host", "str"},
                                 {"service", "str"},
                                 {"family", "NetworkAddressFamily"},
                                 {"websocket", "bool"},
                                 {"auth", "str", true}}}),
    RegisterQmpType({.name = "VncClientInfo",
                     .members = {{"host", "str"},
                                 {"service", "str"},
                                 {"family", "NetworkAddressFamily"},
                                 {"websocket", "bool"},
                                 {"x509_dname", "str", true},
                                 {"sasl_username", "str", true}}}),
    RegisterQmpType({.name = "VncInfo",
                     .members = {{"enabled", "bool"},
                                 {"host", "str", true},
                                 {"family", "NetworkAddressFamily", true},
                                 {"service", "str", true},
                                 {"auth", "str", true},
                                 {"clients", "[VncClientInfo]", true}}}),
    RegisterQmpType({.name = "VncInfo2",
                     .members = {{"id", "str"},
                                 {"server", "[VncServerInfo]"},
                                 {"clients", "[VncClientInfo]"},
                                 {"auth", "str"},
                                 {"display", "str", true}}}),
    RegisterQmpType({.name = "DisplayProtocol", .values = {"vnc", "spice"}}),
    RegisterQmpType({.name = "SetPasswordAction", .values = {"keep", "fail", "disconnect"}}),
};

const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "query-vnc", .returns = "VncInfo", .run = &query_vnc}),
    RegisterQmpCommand(
        {.name = "query-vnc-servers", .returns = "[VncInfo2]", .run = &query_vnc_servers}),
    RegisterQmpCommand({.name = "set_password",
                        .arguments = {{"protocol", "DisplayProtocol"},
                                      {"password", "str"},
                                      {"connected", "SetPasswordAction", true},
                                      {"display", "str", true}},
                        .run = &set_password}),
    RegisterQmpCommand(
        {.name = "expire_password",
         .arguments = {{"protocol", "DisplayProtocol"}, {"time", "str"}, {"display", "str", true}},
         .run = &expire_password}),
    RegisterQmpCommand({.name = "change-vnc-password",
                        .arguments = {{"password", "str"}},
                        .run = &change_vnc_password}),
};

const RegisterQmpEvent events[] = {
    RegisterQmpEvent({.name = "VNC_CONNECTED",
                      .data = {{"server", "VncServerInfo"}, {"client", "VncBasicInfo"}}}),
    RegisterQmpEvent({.name = "VNC_INITIALIZED",
                      .data = {{"server", "VncServerInfo"}, {"client", "VncClientInfo"}}}),
    RegisterQmpEvent({.name = "VNC_DISCONNECTED",
                      .data = {{"server", "VncServerInfo"}, {"client", "VncClientInfo"}}}),
};

}  // namespace
}  // namespace rhea::qmp
