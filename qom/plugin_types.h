// SPDX-License-Identifier: GPL-2.0-or-later
// Takes in the types that a plug-in's static constructors register.
#pragma once

#include "rhea/qom/registry.h"

#include <string>
#include <string_view>
#include <vector>

namespace rhea {

/// While it lives, types that are registered wait here instead of going to the table. One at a
/// time, on the main thread.
class PluginTypes {
 public:
  PluginTypes();
  ~PluginTypes();
  PluginTypes(const PluginTypes&) = delete;
  PluginTypes& operator=(const PluginTypes&) = delete;

  bool empty() const { return entries_.empty(); }
  /// Puts them into the table for everybody to find; those that the same plug-in put there before
  /// are replaced (objects made of them keep them). On error the table is as it was.
  Result<std::vector<const TypeInfo*>> publish(const std::string& origin);

 private:
  Result<> check(std::string_view name, const std::string& origin) const;

  std::vector<TypeEntry*> entries_;
};

}  // namespace rhea
