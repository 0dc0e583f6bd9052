// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: the processor models that -cpu names, and what each comes to on the accelerator at hand.
#include "accel/cpu_device.h"
#include "accel/model_fit.h"
#include "monitor/qmp/command.h"

#include <algorithm>

namespace rhea::qmp {
namespace {

using x86::ModelFit;

Result<ModelFit> fit(const Context& context, const x86::CpuRequest& request) {
  return context.machine.service<accel::ModelFitting>().fit(request);
}

Json tool_names(const x86::CpuidBitSet& bits) {
  Json names = Json::array();
  const auto rows = x86::cpuid_bits();
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (bits[i]) names.push_back(x86::tool_name(rows[i]));
  return names;
}

// What a model is without the accelerator may change from one release or host to the next.
bool is_migration_safe(std::string_view name) { return name != "host" && name != "max"; }

Result<Json> definition(const Context& context, const x86::ModelName& model) {
  const std::string name(model.name);
  const x86::CpuRequest request = TRY(x86::parse_cpu(name));
  const ModelFit made = TRY(fit(context, request));
  Json info = {{"name", name},
               {"typename", name + std::string(accel::kCpuTypeSuffix)},
               {"unavailable-features", tool_names(made.absent)},
               {"static", request.kind == x86::ModelKind::Base},
               {"migration-safe", is_migration_safe(name)},
               {"deprecated", false}};
  if (!model.same_as.empty()) info["alias-of"] = model.same_as;
  return info;
}

Result<Json> query_cpu_definitions(Context& context, const Json&) {
  Json list = Json::array();
  for (const x86::ModelName& model : x86::model_names())
    list.push_back(TRY(definition(context, model)));
  return list;
}

/// What -cpu takes behind the model's name, from a property and its JSON value.
Result<std::string> option_text(const std::string& model, const std::string& key,
                                const Json& value) {
  const bool is_feature = x86::find_cpuid_bit(key).has_value();
  if (is_feature && !value.is_boolean())
    return fail("Invalid parameter type for '{}', expected: boolean", key);
  if (value.is_boolean()) return fmt::format(",{}={}", key, value.get<bool>() ? "on" : "off");
  if (value.is_number_integer()) return fmt::format(",{}={}", key, value.dump());
  if (!value.is_string())
    return fail("Invalid parameter type for '{}{}.{}'", model, accel::kCpuTypeSuffix, key);
  std::string text;
  for (const char c : value.get_ref<const std::string&>()) text.append(c == ',' ? 2 : 1, c);
  return fmt::format(",{}={}", key, text);
}

Result<x86::CpuRequest> request_of(const Json& model) {
  const auto& name = text_argument(model, "name");
  const auto known = x86::model_names();
  if (std::ranges::find(known, name, &x86::ModelName::name) == known.end())
    return fail("CPU model '{}' not found", name);
  std::string text = name;
  if (const auto props = model.find("props"); props != model.end()) {
    if (!props->is_object())
      return fail("Invalid parameter type for 'model.props', expected: dict");
    for (const auto& [key, value] : props->items()) text += TRY(option_text(name, key, value));
  }
  auto request = x86::parse_cpu(text);
  if (!request)
    return std::unexpected(
        std::move(request).error().within(fmt::format("Property of '{}-x86_64-cpu'", name)));
  return request;
}

Json expanded_properties(const ModelFit& made) {
  Json props = {{"vendor", made.vendor},     {"family", made.family},  {"model", made.model},
                {"stepping", made.stepping}, {"model-id", made.brand}, {"min-level", made.level},
                {"min-xlevel", made.xlevel}};
  const auto rows = x86::cpuid_bits();
  for (std::size_t i = 0; i < rows.size(); ++i)
    props[std::string(x86::tool_name(rows[i]))] = bool{made.features[i]};
  return props;
}

// "static": as the bare model and everything that is to be added; "full": with every property.
Result<Json> query_cpu_model_expansion(Context& context, const Json& arguments) {
  const Json& model = arguments["model"];
  const x86::CpuRequest request = TRY(request_of(model));
  const ModelFit made = TRY(fit(context, request));
  Json props = expanded_properties(made);
  const bool whole = text_argument(arguments, "type") == "full";
  if (whole) {
    props["level"] = made.level;
    props["xlevel"] = made.xlevel;
    if (request.whole()) props["migratable"] = request.migratable;
  }
  return Json{{"model", {{"name", whole ? model["name"] : Json("base")}, {"props", props}}}};
}

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "CpuDefinitionInfo",
                     .members = {{"name", "str"},
                                 {"migration-safe", "bool", true},
                                 {"static", "bool"},
                                 {"unavailable-features", "[str]", true},
                                 {"typename", "str"},
                                 {"alias-of", "str", true},
                                 {"deprecated", "bool"}}}),
    RegisterQmpType({.name = "CpuModelExpansionType", .values = {"static", "full"}}),
    RegisterQmpType({.name = "CpuModelInfo", .members = {{"name", "str"}, {"props", "any", true}}}),
    RegisterQmpType({.name = "CpuModelExpansionInfo", .members = {{"model", "CpuModelInfo"}}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "query-cpu-definitions",
                        .returns = "[CpuDefinitionInfo]",
                        .run = &query_cpu_definitions}),
    RegisterQmpCommand({.name = "query-cpu-model-expansion",
                        .arguments = {{"type", "CpuModelExpansionType"}, {"model", "CpuModelInfo"}},
                        .returns = "CpuModelExpansionInfo",
                        .run = &query_cpu_model_expansion}),
};

}  // namespace
}  // namespace rhea::qmp
