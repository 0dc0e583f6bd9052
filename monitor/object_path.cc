// SPDX-License-Identifier: GPL-2.0-or-later
// Objects by absolute or partial path.
#include "monitor/object_path.h"

namespace rhea::monitor {

Result<Object*> find_object(Machine& machine, std::string_view path) {
  Object* found = nullptr;
  if (path.starts_with('/')) {
    found = machine.resolve(path);
  } else if (!path.empty()) {
    const std::string end = "/" + std::string(path);
    bool twice = false;
    machine.visit([&](Object& object) {
      if (!object.path().ends_with(end)) return;
      twice = found != nullptr;
      found = &object;
    });
    if (twice) return fail("Path '{}' does not uniquely identify an object", path);
  }
  if (found == nullptr) return fail(ErrorClass::DeviceNotFound, "Device '{}' not found", path);
  return found;
}

std::string path_of(const Object& object) {
  const std::string path = object.path();
  return path.empty() ? "/" : path;
}

Result<Device*> find_peripheral(Machine& machine, std::string_view name) {
  Object* found = name.starts_with('/') ? machine.resolve(name)
                                        : machine.container("/machine/peripheral").child(name);
  auto* device = dynamic_cast<Device*>(found);
  const Object* place = device != nullptr ? device->parent() : nullptr;
  const bool removable = place == &machine.container("/machine/peripheral") ||
                         place == &machine.container("/machine/peripheral-anon");
  if (!removable) return fail(ErrorClass::DeviceNotFound, "Device '{}' not found", name);
  return device;
}

}  // namespace rhea::monitor
