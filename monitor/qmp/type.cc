// SPDX-License-Identifier: GPL-2.0-or-later
// Checking JSON values against types.
#include "monitor/qmp/type.h"

#include <algorithm>
#include <array>
#include <limits>

namespace rhea::qmp {
namespace {

struct Builtin {
  std::string_view name;
  std::string_view json_type;
  i64 min{0};
  u64 max{0};
};

constexpr std::array kBuiltins = {
    Builtin{"str", "string"},
    Builtin{"bool", "boolean"},
    Builtin{"number", "number"},
    Builtin{"any", "value"},
    Builtin{"null", "null"},
    Builtin{"int", "int", INT64_MIN, INT64_MAX},
    Builtin{"int8", "int", INT8_MIN, INT8_MAX},
    Builtin{"int16", "int", INT16_MIN, INT16_MAX},
    Builtin{"int32", "int", INT32_MIN, INT32_MAX},
    Builtin{"int64", "int", INT64_MIN, INT64_MAX},
    Builtin{"uint8", "int", 0, UINT8_MAX},
    Builtin{"uint16", "int", 0, UINT16_MAX},
    Builtin{"uint32", "int", 0, UINT32_MAX},
    Builtin{"uint64", "int", INT64_MIN, UINT64_MAX},
    Builtin{"size", "int", INT64_MIN, UINT64_MAX},
};

const Builtin* find_builtin(std::string_view name) {
  const auto* it = std::ranges::find(kBuiltins, name, &Builtin::name);
  return it == kBuiltins.end() ? nullptr : it;
}

std::vector<const Type*>& table() {
  static std::vector<const Type*> all;
  return all;
}

std::unexpected<Error> wrong_type(std::string_view path, std::string_view expected) {
  return fail("Invalid parameter type for '{}', expected: {}", path, expected);
}

Result<> check_string(const Json& value, const std::string& path) {
  if (!value.is_string()) return wrong_type(path, "string");
  // Names of files and objects end at a zero in much that they are handed to.
  if (value.get_ref<const std::string&>().find('\0') != std::string::npos)
    return fail("Parameter '{}' expects a string without NUL", path);
  return {};
}

Result<> check_integer(const Json& value, const Builtin& type, const std::string& path) {
  const bool is_signed = type.name.starts_with("int");
  if (!value.is_number_integer() && !is_signed) return fail("Parameter '{}' expects uint64", path);
  if (!value.is_number_integer()) return wrong_type(path, "integer");
  const bool fits =
      value.is_number_unsigned() ? value.get<u64>() <= type.max : value.get<i64>() >= type.min;
  if (fits) return {};
  if (type.max >= INT64_MAX) return wrong_type(path, "integer");
  return fail("Parameter '{}' expects {}{}", path, type.name, "_t");
}

Result<> check_builtin(const Builtin& type, const Json& value, const std::string& path) {
  if (type.json_type == "value") return {};
  if (type.json_type == "string") return check_string(value, path);
  if (type.json_type == "int") return check_integer(value, type, path);
  if (type.json_type == "boolean" && !value.is_boolean()) return wrong_type(path, "boolean");
  if (type.json_type == "number" && !value.is_number()) return wrong_type(path, "number");
  if (type.json_type == "null" && !value.is_null()) return wrong_type(path, "null");
  return {};
}

std::string_view last_name(std::string_view path) {
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

Result<> check_enum(const Type& type, const Json& value, const std::string& path) {
  TRY(check_string(value, path));
  const auto& text = value.get_ref<const std::string&>();
  if (std::ranges::find(type.values, text) != type.values.end()) return {};
  return fail("Parameter '{}' does not accept value '{}'", last_name(path), text);
}

Result<> check_object(const Type& type, const Json& value, const std::string& path) {
  if (!value.is_object()) return wrong_type(path, "object");
  std::vector<Member> members = type.members;
  if (!type.tag.empty()) {
    // The tag first: the other members follow from it.
    TRY(check_members(members, value, path + ".", true));
    const auto& tag = value[type.tag].get_ref<const std::string&>();
    for (const auto& [name, variant] : type.variants)
      if (name == tag)
        for (const Member& member : find_qmp_type(variant)->members) members.push_back(member);
  }
  return check_members(members, value, path + ".");
}

Result<> check_value(std::string_view type, const Json& value, const std::string& path) {
  if (type.starts_with('[')) {
    if (!value.is_array()) return wrong_type(path, "array");
    const std::string_view element = type.substr(1, type.size() - 2);
    for (std::size_t i = 0; i < value.size(); ++i)
      TRY(check_value(element, value[i], fmt::format("{}[{}]", path, i)));
    return {};
  }
  if (const Builtin* builtin = find_builtin(type)) return check_builtin(*builtin, value, path);
  const Type* registered = find_qmp_type(type);
  RHEA_ASSERT(registered != nullptr);
  return registered->is_enum() ? check_enum(*registered, value, path)
                               : check_object(*registered, value, path);
}

}  // namespace

RegisterQmpType::RegisterQmpType(Type type) : type_(std::move(type)) { table().push_back(&type_); }

const Type* find_qmp_type(std::string_view name) {
  const auto it = std::ranges::find_if(table(), [&](const Type* t) { return t->name == name; });
  return it == table().end() ? nullptr : *it;
}

Result<> check_members(const std::vector<Member>& members, const Json& object,
                       const std::string& path, bool open) {
  for (const Member& member : members) {
    const auto it = object.find(member.name);
    if (it != object.end())
      TRY(check_value(member.type, *it, path + std::string(member.name)));
    else if (!member.optional)
      return fail("Parameter '{}{}' is missing", path, member.name);
  }
  if (open) return {};
  for (const auto& [key, value] : object.items())
    if (std::ranges::find(members, key, &Member::name) == members.end())
      return fail("Parameter '{}{}' is unexpected", path, key);
  return {};
}

std::string_view builtin_json_type(std::string_view name) {
  const Builtin* builtin = find_builtin(name);
  return builtin == nullptr ? std::string_view() : builtin->json_type;
}

}  // namespace rhea::qmp
