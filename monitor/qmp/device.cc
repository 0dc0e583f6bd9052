// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: devices that come and go while the machine runs.
#include "monitor/monitors.h"
#include "monitor/object_path.h"
#include "monitor/qmp/command.h"
#include "monitor/qmp/event.h"
#include "rhea/qom/registry.h"
#include "softmmu/device_alias.h"

namespace rhea::qmp {
namespace {

bool hot_pluggable(const Bus* bus) { return bus != nullptr && bus->hot_pluggable(); }

Result<Json> device_add(Context& context, const Json& arguments) {
  const auto& driver = text_argument(arguments, "driver");
  const TypeInfo* type = find_type(device_type_name(driver));
  const auto bus_name = argument<std::string>(arguments, "bus", "");
  if (type != nullptr && type->is_a(Device::kName) &&
      context.machine.run_state() != RunState::Prelaunch) {
    const Bus* bus = context.machine.find_bus(type->bus, bus_name);
    // A bus that is not there is plug()'s to tell of.
    if (bus != nullptr ? !bus->hot_pluggable() : type->bus.empty())
      return fail("Bus '{}' does not support hotplugging", bus != nullptr ? bus->name() : "");
  }
  std::vector<std::pair<std::string, Value>> properties;
  for (const auto& [key, value] : arguments.items()) {
    if (key == "driver" || key == "id" || key == "bus") continue;
    auto scalar = to_value(value);
    if (!scalar)
      return std::unexpected(std::move(scalar).error().within(fmt::format("Parameter '{}'", key)));
    properties.emplace_back(key, *scalar);
  }
  Device* device = TRY(context.machine.plug(driver, properties,
                                            argument<std::string>(arguments, "id", ""), bus_name));
  device->reset_tree(ResetKind::Cold);
  return Json();
}

/// What tools hear when it is gone, those that are plugged into it first.
// NOLINTNEXTLINE(misc-no-recursion): as deep as bridges lie behind each other
void tell_of_end(const Device& device, std::vector<Json>& news) {
  for (const Bus* bus : device.buses())
    for (const Device* below : bus->devices()) tell_of_end(*below, news);
  Json data = {{"path", device.path()}};
  if (!device.id().empty()) data["device"] = device.id();
  news.push_back(std::move(data));
}

Result<Json> device_del(Context& context, const Json& arguments) {
  const auto& name = text_argument(arguments, "id");
  Device& device = *TRY(monitor::find_peripheral(context.machine, name));
  if (!hot_pluggable(device.parent_bus()))
    return fail("Bus '{}' does not support hotplugging",
                device.parent_bus() != nullptr ? device.parent_bus()->name() : "");
  std::vector<Json> news;
  tell_of_end(device, news);
  TRY(context.machine.unplug(device));
  for (const Json& data : news)
    context.machine.service<Monitors>().send_event("DEVICE_DELETED", data);
  return Json();
}

const RegisterQmpEvent deleted{
    {.name = "DEVICE_DELETED", .data = {{"device", "str", true}, {"path", "str"}}}};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "device_add",
                        .arguments = {{"driver", "str"}, {"bus", "str", true}, {"id", "str", true}},
                        .open = true,
                        .features = {"json-cli", "json-cli-hotplug"},
                        .run = &device_add}),
    RegisterQmpCommand({.name = "device_del", .arguments = {{"id", "str"}}, .run = &device_del}),
};

}  // namespace
}  // namespace rhea::qmp
