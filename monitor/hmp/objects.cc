// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: the object tree, and devices that come and go.
#include "monitor/hmp/command.h"
#include "monitor/object_path.h"
#include "rhea/qom/registry.h"
#include "rhea/util/json_keyval.h"
#include "rhea/util/keyval.h"

#include <algorithm>

namespace rhea::hmp {
namespace {

using qmp::Json;

Result<> qom_list(Context& context, Arguments& arguments) {
  const auto path = TRY(arguments.optional_text());
  TRY(arguments.end());
  if (!path) {
    context.print("/\n");
    return {};
  }
  for (const Json& entry : TRY(context.call("qom-list", {{"path", *path}})))
    context.print("{} ({})\n", entry["name"].get<std::string>(), entry["type"].get<std::string>());
  return {};
}

Result<> qom_get(Context& context, Arguments& arguments) {
  Json request;
  request["path"] = TRY(arguments.text());
  request["property"] = TRY(arguments.text());
  TRY(arguments.end());
  context.print("{}\n", qmp::to_text(TRY(context.call("qom-get", request)), true));
  return {};
}

Result<> qom_set(Context& context, Arguments& arguments) {
  const bool json = arguments.flag('j');
  Json request;
  request["path"] = TRY(arguments.text());
  request["property"] = TRY(arguments.text());
  const std::string value(arguments.rest());
  if (value.empty()) return arguments.wrong("qom-set: string expected");
  request["value"] = json ? Json::parse(value, nullptr, false) : Json(value);
  if (request["value"].is_discarded()) return fail("'{}' is not JSON", value);
  TRY(context.call("qom-set", request));
  return {};
}

void print_tree(Context& context, const Object& object, unsigned depth) {
  const std::string name = object.parent() == nullptr ? "" : object.name();
  context.print("{:{}}/{} ({})\n", "", depth * 2, name, object.type().name);
  std::vector<const Object*> children;
  for (const auto& child : object.children()) children.push_back(child.get());
  std::ranges::sort(children, {}, &Object::name);
  for (const Object* child : children) print_tree(context, *child, depth + 1);
}

Result<> qom_tree(Context& context, Arguments& arguments) {
  const std::string path = TRY(arguments.optional_text()).value_or("/machine");
  TRY(arguments.end());
  const Object* top = TRY(monitor::find_object(context.machine, path));
  print_tree(context, *top, 0);
  return {};
}

std::string property_text(const Property& property, const Object& object) {
  const Value value = property.get(object);
  if (const auto* text = std::get_if<std::string>(&value)) return fmt::format("\"{}\"", *text);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<u64>(&value))
    return fmt::format("{} ({:#x})", *number, *number);
  return to_text(value);
}

void print_bus(Context& context, const Bus& bus, unsigned indent);

void print_device(Context& context, const Device& device, unsigned indent) {
  context.print("{:{}}dev: {}, id \"{}\"\n", "", indent, device.type().name, device.id());
  for (const TypeInfo* type : device.type().lineage())
    for (const Property& property : type->properties)
      context.print("{:{}}{} = {}\n", "", indent + 2, property.name,
                    property_text(property, device));
  for (const Bus* bus : device.buses()) print_bus(context, *bus, indent + 2);
}

void print_bus(Context& context, const Bus& bus, unsigned indent) {
  context.print("{:{}}bus: {}\n{:{}}type {}\n", "", indent, bus.name(), "", indent + 2, bus.kind());
  for (const Device* device : bus.devices()) print_device(context, *device, indent + 2);
}

// Processors are left out: their properties are a page each.
constexpr std::string_view kProcessor = "x86_64-cpu";

// Devices without a bus stand on what QEMU calls the system bus.
Result<> qtree(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  context.print("bus: main-system-bus\n  type System\n");
  context.machine.visit([&](Object& object) {
    const auto* device = dynamic_cast<const Device*>(&object);
    const bool shown =
        device != nullptr && device->parent_bus() == nullptr && !device->type().is_a(kProcessor);
    if (shown) print_device(context, *device, 2);
  });
  return {};
}

void list_devices(Context& context) {
  for (const TypeInfo* type : all_types())
    if (type->is_a(Device::kName) && !type->is_abstract && type->user_creatable)
      context.print("name \"{}\", bus {}{}{}\n", type->name,
                    type->bus.empty() ? "System" : type->bus,
                    type->help.empty() ? "" : fmt::format(", desc \"{}\"", type->help),
                    type->origin.empty() ? "" : fmt::format(", from {}", type->origin));
}

Result<> device_add(Context& context, Arguments& arguments) {
  const std::string text(arguments.rest());
  KeyValues options = TRY(parse_json_or_keyval(text, "driver", Words::Flags));
  if (text == "help" || text == "?") {
    list_devices(context);
    return {};
  }
  if (options.find("driver") == nullptr) return fail("Parameter 'driver' is missing");
  Json request = Json::object();
  for (const auto& [key, value] : options.all()) request[key] = value;
  TRY(context.call("device_add", request));
  return {};
}

Result<> device_del(Context& context, Arguments& arguments) {
  const std::string id = TRY(arguments.text());
  TRY(arguments.end());
  TRY(context.call("device_del", {{"id", id}}));
  return {};
}

Result<> device_reload(Context& context, Arguments& arguments) {
  const std::string id = TRY(arguments.text());
  TRY(arguments.end());
  TRY(context.call("x-device-reload", {{"id", id}}));
  return {};
}

Result<> object_add(Context& context, Arguments& arguments) {
  KeyValues options = TRY(parse_json_or_keyval(arguments.rest(), "qom-type", Words::Flags));
  if (options.find("qom-type") == nullptr) return fail("Parameter 'qom-type' is missing");
  if (options.find("id") == nullptr) return fail("Parameter 'id' is missing");
  Json request = Json::object();
  for (const auto& [key, value] : options.all()) request[key] = value;
  TRY(context.call("object-add", request));
  return {};
}

Result<> object_del(Context& context, Arguments& arguments) {
  const std::string id = TRY(arguments.text());
  TRY(arguments.end());
  TRY(context.call("object-del", {{"id", id}}));
  return {};
}

const RegisterHmpCommand commands[] = {
    RegisterHmpCommand({"object_add", "[qom-type=]type,id=id[,prop=value][,...]",
                        "create QOM object", &object_add}),
    RegisterHmpCommand({"object_del", "id", "destroy QOM object", &object_del}),
    RegisterHmpCommand({"qom-list", "path", "list QOM properties", &qom_list}),
    RegisterHmpCommand({"qom-get", "path property", "print QOM property", &qom_get}),
    RegisterHmpCommand({"qom-set", "[-j] path property value",
                        "set QOM property (-j: the value is JSON)", &qom_set}),
    RegisterHmpCommand({"device_add", "driver[,prop=value][,...]",
                        "add device, like -device on the command line", &device_add}),
    RegisterHmpCommand({"device_del", "device", "remove device", &device_del}),
    RegisterHmpCommand(
        {"device-reload|device_reload", "device",
         "load a device's plug-in (-device-plugin) anew and exchange the device for one "
         "of the new code, with its state",
         &device_reload}),
};
const RegisterInfo infos[] = {
    RegisterInfo({"qom-tree", "[path]", "show QOM composition tree", &qom_tree}),
    RegisterInfo({"qtree", "", "show device tree", &qtree}),
};

}  // namespace
}  // namespace rhea::hmp
