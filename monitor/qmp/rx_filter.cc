// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: what network cards let in.
#include "monitor/qmp/command.h"
#include "rhea/net/net_port.h"

namespace rhea::qmp {
namespace {

std::string_view kind_name(RxFilterState::Kind kind) {
  switch (kind) {
    case RxFilterState::Kind::None: return "none";
    case RxFilterState::Kind::All: return "all";
    case RxFilterState::Kind::Normal: break;
  }
  return "normal";
}

Json texts(const std::vector<MacAddress>& addresses) {
  Json list = Json::array();
  for (const MacAddress& address : addresses) list.push_back(address.text());
  return list;
}

Json shown(const std::string& name, const RxFilterState& filter) {
  return {{"name", name},
          {"promiscuous", filter.promiscuous},
          {"multicast", kind_name(filter.multicast)},
          {"unicast", kind_name(filter.unicast)},
          {"vlan", kind_name(filter.vlan)},
          {"broadcast-allowed", filter.broadcast},
          {"multicast-overflow", filter.multicast_overflow},
          {"unicast-overflow", filter.unicast_overflow},
          {"main-mac", filter.main.text()},
          {"vlan-table", filter.vlans},
          {"unicast-table", texts(filter.unicast_table)},
          {"multicast-table", texts(filter.multicast_table)}};
}

/// Of cards that cannot tell there is nothing, unless they are asked by name.
Result<Json> query_rx_filter(Context& context, const Json& arguments) {
  const auto& ports = context.machine.service<NetPorts>();
  const bool named = arguments.contains("name");
  const std::string name = named ? text_argument(arguments, "name") : std::string();
  if (named && ports.find(name) == nullptr) {
    if (find_netdev(context.machine, name) != nullptr)
      return fail("net client({}) isn't a NIC", name);
    return fail("invalid net client name: {}", name);
  }
  Json list = Json::array();
  for (const NetPort* port : ports.all()) {
    if (named && port->name() != name) continue;
    const auto filter = port->filter();
    if (filter) list.push_back(shown(port->name(), *filter));
    if (!filter && named) return fail("net client({}) doesn't support rx-filter querying", name);
  }
  return list;
}

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "RxState", .values = {"normal", "none", "all"}}),
    RegisterQmpType({.name = "RxFilterInfo",
                     .members = {{"name", "str"},
                                 {"promiscuous", "bool"},
                                 {"multicast", "RxState"},
                                 {"unicast", "RxState"},
                                 {"vlan", "RxState"},
                                 {"broadcast-allowed", "bool"},
                                 {"multicast-overflow", "bool"},
                                 {"unicast-overflow", "bool"},
                                 {"main-mac", "str"},
                                 {"vlan-table", "[int]"},
                                 {"unicast-table", "[str]"},
                                 {"multicast-table", "[str]"}}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "query-rx-filter",
                        .arguments = {{"name", "str", true}},
                        .returns = "[RxFilterInfo]",
                        .run = &query_rx_filter}),
};

}  // namespace
}  // namespace rhea::qmp
