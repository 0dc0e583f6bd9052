// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: the object tree and the types.
#include "monitor/object_path.h"
#include "monitor/qmp/command.h"
#include "rhea/qom/registry.h"

#include <set>

namespace rhea::qmp {
namespace {

Json property_info(const Property& property, bool with_default) {
  Json info = {{"name", property.name}, {"type", property.type}};
  if (!property.help.empty()) info["description"] = property.help;
  const bool plain = !property.type.starts_with("link<");
  if (with_default && plain && property.default_value.index() != 0)
    info["default-value"] = to_json(property.default_value);
  return info;
}

/// A list of texts is kept as one, with commas between them; a structure as the JSON it is.
Json property_json(const Value& value, const Property* property) {
  if (property != nullptr && property->type == "guest statistics")
    return Json::parse(std::get<std::string>(value));
  if (property == nullptr || property->type != "strList") return to_json(value);
  Json list = Json::array();
  std::string_view rest = std::get<std::string>(value);
  while (!rest.empty()) {
    const auto end = std::min(rest.find(','), rest.size());
    list.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return list;
}

/// libvirtd 9.0 dies of an error when it asks for one of these that the program does not have.
bool must_be_answered(std::string_view type) {
  return type.starts_with("memory-backend-") || type.ends_with("-machine") ||
         type.ends_with("-cpu");
}

Json properties_of(const TypeInfo& type, bool with_default) {
  Json list = Json::array();
  for (const TypeInfo* base : type.lineage())
    for (const Property& property : base->properties)
      list.push_back(property_info(property, with_default));
  return list;
}

/// What qom-get can read of a device besides its properties.
void add_registers_and_state(Json& list, const Object& object) {
  std::set<std::string> names;
  for (const Json& entry : list) names.insert(entry["name"].get<std::string>());
  const auto add = [&](std::string name, std::string_view type, std::string_view help) {
    if (!names.insert(name).second) return;
    Json info = {{"name", std::move(name)}, {"type", type}};
    if (!help.empty()) info["description"] = help;
    list.push_back(std::move(info));
  };
  for (const TypeInfo* type : object.type().lineage()) {
    for (const DeclaredBank& bank : type->banks)
      for (const RegisterInfo& row : bank.info->rows)
        for (unsigned index = 0; !row.is_range() && index < row.count; ++index)
          if (peek_register(object, {.bank = bank.info, .row = &row, .index = index}))
            add(register_name(row, index), "register", row.help);
    for (const StateField& field : type->state.fields)
      if (field.show) add(field.name, "state", {});
  }
}

Result<Json> qom_list(Context& context, const Json& arguments) {
  const Object& object =
      *TRY(monitor::find_object(context.machine, text_argument(arguments, "path")));
  Json list = properties_of(object.type(), false);
  list.insert(list.begin(), Json{{"name", "type"}, {"type", "string"}});
  for (const auto& child : object.children())
    list.push_back(
        {{"name", child->name()}, {"type", fmt::format("child<{}>", child->type().name)}});
  add_registers_and_state(list, object);
  return list;
}

Result<Json> qom_get(Context& context, const Json& arguments) {
  const Object& object =
      *TRY(monitor::find_object(context.machine, text_argument(arguments, "path")));
  const auto& property = text_argument(arguments, "property");
  if (property == "type") return object.type().name;
  if (const Object* child = object.child(property)) return child->path();
  const Value value = TRY(object.get(property));
  return property_json(value, object.type().find_property(property));
}

Result<Json> qom_set(Context& context, const Json& arguments) {
  Object& object = *TRY(monitor::find_object(context.machine, text_argument(arguments, "path")));
  const Value value = TRY(to_value(arguments["value"]));
  TRY(object.set(text_argument(arguments, "property"), value));
  return Json();
}

Result<Json> qom_list_types(Context&, const Json& arguments) {
  const std::string wanted = argument<std::string>(arguments, "implements", "");
  const bool abstract = argument(arguments, "abstract", false);
  Json list = Json::array();
  for (const TypeInfo* type : all_types()) {
    if (!wanted.empty() && !type->is_a(wanted)) continue;
    if (type->is_abstract && !abstract) continue;
    Json info = {{"name", type->name}};
    if (type->parent != nullptr) info["parent"] = type->parent->name;
    if (type->is_abstract) info["abstract"] = true;
    list.push_back(info);
  }
  return list;
}

Result<Json> qom_list_properties(Context&, const Json& arguments) {
  const auto& name = text_argument(arguments, "typename");
  const TypeInfo* type = find_type(name);
  if (type == nullptr && must_be_answered(name)) return Json::array();
  if (type == nullptr) return fail(ErrorClass::DeviceNotFound, "Class '{}' not found", name);
  Json list = properties_of(*type, false);
  list.insert(list.begin(), Json{{"name", "type"}, {"type", "string"}});
  return list;
}

Result<Json> device_list_properties(Context&, const Json& arguments) {
  const auto& name = text_argument(arguments, "typename");
  const TypeInfo* type = find_type(name);
  if (type == nullptr) return fail(ErrorClass::DeviceNotFound, "Device '{}' not found", name);
  if (type->is_abstract || !type->is_a(Device::kName))
    return fail("Parameter 'typename' expects a non-abstract device type");
  return properties_of(*type, true);
}

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "ObjectPropertyInfo",
                     .members = {{"name", "str"},
                                 {"type", "str"},
                                 {"description", "str", true},
                                 {"default-value", "any", true}}}),
    RegisterQmpType(
        {.name = "ObjectTypeInfo",
         .members = {{"name", "str"}, {"abstract", "bool", true}, {"parent", "str", true}}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "qom-list",
                        .arguments = {{"path", "str"}},
                        .returns = "[ObjectPropertyInfo]",
                        .run = &qom_list}),
    RegisterQmpCommand({.name = "qom-get",
                        .arguments = {{"path", "str"}, {"property", "str"}},
                        .returns = "any",
                        .run = &qom_get}),
    RegisterQmpCommand({.name = "qom-set",
                        .arguments = {{"path", "str"}, {"property", "str"}, {"value", "any"}},
                        .run = &qom_set}),
    RegisterQmpCommand({.name = "qom-list-types",
                        .arguments = {{"implements", "str", true}, {"abstract", "bool", true}},
                        .returns = "[ObjectTypeInfo]",
                        .run = &qom_list_types}),
    RegisterQmpCommand({.name = "qom-list-properties",
                        .arguments = {{"typename", "str"}},
                        .returns = "[ObjectPropertyInfo]",
                        .run = &qom_list_properties}),
    RegisterQmpCommand({.name = "device-list-properties",
                        .arguments = {{"typename", "str"}},
                        .returns = "[ObjectPropertyInfo]",
                        .run = &device_list_properties}),
};

}  // namespace
}  // namespace rhea::qmp
