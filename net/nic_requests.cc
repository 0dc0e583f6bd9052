// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/nic_requests.h"

#include "net/backend.h"
#include "net/hub.h"
#include "rhea/qom/registry.h"
#include "rhea/util/log.h"
#include "softmmu/default_devices.h"

#include <algorithm>

namespace rhea::net {
namespace {

bool has_property(const TypeInfo& type, std::string_view name) {
  return std::ranges::any_of(type.lineage(), [name](const TypeInfo* t) {
    return std::ranges::find(t->properties, name, &Property::name) != t->properties.end();
  });
}

}  // namespace

Result<> NicRequests::add(NicRequest request) {
  if (requests_.size() == kMost)
    return fail("no more on-board/default NIC slots available: there are {}", kMost);
  if (request.mac.is_multicast()) return fail("NIC cannot have multicast MAC address");
  requests_.push_back(std::move(request));
  return {};
}

Result<std::vector<NicRequest>> NicRequests::take() {
  if (machine_.service<DefaultDevices>().network && find_backend("user") != nullptr) {
    constexpr std::string_view kId = "#net0";
    TRY(open_netdev(machine_, kId, "user", {}));
    requests_.push_back({.option = "the default network card", .netdev = std::string(kId)});
  }
  TRY(connect_hub());
  return std::exchange(requests_, {});
}

// One card and one back end, which is what most have, need no hub between them.
Result<> NicRequests::connect_hub() {
  const auto cards = std::ranges::count_if(requests_, &NicRequest::on_hub);
  if (cards == 0 && !on_hub_.empty()) report_warning("hub 0 with no nics");
  if (cards != 0 && on_hub_.empty()) report_warning("hub 0 is not connected to host network");
  const bool direct = cards <= 1 && on_hub_.size() <= 1;
  auto& hubs = machine_.service<Hubs>();
  if (!direct)
    for (const std::string& id : on_hub_) TRY(hubs.add_port(find_netdev(machine_, id)));
  for (NicRequest& request : requests_) {
    if (!request.on_hub) continue;
    if (!direct) request.netdev = TRY(hubs.add_port(nullptr))->name();
    if (direct && !on_hub_.empty()) request.netdev = on_hub_.front();
  }
  return {};
}

std::vector<std::string_view> nic_models() {
  std::vector<std::string_view> models;
  for (const TypeInfo* type : all_types())
    if (!type->is_abstract && type->user_creatable && type->is_a(Device::kName) &&
        has_property(*type, "mac") && has_property(*type, "netdev"))
      models.push_back(type->name);
  return models;
}

}  // namespace rhea::net
