// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: networks.
#include "monitor/hmp/command.h"
#include "monitor/long_work.h"
#include "net/backend.h"
#include "net/user_netdev.h"
#include "rhea/net/net_port.h"

#include <algorithm>
#include <memory>

namespace rhea::hmp {
namespace {

using qmp::Json;

std::string line_of(const Netdev& netdev) {
  const std::string info = netdev.info();
  return fmt::format("{}: index=0,type={}{}{}\n", netdev.name(), netdev.kind(),
                     info.empty() ? "" : ",", info);
}

Result<> network(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const auto& ports = context.machine.service<NetPorts>().all();
  const auto used = [&ports](const Netdev* netdev) {
    return std::ranges::find(ports, netdev, &NetPort::target) != ports.end();
  };
  for (const Netdev* netdev : net::all_netdevs(context.machine))
    if (!used(netdev)) context.out += line_of(*netdev);
  for (const NetPort* port : ports) {
    context.print("{}: index=0,type=nic,model={},macaddr={}\n", port->name(),
                  port->card()->type().name, port->mac().text());
    if (port->target() != nullptr) context.out += " \\ " + line_of(*port->target());
  }
  return {};
}

struct Table {
  std::string name;
  std::shared_ptr<net::UserProcess> process;
};

Result<Json> tables_text(const std::vector<Table>& tables) {
  std::string text;
  for (const Table& table : tables) {
    const std::string connections = TRY(table.process->connections());
    text += fmt::format("Hub -1 ({}):\n{}", table.name, connections);
  }
  return Json(text);
}

Result<> usernet(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  std::vector<Table> tables;
  for (Netdev* netdev : net::all_netdevs(context.machine))
    if (auto* user = dynamic_cast<net::UserNetdev*>(netdev))
      tables.push_back({.name = user->name(), .process = user->shared_process()});
  context.later = TRY(context.machine.service<monitor::LongWork>().start(
      "", [tables = std::move(tables)](const std::stop_token&) { return tables_text(tables); }));
  return {};
}

Result<> set_link(Context& context, Arguments& arguments) {
  Json request;
  request["name"] = TRY(arguments.text());
  const std::string state = TRY(arguments.text("on|off"));
  if (state != "on" && state != "off") return fail("'{}': on or off is expected", state);
  request["up"] = state == "on";
  TRY(arguments.end());
  TRY(context.call("set_link", request));
  return {};
}

Result<> netdev_add(Context& context, Arguments& arguments) {
  TRY(create_netdev(context.machine, arguments.rest()));
  return {};
}

Result<> netdev_del(Context& context, Arguments& arguments) {
  Json request;
  request["id"] = TRY(arguments.text());
  TRY(arguments.end());
  TRY(context.call("netdev_del", request));
  return {};
}

/// The network that a first word names, or without one the first there is.
Result<net::UserNetdev*> find_user(Context& context, const std::optional<std::string>& id) {
  for (Netdev* netdev : net::all_netdevs(context.machine)) {
    if (id && netdev->name() != *id) continue;
    if (auto* user = dynamic_cast<net::UserNetdev*>(netdev)) return user;
    if (id) return fail("unrecognized netdev id '{}': it is no user network", *id);
  }
  if (id) return fail("unrecognized netdev id '{}'", *id);
  return fail("user mode network stack not in use");
}

struct Rule {
  net::UserNetdev* user;
  std::string text;
};
Result<Rule> take_rule(Context& context, Arguments& arguments) {
  const std::string first = TRY(arguments.text());
  const auto second = TRY(arguments.optional_text());
  TRY(arguments.end());
  const auto id = second ? std::optional(first) : std::nullopt;
  return Rule{.user = TRY(find_user(context, id)), .text = second.value_or(first)};
}

Result<> hostfwd_add(Context& context, Arguments& arguments) {
  const Rule rule = TRY(take_rule(context, arguments));
  net::HostForward forward = TRY(net::HostForward::parse(rule.text));
  TRY(rule.user->add_forward(std::move(forward)));
  return {};
}

Result<> hostfwd_remove(Context& context, Arguments& arguments) {
  const Rule rule = TRY(take_rule(context, arguments));
  const auto side = TRY(net::HostForward::parse_host_side(rule.text));
  context.print("host forwarding rule for {} {}\n", rule.text,
                rule.user->process().remove_forward(side) ? "removed" : "not found");
  return {};
}

const RegisterHmpCommand commands[] = {
    RegisterHmpCommand({"set_link", "name on|off",
                        "change the link status of a network adapter or back end", &set_link}),
    RegisterHmpCommand({"netdev_add", "[user|...],id=str[,prop=value][,...]",
                        "add host network device", &netdev_add}),
    RegisterHmpCommand({"netdev_del", "id", "remove host network device", &netdev_del}),
    RegisterHmpCommand(
        {"hostfwd_add", "[netdev_id] [tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport",
         "redirect TCP or UDP connections from host to guest (a user network)", &hostfwd_add}),
    RegisterHmpCommand({"hostfwd_remove", "[netdev_id] [tcp|udp]:[hostaddr]:hostport",
                        "remove host-to-guest TCP or UDP redirection", &hostfwd_remove}),
};
const RegisterInfo infos[] = {
    RegisterInfo({"network", "", "show the network state", &network}),
    RegisterInfo({"usernet", "", "show user network stack connection states", &usernet}),
};

}  // namespace
}  // namespace rhea::hmp
