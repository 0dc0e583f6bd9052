// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: what is set for a migration.
#include "monitor/hmp/command.h"
#include "monitor/qmp/migration_settings.h"
#include "rhea/qom/value.h"

#include <algorithm>
#include <charconv>

namespace rhea::hmp {
namespace {

using qmp::Json;
using qmp::MigrationParameter;

Result<Json> size_value(const MigrationParameter& row, const std::string& text) {
  const bool bandwidth = row.name == "max-bandwidth";  // in MiB a second
  const auto size = parse_size(text, bandwidth ? MiB : 1);
  if (size) return Json(*size);
  if (bandwidth) return fail("Invalid size {}", text);
  return fail(
      "Parameter '{}' expects a non-negative number below 2^64\n"
      "Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\n"
      "and exabytes, respectively.",
      row.name);
}

Result<Json> number_value(const MigrationParameter& row, const std::string& text) {
  i64 number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end || text.empty())
    return fail("Parameter '{}' expects uint64", row.name);
  return number < 0 ? Json(number) : Json(static_cast<u64>(number));
}

Result<Json> value_of(const MigrationParameter& row, const std::string& text) {
  if (row.type == "size" || row.type == "uint64") return size_value(row, text);
  if (row.type.starts_with("uint")) return number_value(row, text);
  if (row.type != "bool") return Json(text);
  if (text != "on" && text != "off") return fail("Parameter '{}' expects 'on' or 'off'", row.name);
  return Json(text == "on");
}

Result<> set_parameter(Context& context, Arguments& arguments) {
  const std::string name = TRY(arguments.text());
  const std::string text = TRY(arguments.text());
  TRY(arguments.end());
  const auto table = qmp::migration_parameters();
  const auto row = std::ranges::find(table, name, &MigrationParameter::name);
  if (row == table.end()) return fail("invalid parameter value: {}", name);
  const Json wanted = {{name, TRY(value_of(*row, text))}};
  TRY(qmp::check_members(qmp::migration_parameter_members(), wanted, ""));
  TRY(context.call("migrate-set-parameters", wanted));
  return {};
}

Result<> set_capability(Context& context, Arguments& arguments) {
  const std::string name = TRY(arguments.text());
  const std::string state = TRY(arguments.optional_text()).value_or("");
  if (state != "on" && state != "off") return arguments.wrong("Expected 'on' or 'off'");
  TRY(arguments.end());
  if (std::ranges::find(qmp::migration_capabilities(), name) == qmp::migration_capabilities().end())
    return fail("invalid parameter value: {}", name);
  Json wanted = Json::object();
  wanted["capabilities"].push_back({{"capability", name}, {"state", state == "on"}});
  TRY(context.call("migrate-set-capabilities", wanted));
  return {};
}

Result<> cancel(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  TRY(context.call("migrate_cancel"));
  return {};
}

std::string shown(const MigrationParameter& row, const Json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "on" : "off";
  if (value.is_number()) return fmt::format("{}{}", value.get<u64>(), row.unit);
  const auto& text = value.get_ref<const std::string&>();
  return row.type == "any" ? fmt::format("'{}'", text) : text;
}

Result<> parameters(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const Json values = TRY(context.call("query-migrate-parameters"));
  for (const MigrationParameter& row : qmp::migration_parameters())
    if (row.shown) context.print("{}: {}\n", row.name, shown(row, values[std::string(row.name)]));
  return {};
}

Result<> capabilities(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  for (const Json& entry : TRY(context.call("query-migrate-capabilities")))
    context.print("{}: {}\n", entry["capability"].get<std::string>(),
                  entry["state"].get<bool>() ? "on" : "off");
  return {};
}

const RegisterHmpCommand commands[] = {
    RegisterHmpCommand({"migrate_set_parameter", "parameter value", "set a parameter of migration",
                        &set_parameter}),
    RegisterHmpCommand({"migrate_set_capability", "capability state",
                        "enable or disable a capability of migration", &set_capability}),
    RegisterHmpCommand({"migrate_cancel", "", "cancel the current migration", &cancel}),
};
const RegisterInfo infos[] = {
    RegisterInfo({"migrate_parameters", "", "show current migration parameters", &parameters}),
    RegisterInfo(
        {"migrate_capabilities", "", "show current migration capabilities", &capabilities}),
};

}  // namespace
}  // namespace rhea::hmp
