// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/qom/registry.h"

#include "qom/plugin_types.h"
#include "qom/type_problem.h"

#include <algorithm>
#include <atomic>

namespace rhea {
namespace {

using Entries = std::vector<TypeEntry*>;

Entries& built_in() {
  static Entries all;
  return all;
}

/// Where static constructors put their types; a plug-in that is being loaded has a place of its
/// own.
Entries*& filling() {
  static Entries* into = &built_in();
  return into;
}

std::unique_ptr<Entries> sorted(Entries entries) {
  std::ranges::sort(entries, {}, &TypeEntry::name);
  return std::make_unique<Entries>(std::move(entries));
}

/// The table that look-ups read. One that has been replaced stays, for whoever reads it still.
struct Table {
  Table() { publish(sorted(built_in())); }
  void publish(std::unique_ptr<Entries> next) {
    current.store(next.get(), std::memory_order_release);
    all.push_back(std::move(next));
  }
  std::atomic<const Entries*> current{};
  std::vector<std::unique_ptr<Entries>> all;
};

Table& table() {
  static Table all;
  return all;
}

const Entries& sorted_entries() { return *table().current.load(std::memory_order_acquire); }

const TypeEntry* find_entry(const Entries& all, std::string_view name) {
  const auto it = std::ranges::lower_bound(all, name, {}, &TypeEntry::name);
  return it != all.end() && (*it)->name() == name ? *it : nullptr;
}

}  // namespace

TypeEntry::TypeEntry(std::string_view name, std::string_view parent, bool is_abstract,
                     Builder builder)
    : name_(name), parent_(parent), is_abstract_(is_abstract), builder_(builder) {
  filling()->push_back(this);
}

const TypeInfo& TypeEntry::info() const {
  std::call_once(once_, [this] {
    info_.name = name_;
    info_.origin = origin_;
    info_.is_abstract = is_abstract_;
    if (parent_ != name_) {
      info_.parent = find_type(parent_);
      RHEA_ASSERT(info_.parent != nullptr);
      info_.bus = info_.parent->bus;
      info_.user_creatable = info_.parent->user_creatable;
    }
    builder_(info_);
    info_.problem = problem_of(info_);
  });
  return info_;
}

PluginTypes::PluginTypes() {
  // What is built in is complete now.
  table();
  filling() = &entries_;
}

PluginTypes::~PluginTypes() { filling() = &built_in(); }

Result<> PluginTypes::check(std::string_view name, const std::string& origin) const {
  const auto again = std::ranges::count(entries_, name, &TypeEntry::name);
  if (again > 1) return fail("it has the type '{}' twice", name);
  const TypeEntry* there = find_entry(sorted_entries(), name);
  if (there == nullptr) return {};
  if (there->origin().empty()) return fail("the type '{}' is there already: it is built in", name);
  if (there->origin() != origin)
    return fail("the type '{}' is there already: it comes from {}", name, there->origin());
  return {};
}

Result<std::vector<const TypeInfo*>> PluginTypes::publish(const std::string& origin) {
  if (entries_.empty()) return fail("it registers no type");
  Entries next = sorted_entries();
  for (const TypeEntry* entry : entries_) {
    TRY(check(entry->name(), origin));
    const bool has_parent =
        find_entry(sorted_entries(), entry->parent()) != nullptr ||
        std::ranges::find(entries_, entry->parent(), &TypeEntry::name) != entries_.end();
    if (!has_parent)
      return fail("its type '{}' extends '{}', which is not there", entry->name(), entry->parent());
  }
  std::erase_if(next, [&](const TypeEntry* entry) {
    return std::ranges::find(entries_, entry->name(), &TypeEntry::name) != entries_.end();
  });
  for (TypeEntry* entry : entries_) {
    entry->origin_ = origin;
    next.push_back(entry);
  }
  table().publish(sorted(std::move(next)));
  std::vector<const TypeInfo*> types;
  for (const TypeEntry* entry : entries_) types.push_back(&entry->info());
  return types;
}

const TypeInfo* find_type(std::string_view name) {
  const TypeEntry* entry = find_entry(sorted_entries(), name);
  return entry != nullptr ? &entry->info() : nullptr;
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
