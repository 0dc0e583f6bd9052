// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: devices that come and go while the machine runs.
#include "monitor/monitors.h"
#include "monitor/object_path.h"
#include "monitor/qmp/command.h"
#include "monitor/qmp/event.h"
#include "rhea/qom/registry.h"

namespace rhea::qmp {
namespace {

// Buses whose hardware lets devices come and go.
bool is_hot_pluggable(const TypeInfo& type) { return type.bus == "PCI"; }

Result<Json> device_add(Context& context, const Json& arguments) {
  const auto& driver = text_argument(arguments, "driver");
  const TypeInfo* type = find_type(driver);
  const bool known = type != nullptr && type->is_a(Device::kName);
  if (known && !is_hot_pluggable(*type) && context.machine.run_state() != RunState::Prelaunch)
    return fail("Bus '{}' does not support hotplugging", type->bus);
  std::vector<std::pair<std::string, Value>> properties;
  for (const auto& [key, value] : arguments.items()) {
    if (key == "driver" || key == "id" || key == "bus") continue;
    auto scalar = to_value(value);
    if (!scalar)
      return std::unexpected(std::move(scalar).error().within(fmt::format("Parameter '{}'", key)));
    properties.emplace_back(key, *scalar);
  }
  Device* device =
      TRY(context.machine.plug(driver, properties, argument<std::string>(arguments, "id", ""),
                               argument<std::string>(arguments, "bus", "")));
  device->reset_tree(ResetKind::Cold);
  return Json();
}

Result<Json> device_del(Context& context, const Json& arguments) {
  const auto& name = text_argument(arguments, "id");
  Device& device = *TRY(monitor::find_peripheral(context.machine, name));
  if (!is_hot_pluggable(device.type()))
    return fail("Bus '{}' does not support hotplugging", device.type().bus);
  Json data = {{"path", device.path()}};
  if (!device.id().empty()) data["device"] = device.id();
  TRY(context.machine.unplug(device));
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
