// SPDX-License-Identifier: GPL-2.0-or-later
#include "softmmu/user_objects.h"

#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/json_keyval.h"
#include "rhea/util/keyval.h"
#include "rhea/util/known_names.h"
#include "rhea/util/option.h"

#include <fmt/core.h>

namespace rhea {
namespace {

std::vector<std::string_view> type_names() {
  std::vector<std::string_view> names;
  for (const TypeInfo* type : all_types())
    if (!type->is_abstract && type->is_a(UserObject::kName)) names.push_back(type->name);
  return names;
}

void print_types() {
  fmt::print("List of user creatable objects:\n");
  for (const std::string_view name : type_names()) fmt::print("  {}\n", name);
}

Result<const TypeInfo*> find_object_type(std::string_view name) {
  const TypeInfo* type = find_type(name);
  if (type != nullptr && !type->is_abstract && type->is_a(UserObject::kName)) return type;
  return fail("{}", with_remark(fmt::format("invalid object type: {}", name),
                                about_unknown(NameKind::Object, name, type_names())));
}

Result<> print_properties(std::string_view name) {
  const TypeInfo* type = TRY(find_object_type(name));
  fmt::print("{} options:\n", name);
  for (const TypeInfo* t : type->lineage())
    for (const Property& p : t->properties)
      fmt::print("  {}=<{}>{}{}\n", p.name, p.type, p.help.empty() ? "" : " - ", p.help);
  return {};
}

Result<> object_option(Machine& machine, const std::string& text) {
  if (text == "help" || text == "?") {
    print_types();
    throw ExitRequest{};
  }
  KeyValues options = TRY(parse_json_or_keyval(text, "qom-type", Words::Flags));
  const auto type = options.take("qom-type");
  if (!type || type->empty()) return fail("Parameter 'qom-type' is missing");
  if (options.find("help") != nullptr || options.find("?") != nullptr) {
    TRY(print_properties(*type));
    throw ExitRequest{};
  }
  const auto id = options.take("id");
  if (!id) return fail("Parameter 'id' is missing");
  std::vector<std::pair<std::string, Value>> properties;
  for (const auto& [key, value] : options.all()) properties.emplace_back(key, value);
  TRY(add_user_object(machine, *type, properties, *id));
  return {};
}

const RegisterAbstractType<UserObject, Object> registration;
const RegisterOption option{{.name = "object",
                             .argument = "type,id=id[,prop=value...]",
                             .help = "make an object (help lists the types; type,help its "
                                     "properties); JSON works, too",
                             .phase = StartPhase::Config,
                             .apply = &object_option}};

}  // namespace

Result<UserObject*> add_user_object(Machine& machine, std::string_view type,
                                    const std::vector<std::pair<std::string, Value>>& properties,
                                    const std::string& id) {
  TRY(find_object_type(type));
  if (!is_identifier(id)) return fail("Parameter 'id' expects an identifier");
  Object& place = machine.container(UserObject::kLinkRoot);
  if (place.child(id) != nullptr)
    return fail("attempt to add duplicate property '{}' to object (type 'container')", id);
  auto made = TRY(machine.make(type));
  auto& object = static_cast<UserObject&>(place.add_child(id, std::move(made)));
  Result<> result;
  for (const auto& [key, value] : properties)
    if (result) result = object.set(key, value);
  if (result) result = object.finish();
  if (result) return &object;
  place.remove_child(object);
  return std::unexpected(std::move(result).error());
}

Result<> remove_user_object(Machine& machine, std::string_view id) {
  Object& place = machine.container(UserObject::kLinkRoot);
  auto* object = dynamic_cast<UserObject*>(place.child(id));
  if (object == nullptr) return fail("object '{}' not found", id);
  if (!object->can_be_deleted()) return fail("object '{}' is in use, can not be deleted", id);
  place.remove_child(*object);
  return {};
}

}  // namespace rhea
