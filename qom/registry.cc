// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/qom/registry.h"

#include <algorithm>

namespace rhea {
namespace {

std::vector<const TypeEntry*>& entries() {
  static std::vector<const TypeEntry*> all;
  return all;
}

const std::vector<const TypeEntry*>& sorted_entries() {
  static const std::vector<const TypeEntry*> sorted = [] {
    std::vector<const TypeEntry*> copy = entries();
    std::ranges::sort(copy, {}, &TypeEntry::name);
    return copy;
  }();
  return sorted;
}

}  // namespace

TypeEntry::TypeEntry(std::string_view name, std::string_view parent, bool is_abstract,
                     Builder builder)
    : name_(name), parent_(parent), is_abstract_(is_abstract), builder_(builder) {
  entries().push_back(this);
}

const TypeInfo& TypeEntry::info() const {
  std::call_once(once_, [this] {
    info_.name = name_;
    info_.is_abstract = is_abstract_;
    if (parent_ != name_) {
      info_.parent = find_type(parent_);
      RHEA_ASSERT(info_.parent != nullptr);
      info_.bus = info_.parent->bus;
      info_.user_creatable = info_.parent->user_creatable;
    }
    builder_(info_);
  });
  return info_;
}

const TypeInfo* find_type(std::string_view name) {
  const auto& all = sorted_entries();
  const auto it = std::ranges::lower_bound(all, name, {}, &TypeEntry::name);
  return it != all.end() && (*it)->name() == name ? &(*it)->info() : nullptr;
}

std::vector<const TypeInfo*> all_types() {
  std::vector<const TypeInfo*> infos;
  for (const TypeEntry* entry : sorted_entries()) infos.push_back(&entry->info());
  return infos;
}

std::vector<std::string_view> duplicate_types() {
  std::vector<std::string_view> twice;
  const auto& all = sorted_entries();
  for (std::size_t i = 1; i < all.size(); ++i)
    if (all[i]->name() == all[i - 1]->name()) twice.push_back(all[i]->name());
  return twice;
}

const Property* TypeInfo::find_property(std::string_view wanted) const {
  for (const TypeInfo* type = this; type != nullptr; type = type->parent)
    for (const Property& p : type->properties)
      if (p.name == wanted) return &p;
  return nullptr;
}

bool TypeInfo::is_a(std::string_view type_name) const {
  for (const TypeInfo* type = this; type != nullptr; type = type->parent)
    if (type->name == type_name ||
        std::ranges::find(type->interfaces, type_name) != type->interfaces.end())
      return true;
  return false;
}

std::vector<const TypeInfo*> TypeInfo::lineage() const {
  std::vector<const TypeInfo*> chain;
  for (const TypeInfo* type = this; type != nullptr; type = type->parent) chain.push_back(type);
  std::ranges::reverse(chain);
  return chain;
}

}  // namespace rhea
