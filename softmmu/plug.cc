// SPDX-License-Identifier: GPL-2.0-or-later
// How devices come into a machine's tree and leave it.
#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/keyval.h"
#include "rhea/util/known_names.h"
#include "softmmu/compat_properties.h"
#include "softmmu/device_alias.h"
#include "softmmu/device_faults.h"

#include <algorithm>

namespace rhea {
namespace {

/// Unplugged devices until nobody can be inside one of their functions any more.
class Unplugged final : public MachineService {
 public:
  explicit Unplugged(Machine& machine) : machine_(&machine) {}
  void shutdown() override { gone_.clear(); }
  void objects_gone() override { gone_.clear(); }
  void add(std::unique_ptr<Object> device) {
    gone_.push_back(std::move(device));
    machine_->loop().defer([this] { const auto now = std::exchange(gone_, {}); });
  }

 private:
  Machine* machine_;
  std::vector<std::unique_ptr<Object>> gone_;
};

std::unexpected<Error> no_such_device(std::string_view name) {
  std::vector<std::string_view> own;
  for (const TypeInfo* type : all_types())
    if (!type->is_abstract && type->user_creatable && type->is_a(Device::kName))
      own.push_back(type->name);
  return fail("{}", with_remark(fmt::format("'{}' is not a valid device model name", name),
                                about_unknown(NameKind::Device, name, own)));
}

}  // namespace

Object& Machine::container(std::string_view path) {
  Object* at = this;
  while (!path.empty()) {
    const auto slash = path.find('/');
    const std::string part(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (part.empty()) continue;
    Object* next = at->child(part);
    if (next == nullptr) next = &at->add_child(part, *create_object("container"));
    at = next;
  }
  return *at;
}

// Devices that neither another device owns nor a bus of another device carries.
void Machine::for_each_top_device(const std::function<void(Device&)>& visitor) {
  visit([&](Object& object) {
    auto* device = dynamic_cast<Device*>(&object);
    if (device == nullptr || dynamic_cast<Device*>(device->parent()) != nullptr) return;
    if (const Bus* bus = device->parent_bus();
        bus != nullptr && dynamic_cast<Device*>(bus->parent()) != nullptr)
      return;
    visitor(*device);
  });
}

Result<Device*> Machine::attach_and_realize(Object& place, std::string name,
                                            std::unique_ptr<Object> object, Bus* bus) {
  auto* device = dynamic_cast<Device*>(object.get());
  RHEA_ASSERT(device != nullptr);
  place.add_child(std::move(name), std::move(object));
  auto result = bus != nullptr ? bus->attach(*device) : Result<>();
  if (result) result = device->set_realized(true);
  if (result) return device;
  if (device->parent_bus() != nullptr) device->parent_bus()->detach(*device);
  if (FaultTable::find(device) != nullptr) service<FaultTable>().forget(*device);
  place.remove_child(*device);
  return std::unexpected(std::move(result).error());
}

Result<Device*> Machine::add_device(std::unique_ptr<Object> object, Bus* bus,
                                    std::string_view name) {
  Object& place = container(name.empty() ? "/machine/unattached" : "/machine");
  std::string child =
      name.empty() ? fmt::format("device[{}]", unattached_count_++) : std::string(name);
  return attach_and_realize(place, std::move(child), std::move(object), bus);
}

Result<Device*> Machine::plug(std::string_view type,
                              const std::vector<std::pair<std::string, Value>>& properties,
                              std::string_view id, std::string_view bus_name) {
  type = device_type_name(type);
  const TypeInfo* info = find_type(type);
  if (info == nullptr || !info->is_a(Device::kName)) return no_such_device(type);
  if (info->is_abstract)
    return fail("Parameter 'driver' expects a non-abstract device type, not '{}'", type);
  if (!info->user_creatable)
    return fail("Parameter 'driver' expects a pluggable device type, not '{}': {}", type,
                type.ends_with("-cpu") ? "-cpu and -smp bring processors"
                                       : "the board brings what there is of it");
  if (!id.empty() && !is_identifier(id)) return fail("Parameter 'id' expects an identifier");
  if (!id.empty() && container("/machine/peripheral").child(id) != nullptr)
    return fail("Duplicate device ID '{}'", id);
  Bus* bus = nullptr;
  if (!info->bus.empty() || !bus_name.empty()) {
    bus = find_bus(info->bus, bus_name);
    if (bus == nullptr && bus_name.empty())
      return fail("No '{}' bus found for device '{}'", info->bus, type);
    if (bus == nullptr) return fail("Bus '{}' not found", bus_name);
    if (bus->is_full()) return fail("No free slot on bus '{}' for device '{}'", bus->name(), type);
  }
  std::unique_ptr<Object> object = TRY(make(type));
  // Links are resolved from the tree, so the object must see its machine before it is in its place.
  Object& place = container(id.empty() ? "/machine/peripheral-anon" : "/machine/peripheral");
  std::string name = id.empty() ? fmt::format("device[{}]", anon_count_++) : std::string(id);
  auto& device = static_cast<Device&>(*object);
  device.set_id(std::string(id));
  place.add_child(name, std::move(object));
  for (const auto& [key, value] : properties)
    if (auto result = device.set(key, value); !result) {
      if (FaultTable::find(&device) != nullptr) service<FaultTable>().forget(device);
      place.remove_child(device);
      return std::unexpected(std::move(result).error());
    }
  return attach_and_realize(place, std::move(name), place.remove_child(device), bus);
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as bridges lie behind each other
Result<> Machine::unplug(Device& device) {
  // What is plugged into it goes first, the deepest before all.
  for (Bus* bus : device.buses())
    while (!bus->devices().empty()) TRY(unplug(*bus->devices().back()));
  TRY(device.set_realized(false));
  if (device.parent_bus() != nullptr) device.parent_bus()->detach(device);
  // It may be the device itself that asks, in a handler or a timer.
  service<Unplugged>().add(device.parent()->remove_child(device));
  return {};
}

Bus* Machine::find_bus(std::string_view kind, std::string_view name_or_path) {
  Bus* found = nullptr;
  visit([&](Object& object) {
    auto* bus = dynamic_cast<Bus*>(&object);
    if (bus == nullptr) return;
    const bool named =
        !name_or_path.empty() && (bus->name() == name_or_path || bus->path() == name_or_path);
    if (!named && !(name_or_path.empty() && bus->kind() == kind)) return;
    // Of the buses of one device QEMU takes the last: a disk that names none is on ide.1.
    const bool better = found == nullptr || found->is_full() ||
                        (bus->parent() == found->parent() && !bus->is_full());
    if (better) found = bus;
  });
  return found;
}

void Machine::add_global(std::string type, std::string property, std::string value) {
  globals_.push_back(
      {.type = std::move(type), .property = std::move(property), .value = std::move(value)});
}

Result<std::unique_ptr<Object>> Machine::make(std::string_view type) {
  std::unique_ptr<Object> object = TRY(create_object(type));
  for (const CompatProperties::Row& row : service<CompatProperties>().rows)
    if (object->type().is_a(row.type)) TRY(object->set(row.property, row.value));
  for (Global& global : globals_) {
    if (!object->type().is_a(global.type)) continue;
    global.used = true;
    auto result = object->set(global.property, global.value);
    if (!result)
      return std::unexpected(std::move(result).error().within(
          fmt::format("-global {}.{}={}", global.type, global.property, global.value)));
  }
  return object;
}

std::vector<std::string> Machine::unused_globals() const {
  std::vector<std::string> unused;
  for (const Global& global : globals_)
    if (find_type(global.type) == nullptr)
      unused.push_back(
          fmt::format("global {}.{} has invalid class name", global.type, global.property));
    else if (!global.used)
      unused.push_back(fmt::format("global {}.{}={} not used: no such device was made", global.type,
                                   global.property, global.value));
  return unused;
}

}  // namespace rhea
