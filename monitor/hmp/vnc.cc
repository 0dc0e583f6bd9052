// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: VNC servers.
#include "monitor/hmp/command.h"

namespace rhea::hmp {
namespace {

using qmp::Json;

std::string line_of(std::string_view what, const Json& one) {
  return fmt::format("  {}: {}:{} ({}{})\n", what, one["host"].get<std::string>(),
                     one["service"].get<std::string>(), one["family"].get<std::string>(),
                     one.value("websocket", false) ? " (Websocket)" : "");
}

Result<> vnc(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const Json servers = TRY(context.call("query-vnc-servers"));
  if (servers.empty()) context.print("None\n");
  for (const Json& server : servers) {
    context.print("{}:\n", server["id"].get<std::string>());
    for (const Json& one : server["server"]) {
      context.out += line_of("Server", one);
      context.print("    Auth: {} (Sub: none)\n", one.value("auth", "none"));
    }
    for (const Json& one : server["clients"]) {
      context.out += line_of("Client", one);
      context.print("    x509_dname: none\n    sasl_username: none\n");
    }
  }
  return {};
}

Result<> set_password(Context& context, Arguments& arguments) {
  Json request;
  const std::optional<std::string> display = TRY(arguments.flag_text('d'));
  request["protocol"] = TRY(arguments.text("protocol"));
  request["password"] = TRY(arguments.text("password"));
  if (const auto action = TRY(arguments.optional_text())) request["connected"] = *action;
  TRY(arguments.end());
  if (display) request["display"] = *display;
  TRY(context.call("set_password", request));
  return {};
}

Result<> expire_password(Context& context, Arguments& arguments) {
  Json request;
  const std::optional<std::string> display = TRY(arguments.flag_text('d'));
  request["protocol"] = TRY(arguments.text("protocol"));
  request["time"] = TRY(arguments.text("time"));
  TRY(arguments.end());
  if (display) request["display"] = *display;
  TRY(context.call("expire_password", request));
  return {};
}

const RegisterHmpCommand commands[] = {
    RegisterHmpCommand({"set_password", "[-d display] protocol password [action-if-connected]",
                        "set the password of a VNC server", &set_password}),
    RegisterHmpCommand({"expire_password", "[-d display] protocol time",
                        "set the time from which a VNC server lets nobody in: now, never, +SECONDS",
                        &expire_password}),
};
const RegisterInfo infos[] = {
    RegisterInfo({"vnc", "", "show the vnc server status", &vnc}),
};

}  // namespace
}  // namespace rhea::hmp
