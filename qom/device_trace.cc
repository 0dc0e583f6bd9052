// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/qom/device_trace.h"

#include "rhea/qom/device.h"
#include "rhea/qom/registry.h"

namespace rhea::trace {

std::string ObjectSubject::name() const {
  for (const Object* at = object_; at != nullptr; at = at->parent())
    if (const auto* device = dynamic_cast<const Device*>(at);
        device != nullptr && !device->id().empty())
      return device->id();
  return object_ == nullptr ? "-" : object_->type().name;
}

bool ObjectSubject::is(const std::string& pattern) const {
  for (const Object* at = object_; at != nullptr && at->parent() != nullptr; at = at->parent()) {
    const auto* device = dynamic_cast<const Device*>(at);
    if (device != nullptr && matches(pattern, device->id())) return true;
    for (const TypeInfo* type = &at->type(); type != nullptr; type = type->parent)
      if (matches(pattern, type->name)) return true;
    if (matches(pattern, at->path())) return true;
  }
  return false;
}

bool finds(Object& root, const std::string& pattern) {
  bool found = false;
  root.visit([&](Object& object) { found = found || ObjectSubject(&object).is(pattern); });
  return found;
}

}  // namespace rhea::trace
