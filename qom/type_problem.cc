// SPDX-License-Identifier: GPL-2.0-or-later
#include "qom/type_problem.h"

#include "rhea/qom/schema.h"

#include <algorithm>
#include <array>

namespace rhea {
namespace {

constexpr unsigned kBars = 6;
/// What -device and device_add take for themselves.
constexpr std::array<std::string_view, 5> kTaken = {"driver", "id", "bus", "help", "?"};

using Names = std::vector<std::string_view>;

bool inside(const Value& value, const IntegerRange& range) {
  if (const auto* number = std::get_if<u64>(&value))
    return *number <= range.max && (range.min < 0 || *number >= static_cast<u64>(range.min));
  if (const auto* number = std::get_if<i64>(&value))
    return *number >= range.min && (*number < 0 || static_cast<u64>(*number) <= range.max);
  return true;
}

std::string twice(Names names) {
  std::ranges::sort(names);
  const auto it = std::ranges::adjacent_find(names);
  return it != names.end() ? std::string(*it) : std::string();
}

/// Whether an option's text can name it: "NAME=value,NAME=value".
bool can_be_named(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return c > ' ' && c <= '~' && c != ',' && c != '=';
  });
}

std::string about_property(const TypeInfo& type, const Property& p) {
  if (!can_be_named(p.name))
    return fmt::format("declares a property '{}', which no option can name", p.name);
  if (type.is_a("device") && std::ranges::find(kTaken, p.name) != kTaken.end())
    return fmt::format("declares a property '{}': that is a word of -device itself", p.name);
  if (const TypeInfo* base = type.parent;
      base != nullptr && base != &type && base->find_property(p.name) != nullptr)
    return fmt::format("declares the property '{}', which it has from '{}'", p.name, base->name);
  if (p.range.min > 0 && static_cast<u64>(p.range.min) > p.range.max)
    return fmt::format("gives property '{}' a range that nothing is in, {} to {}", p.name,
                       p.range.min, p.range.max);
  return {};
}

std::string about_fields(const FieldList& list, unsigned version, std::string_view section) {
  Names names;
  for (const StateField& field : list.fields) {
    names.push_back(field.name);
    if (field.min > field.max)
      return fmt::format("gives state '{}' a range that nothing is in, {} to {}", field.name,
                         field.min, field.max);
    if (field.since > version)
      return fmt::format("has state '{}' since version {}, but {} has version {}", field.name,
                         field.since, section, version);
  }
  const std::string name = twice(std::move(names));
  return name.empty() ? "" : fmt::format("declares two states named '{}'", name);
}

std::string about_state(const TypeInfo& type) {
  if (type.minimum_version > type.version)
    return fmt::format("can load state from version {} on, but has version {}",
                       type.minimum_version, type.version);
  if (auto bad = about_fields(type.state, type.version, "its state"); !bad.empty()) return bad;
  Names names;
  for (const Subsection& subsection : type.subsections) {
    names.push_back(subsection.name);
    if (auto bad = about_fields(subsection.fields, subsection.version,
                                fmt::format("subsection '{}'", subsection.name));
        !bad.empty())
      return bad;
  }
  const std::string name = twice(std::move(names));
  return name.empty() ? "" : fmt::format("declares two subsections named '{}'", name);
}

// Where registers are mapped that say it themselves: nobody else looks whether it can be.
std::string about_banks(const TypeInfo& type) {
  std::array<bool, kBars> used{};
  for (const DeclaredBank& bank : type.banks) {
    const std::string_view name = bank.info->name;
    if (bank.bar && bank.port)
      return fmt::format("maps registers '{}' as a BAR and at a port", name);
    if (bank.bar && !type.is_a("pci-device"))
      return fmt::format("maps registers '{}' as a BAR, but is no PCI device", name);
    if (bank.port && !type.is_a("isa-device"))
      return fmt::format("maps registers '{}' at a port, but is no ISA device", name);
    if (!bank.bar) continue;
    if (*bank.bar >= kBars)
      return fmt::format("maps registers '{}' as BAR {}: there are 0 to {}", name, *bank.bar,
                         kBars - 1);
    if (std::exchange(used[*bank.bar], true))
      return fmt::format("maps two banks of registers as BAR {}", *bank.bar);
  }
  return {};
}

std::string about(const TypeInfo& type) {
  if (!can_be_named(type.name)) return "has a name that no option can say";
  Names properties;
  for (const Property& p : type.properties) {
    properties.push_back(p.name);
    if (auto bad = about_property(type, p); !bad.empty()) return bad;
  }
  if (const std::string name = twice(std::move(properties)); !name.empty())
    return fmt::format("declares two properties named '{}'", name);
  if (auto bad = about_state(type); !bad.empty()) return bad;
  return about_banks(type);
}

}  // namespace

std::string problem_of(const TypeInfo& type) {
  for (const Property& p : type.properties)
    if (about_property(type, p).empty() && !inside(p.default_value, p.range))
      return fmt::format(
          "type '{}': the default of property '{}', {}, is outside of its range, {} to {}",
          type.name, p.name, to_text(p.default_value), p.range.min, p.range.max);
  const std::string bad = about(type);
  return bad.empty() ? bad : fmt::format("type '{}' {}", type.name, bad);
}

}  // namespace rhea
