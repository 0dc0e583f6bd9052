// SPDX-License-Identifier: GPL-2.0-or-later
#include "softmmu/device_reload.h"

#include "qom/guarded.h"
#include "qom/plugin.h"
#include "rhea/softmmu/snapshot.h"

#include <algorithm>

namespace rhea {
namespace {

using Properties = std::vector<std::pair<std::string, Value>>;

/// What is carried from the old device to the new one.
struct Luggage {
  std::string name;
  std::string id;
  Object* place{};
  Bus* bus{};
  Properties properties;
  std::vector<u8> state;
  std::vector<std::shared_ptr<RamBlock>> memory;
};

std::vector<Object*> parts_with_state(Object& device) {
  std::vector<Object*> parts;
  device.visit([&](Object& part) {
    const auto lineage = part.type().lineage();
    if (std::ranges::any_of(lineage, [](const TypeInfo* type) {
          return !type->state.fields.empty() || !type->subsections.empty();
        }))
      parts.push_back(&part);
  });
  return parts;
}

// What the user set, or the device found for itself (its slot): all that a fresh one has otherwise.
Properties changed_properties(const Device& device) {
  const auto fresh = device.type().create();
  const auto lineage = device.type().lineage();
  for (const TypeInfo* type : lineage)
    for (const Property& p : type->properties)
      if (p.set && p.default_value.index() != 0)
        static_cast<void>(p.set(*fresh, p.default_value, p));
  Properties changed;
  for (const TypeInfo* type : lineage)
    for (const Property& p : type->properties)
      if (p.set && p.get && p.get(device) != p.get(*fresh))
        changed.emplace_back(p.name, p.get(device));
  return changed;
}

std::vector<std::shared_ptr<RamBlock>> memory_of(Machine& machine, const std::string& path) {
  auto blocks = machine.map().ram_blocks();
  std::erase_if(blocks, [&](const auto& block) { return !block->id().starts_with(path + "/"); });
  return blocks;
}

Result<Luggage> pack(Machine& machine, Device& device) {
  Luggage luggage{.name = device.name(),
                  .id = device.id(),
                  .place = device.parent(),
                  .bus = device.parent_bus(),
                  .properties = changed_properties(device),
                  .state = {},
                  .memory = memory_of(machine, device.path())};
  StateWriter out;
  const auto parts = parts_with_state(device);
  out.number(parts.size(), 4);
  for (Object* part : parts) save_object(*part, out);
  luggage.state = out.take();
  return luggage;
}

Result<> load_state(Device& device, std::span<const u8> stream) {
  StateReader in(stream);
  const u64 count = TRY(in.number(4));
  const auto parts = parts_with_state(device);
  if (count != parts.size())
    return fail("{} of its parts had state, now {} have", count, parts.size());
  for (Object* part : parts) TRY(load_object(*part, in));
  return {};
}

Result<> copy_memory(Machine& machine, const Luggage& luggage, const std::string& path) {
  const auto blocks = memory_of(machine, path);
  for (const auto& old : luggage.memory) {
    const auto it = std::ranges::find(blocks, old->id(), [](const auto& b) { return b->id(); });
    if (it == blocks.end()) return fail("it has no memory '{}' any more", old->id());
    RamBlock& block = **it;
    if (&block == old.get()) continue;
    if (block.size() != old->size())
      return fail("memory '{}' had {} bytes and has {}", old->id(), old->size(), block.size());
    std::ranges::copy(old->bytes(), block.host());
    block.mark_dirty(0, block.size());
  }
  return {};
}

// Realized and with the state loaded, or as it was before.
Result<> settle(Machine& machine, Device& device, const Luggage& luggage) {
  if (luggage.bus != nullptr) TRY(luggage.bus->attach(device));
  TRY(device.set_realized(true));
  device.reset_tree(ResetKind::Cold);
  TRY(load_state(device, luggage.state));
  return copy_memory(machine, luggage, device.path());
}

std::unique_ptr<Object> take_out(Device& device) {
  static_cast<void>(device.set_realized(false));
  if (device.parent_bus() != nullptr) device.parent_bus()->detach(device);
  return device.parent()->remove_child(device);
}

Result<> put_in(Machine& machine, std::unique_ptr<Object> object, const Luggage& luggage,
                const Properties& properties) {
  auto& device = static_cast<Device&>(*object);
  device.set_id(luggage.id);
  luggage.place->add_child(luggage.name, std::move(object));
  Result<> result;
  for (const auto& [name, value] : properties)
    if (result) result = device.set(name, value);
  if (result) result = guarded([&] { return settle(machine, device, luggage); });
  if (!result) take_out(device);
  return result;
}

Result<> exchange(Machine& machine, Device& device, std::unique_ptr<Object> next) {
  const std::string path = device.path();
  auto packed = guarded([&] { return pack(machine, device); });
  if (!packed) return std::unexpected(std::move(packed).error().within(path));
  const Luggage luggage = std::move(*packed);
  std::unique_ptr<Object> old = take_out(device);
  auto result = put_in(machine, std::move(next), luggage, luggage.properties);
  if (result) return {};
  const std::string why = std::move(result).error().message();
  if (auto back = put_in(machine, std::move(old), luggage, {}); !back)
    return fail("{}: {}; the old device cannot be put back: {}", path, why, back.error().message());
  return fail("{}: {}; the old device stays", path, why);
}

std::string user_of(Machine& machine, const Device& device) {
  const std::string path = device.path();
  std::string user;
  machine.visit([&](Object& object) {
    for (const TypeInfo* type : object.type().lineage())
      for (const Property& p : type->properties)
        if (p.type.starts_with("link<") && p.get && to_text(p.get(object)) == path)
          user = object.path();
  });
  return user;
}

}  // namespace

Result<> check_reloadable(Device& device) {
  const std::string path = device.path();
  if (device.type().origin.empty())
    return fail("{}: '{}' is built in; only devices of plug-ins (-device-plugin) are loaded anew",
                path, device.type().name);
  for (const Bus* bus : device.buses())
    if (!bus->devices().empty())
      return fail("{}: '{}' is plugged into it", path, bus->devices().front()->path());
  if (const std::string user = user_of(device.machine(), device); !user.empty())
    return fail("{}: '{}' refers to it", path, user);
  return {};
}

Result<> reload_device(Machine& machine, Device& device) {
  TRY(check_reloadable(device));
  const auto types = TRY(load_plugin(device.type().origin));
  if (std::ranges::find(types, device.type().name, &TypeInfo::name) == types.end())
    return fail("{}: the type '{}' is not there any more; the old device stays",
                device.type().origin, device.type().name);
  std::unique_ptr<Object> next = TRY(machine.make(device.type().name));
  const bool running = machine.running();
  if (running) machine.pause(RunState::SaveVm);
  auto result = exchange(machine, device, std::move(next));
  if (running) machine.resume();
  return result;
}

}  // namespace rhea
