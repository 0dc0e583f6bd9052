// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: the registers that a type of device declares, for tools and pages.
#include "monitor/qmp/command.h"
#include "rhea/qom/registry.h"

namespace rhea::qmp {
namespace {

Json field_json(const RegisterField& field) {
  Json json = {{"name", field.name}, {"mask", field.mask}};
  if (!field.values.empty())
    json["values"] = std::vector<std::string>(field.values.begin(), field.values.end());
  return json;
}

Json register_json(const RegisterInfo& row) {
  Json json = {{"name", row.name},
               {"offset", row.offset},
               {"width", row.is_range() ? row.stride : row.width},
               {"range", row.is_range()},
               {"reads", row.guest_reads},
               {"writes", row.guest_writes},
               {"count", row.count},
               {"stride", row.stride},
               {"reset", row.reset},
               {"writable", row.writable},
               {"write-1-clears", row.write_1_clears},
               {"read-clears", row.read_clears},
               {"fields", Json::array()}};
  if (!row.help.empty()) json["description"] = row.help;
  for (const RegisterField& field : row.fields) json["fields"].push_back(field_json(field));
  return json;
}

Result<Json> query_registers(Context&, const Json& arguments) {
  const auto& name = text_argument(arguments, "typename");
  const TypeInfo* type = find_type(name);
  if (type == nullptr) return fail(ErrorClass::DeviceNotFound, "Device '{}' not found", name);
  Json banks = Json::array();
  for (const TypeInfo* base : type->lineage())
    for (const DeclaredBank& bank : base->banks) {
      Json json = {{"name", bank.info->name},
                   {"size", bank.info->size},
                   {"min-access", bank.info->min_access},
                   {"max-access", bank.info->max_access},
                   {"registers", Json::array()}};
      for (const RegisterInfo& row : bank.info->rows)
        json["registers"].push_back(register_json(row));
      banks.push_back(std::move(json));
    }
  return banks;
}

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "DeviceRegisterField",
                     .members = {{"name", "str"}, {"mask", "uint64"}, {"values", "[str]", true}}}),
    RegisterQmpType({.name = "DeviceRegister",
                     .members = {{"name", "str"},
                                 {"description", "str", true},
                                 {"offset", "uint64"},
                                 {"width", "uint64"},
                                 {"range", "bool"},
                                 {"reads", "bool"},
                                 {"writes", "bool"},
                                 {"count", "uint32"},
                                 {"stride", "uint64"},
                                 {"reset", "uint64"},
                                 {"writable", "uint64"},
                                 {"write-1-clears", "uint64"},
                                 {"read-clears", "uint64"},
                                 {"fields", "[DeviceRegisterField]"}}}),
    RegisterQmpType({.name = "DeviceRegisterBank",
                     .members = {{"name", "str"},
                                 {"size", "uint64"},
                                 {"min-access", "uint32"},
                                 {"max-access", "uint32"},
                                 {"registers", "[DeviceRegister]"}}}),
};
const RegisterQmpCommand command({.name = "x-query-device-registers",
                                  .arguments = {{"typename", "str"}},
                                  .returns = "[DeviceRegisterBank]",
                                  .run = &query_registers});

}  // namespace
}  // namespace rhea::qmp
