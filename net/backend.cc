// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/backend.h"

#include "net/hub.h"
#include "rhea/util/json_keyval.h"
#include "rhea/util/known_names.h"
#include "rhea/util/log.h"

#include <algorithm>

namespace rhea {
namespace net {
namespace {

std::vector<const Backend*>& table() {
  static std::vector<const Backend*> all;
  return all;
}

std::unexpected<Error> no_such_backend(std::string_view name) {
  std::vector<std::string_view> own;
  for (const Backend* backend : all_backends()) own.push_back(backend->name);
  return fail("{}", with_remark(fmt::format("'{}' is not a network back end", name),
                                about_unknown(NameKind::Netdev, name, own)));
}

}  // namespace

RegisterBackend::RegisterBackend(const Backend& backend) : backend_(backend) {
  table().push_back(&backend_);
}

std::vector<const Backend*> all_backends() {
  std::vector<const Backend*> all = table();
  std::ranges::sort(all, {}, &Backend::name);
  return all;
}

std::string backends_help() {
  std::string text = "Available netdev backend types:\n";
  for (const Backend* backend : all_backends()) text += fmt::format("{}\n", backend->name);
  return text;
}

const Backend* find_backend(std::string_view name) {
  const auto row = std::ranges::find(table(), name, &Backend::name);
  return row == table().end() ? nullptr : *row;
}

Result<std::string> checked_netdev_id(Machine& machine, std::string id) {
  if (!is_identifier(id)) return fail("Parameter 'id' expects an identifier");
  if (find_netdev(machine, id) != nullptr) return fail("Duplicate ID '{}' for netdev", id);
  return id;
}

Result<Netdev*> open_netdev(Machine& machine, KeyValues options) {
  const std::string type = options.take("type").value_or("");
  if (type.empty()) return fail("Parameter 'type' is missing");
  std::string id = options.take("id").value_or("");
  if (id.empty()) return fail("Parameter 'id' is missing");
  id = TRY(checked_netdev_id(machine, std::move(id)));
  return open_netdev(machine, id, type, std::move(options));
}

Result<Netdev*> open_netdev(Machine& machine, std::string_view id, std::string_view type,
                            KeyValues options) {
  const Backend* const backend = find_backend(type);
  if (backend == nullptr) return no_such_backend(type);
  std::unique_ptr<Netdev> netdev = TRY(backend->create(machine, std::string(id), options));
  if (!options.empty()) return fail("Invalid parameter '{}'", options.all().front().first);
  Netdev& made = machine.container(Netdev::kLinkRoot).add_child(std::string(id), std::move(netdev));
  machine.service<WaitingFilters>().opened(made);
  return &made;
}

Result<> remove_netdev(Machine& machine, std::string_view id) {
  Netdev* netdev = find_netdev(machine, id);
  if (netdev == nullptr) return fail("Device '{}' not found", id);
  netdev->detach();
  machine.container(Netdev::kLinkRoot).remove_child(*netdev);
  machine.service<Hubs>().tidy();
  return {};
}

std::vector<Netdev*> all_netdevs(Machine& machine) {
  std::vector<Netdev*> all;
  for (const auto& child : machine.container(Netdev::kLinkRoot).children())
    if (auto* netdev = dynamic_cast<Netdev*>(child.get())) all.push_back(netdev);
  return all;
}

WaitingFilters::WaitingFilters(Machine& machine) : machine_(machine) {
  machine.on_run_state([this](RunState state) {
    if (state != RunState::Running) return;
    for (const One& one : std::exchange(all_, {}))
      report_warning(fmt::format("filter: netdev '{}' not found: nothing is looked at", one.id));
  });
}

Result<> WaitingFilters::add(std::string id, const FrameFilter& filter,
                             std::function<void(Netdev&)> found) {
  if (Netdev* const netdev = find_netdev(machine_, id)) {
    found(*netdev);
    return {};
  }
  if (machine_.run_state() != RunState::Prelaunch)
    return fail("Parameter 'netdev' expects a network backend id, not '{}'", id);
  all_.push_back({.id = std::move(id), .filter = &filter, .found = std::move(found)});
  return {};
}

void WaitingFilters::forget(const FrameFilter& filter) {
  std::erase_if(all_, [&](const One& one) { return one.filter == &filter; });
}

void WaitingFilters::opened(Netdev& netdev) {
  std::erase_if(all_, [&](const One& one) {
    if (one.id != netdev.name()) return false;
    one.found(netdev);
    return true;
  });
}

}  // namespace net

Result<Netdev*> create_netdev(Machine& machine, std::string_view option_text) {
  auto options = TRY(parse_json_or_keyval(option_text, "type", Words::Flags));
  return net::open_netdev(machine, std::move(options));
}

Netdev* find_netdev(Machine& machine, std::string_view id) {
  return dynamic_cast<Netdev*>(machine.container(Netdev::kLinkRoot).child(id));
}

}  // namespace rhea
