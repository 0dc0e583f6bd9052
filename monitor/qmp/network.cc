// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: network back ends, links, and the forwards of user networks.
#include "monitor/long_work.h"
#include "monitor/qmp/command.h"
#include "net/backend.h"
#include "net/user_netdev.h"
#include "rhea/net/net_port.h"

#include <arpa/inet.h>

#include <array>
#include <memory>
#include <sstream>

namespace rhea::qmp {
namespace {

Result<Json> netdev_add(Context& context, const Json& arguments) {
  TRY(create_netdev(context.machine, arguments.dump()));
  return Json();
}

Result<Json> netdev_del(Context& context, const Json& arguments) {
  const auto& id = text_argument(arguments, "id");
  if (find_netdev(context.machine, id) == nullptr)
    return fail(ErrorClass::DeviceNotFound, "Device '{}' not found", id);
  TRY(net::remove_netdev(context.machine, id));
  return Json();
}

Result<Json> set_link(Context& context, const Json& arguments) {
  const auto& name = text_argument(arguments, "name");
  const bool up = arguments["up"].get<bool>();
  if (Netdev* netdev = find_netdev(context.machine, name)) {
    netdev->set_link(up);
  } else if (NetPort* port = context.machine.service<NetPorts>().find(name)) {
    port->set_link(up);
  } else {
    return fail(ErrorClass::DeviceNotFound, "Device '{}' not found", name);
  }
  return Json();
}

// ---- User networks

Result<net::UserNetdev*> user_argument(Context& context, const Json& arguments) {
  const auto& id = text_argument(arguments, "netdev");
  Netdev* netdev = find_netdev(context.machine, id);
  if (netdev == nullptr) return fail(ErrorClass::DeviceNotFound, "Device '{}' not found", id);
  auto* user = dynamic_cast<net::UserNetdev*>(netdev);
  if (user == nullptr) return fail("netdev '{}' is no user network but {}", id, netdev->kind());
  return user;
}

Result<in_addr> address_argument(const Json& arguments, const char* key) {
  in_addr address{};
  const auto text = argument(arguments, key, std::string());
  if (!text.empty() && ::inet_pton(AF_INET, text.c_str(), &address) != 1)
    return fail("'{}': '{}' is no IPv4 address", key, text);
  return address;
}

Result<net::HostForward> forward_argument(const Json& arguments) {
  const auto host = TRY(address_argument(arguments, "host-address"));
  const auto guest = TRY(address_argument(arguments, "guest-address"));
  return net::HostForward{.udp = argument(arguments, "protocol", std::string("tcp")) == "udp",
                          .host = host,
                          .port = argument(arguments, "host-port", u16{0}),
                          .guest = guest,
                          .guest_port = argument(arguments, "guest-port", u16{0})};
}

Json shown(const net::HostForward& forward) {
  return {{"protocol", forward.udp ? "udp" : "tcp"},
          {"host-address", net::text_of(forward.host)},
          {"host-port", forward.port},
          {"guest-address", net::text_of(forward.guest)},
          {"guest-port", forward.guest_port}};
}

Result<Json> hostfwd_add(Context& context, const Json& arguments) {
  net::UserNetdev& user = *TRY(user_argument(context, arguments));
  net::HostForward forward = TRY(forward_argument(arguments));
  if (forward.guest_port == 0) return fail("'guest-port' is from 1 to 65535");
  return shown(TRY(user.add_forward(std::move(forward))));
}

Result<Json> hostfwd_remove(Context& context, const Json& arguments) {
  net::UserNetdev& user = *TRY(user_argument(context, arguments));
  const net::HostForward forward = TRY(forward_argument(arguments));
  if (!user.process().remove_forward(forward))
    return fail("netdev '{}' has no forward of {} {}:{}", user.name(), forward.udp ? "udp" : "tcp",
                net::text_of(forward.host), forward.port);
  return Json();
}

/// A line of libslirp's table: protocol[state] descriptor from port to port queues.
std::optional<Json> connection(const std::string& line) {
  std::istringstream words(line);
  std::string what;
  std::array<std::string, 2> addresses;
  std::array<std::string, 2> ports;
  i64 fd{};
  u64 received{}, to_send{};
  words >> what >> fd >> addresses[0] >> ports[0] >> addresses[1] >> ports[1] >> received >>
      to_send;
  const auto bracket = what.find('[');
  if (!words || bracket == std::string::npos || !what.ends_with(']')) return std::nullopt;
  return Json{{"protocol", what.substr(0, bracket)},
              {"state", what.substr(bracket + 1, what.size() - bracket - 2)},
              {"source-address", addresses[0]},
              {"source-port", ports[0]},
              {"destination-address", addresses[1]},
              {"destination-port", ports[1]},
              {"receive-queue", received},
              {"send-queue", to_send}};
}

struct Asked {
  Json shown;
  std::shared_ptr<net::UserProcess> process;
};

Result<Json> answers(const std::vector<Asked>& all) {
  Json list = Json::array();
  for (const Asked& one : all) {
    Json network = one.shown;
    network["connections"] = Json::array();
    std::istringstream table(TRY(one.process->connections()));
    for (std::string line; std::getline(table, line);)
      if (auto found = connection(line)) network["connections"].push_back(std::move(*found));
    list.push_back(std::move(network));
  }
  return list;
}

Result<Json> query_usernet(Context& context, const Json&) {
  std::vector<Asked> all;
  for (Netdev* netdev : net::all_netdevs(context.machine)) {
    auto* user = dynamic_cast<net::UserNetdev*>(netdev);
    if (user == nullptr) continue;
    Json forwards = Json::array();
    for (const net::HostForward& forward : user->process().forwards())
      forwards.push_back(shown(forward));
    all.push_back({.shown = {{"netdev", user->name()},
                             {"process", user->process().pid()},
                             {"forwards", std::move(forwards)}},
                   .process = user->shared_process()});
  }
  context.later = TRY(context.machine.service<monitor::LongWork>().start(
      "", [all = std::move(all)](const std::stop_token&) { return answers(all); }));
  return Json();
}

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "XForwardProtocol", .values = {"tcp", "udp"}}),
    RegisterQmpType({.name = "XHostForward",
                     .members = {{"protocol", "XForwardProtocol"},
                                 {"host-address", "str"},
                                 {"host-port", "uint16"},
                                 {"guest-address", "str"},
                                 {"guest-port", "uint16"}}}),
    RegisterQmpType({.name = "XUserConnection",
                     .members = {{"protocol", "str"},
                                 {"state", "str"},
                                 {"source-address", "str"},
                                 {"source-port", "str"},
                                 {"destination-address", "str"},
                                 {"destination-port", "str"},
                                 {"receive-queue", "int"},
                                 {"send-queue", "int"}}}),
    RegisterQmpType({.name = "XUserNetwork",
                     .members = {{"netdev", "str"},
                                 {"process", "int"},
                                 {"forwards", "[XHostForward]"},
                                 {"connections", "[XUserConnection]"}}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "netdev_add",
                        .arguments = {{"type", "str"}, {"id", "str"}},
                        .open = true,
                        .run = &netdev_add}),
    RegisterQmpCommand({.name = "netdev_del", .arguments = {{"id", "str"}}, .run = &netdev_del}),
    RegisterQmpCommand(
        {.name = "set_link", .arguments = {{"name", "str"}, {"up", "bool"}}, .run = &set_link}),
    RegisterQmpCommand({.name = "x-hostfwd-add",
                        .arguments = {{"netdev", "str"},
                                      {"protocol", "XForwardProtocol", true},
                                      {"host-address", "str", true},
                                      {"host-port", "uint16", true},
                                      {"guest-address", "str", true},
                                      {"guest-port", "uint16"}},
                        .returns = "XHostForward",
                        .run = &hostfwd_add}),
    RegisterQmpCommand({.name = "x-hostfwd-remove",
                        .arguments = {{"netdev", "str"},
                                      {"protocol", "XForwardProtocol", true},
                                      {"host-address", "str", true},
                                      {"host-port", "uint16"}},
                        .run = &hostfwd_remove}),
    RegisterQmpCommand(
        {.name = "x-query-usernet", .returns = "[XUserNetwork]", .run = &query_usernet}),
};

}  // namespace
}  // namespace rhea::qmp
