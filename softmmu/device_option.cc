// SPDX-License-Identifier: GPL-2.0-or-later
// -device, and the lists that -device help prints from what the classes say of themselves.
#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/json_keyval.h"
#include "rhea/util/keyval.h"
#include "rhea/util/known_names.h"
#include "rhea/util/option.h"
#include "softmmu/default_devices.h"
#include "softmmu/device_alias.h"

#include <fmt/core.h>

namespace rhea {
namespace {

void print_devices() {
  for (const TypeInfo* type : all_types()) {
    if (type->is_abstract || !type->user_creatable || !type->is_a(Device::kName)) continue;
    fmt::print("name \"{}\"", type->name);
    if (!type->bus.empty()) fmt::print(", bus {}", type->bus);
    if (const auto alias = device_alias(type->name); !alias.empty())
      fmt::print(", alias \"{}\"", alias);
    if (!type->help.empty()) fmt::print(", desc \"{}\"", type->help);
    if (!type->origin.empty()) fmt::print(", from {}", type->origin);
    fmt::print("\n");
  }
}

std::string range_text(const Property& p) {
  const bool from = p.range.min != std::numeric_limits<i64>::min();
  const bool to = p.range.max != std::numeric_limits<u64>::max();
  if (!from && !to) return {};
  return fmt::format(" ({}..{})", from ? std::to_string(p.range.min) : "",
                     to ? std::to_string(p.range.max) : "");
}

Result<> print_properties(std::string_view name) {
  const TypeInfo* type = find_type(device_type_name(name));
  if (type == nullptr || !type->is_a(Device::kName))
    return fail("-device {},help: {}", name,
                with_remark(fmt::format("'{}' is not a valid device model name", name),
                            about_unknown(NameKind::Device, name, {})));
  fmt::print("{} options{}:\n", name,
             type->origin.empty() ? "" : fmt::format(" (from {})", type->origin));
  for (const TypeInfo* t : type->lineage())
    for (const Property& p : t->properties) {
      fmt::print("  {}=<{}>", p.name, p.type);
      if (!p.enum_values.empty()) {
        fmt::print(" [");
        for (std::size_t i = 0; i < p.enum_values.size(); ++i)
          fmt::print("{}{}", i == 0 ? "" : "|", p.enum_values[i]);
        fmt::print("]");
      }
      fmt::print("{}", range_text(p));
      if (!p.help.empty()) fmt::print(" - {}", p.help);
      if (p.default_value.index() != 0 && !to_text(p.default_value).empty())
        fmt::print(" (default: {})", to_text(p.default_value));
      fmt::print("\n");
    }
  for (const TypeInfo* t : type->lineage())
    for (const StateField& field : t->state.fields) fmt::print("  state {}\n", field.name);
  return {};
}

Result<> device(Machine& machine, const std::string& text) {
  if (text == "help" || text == "?") {
    print_devices();
    throw ExitRequest{};
  }
  KeyValues options = TRY(parse_json_or_keyval(text, "driver", Words::Flags));
  const auto driver = options.take("driver");
  if (!driver || driver->empty()) return fail("-device {}: parameter 'driver' is missing", text);
  if (options.find("help") != nullptr || options.find("?") != nullptr) {
    TRY(print_properties(*driver));
    throw ExitRequest{};
  }
  const std::string id = options.take("id").value_or("");
  const std::string bus = options.take("bus").value_or("");
  std::vector<std::pair<std::string, Value>> properties;
  for (const auto& [key, value] : options.all()) properties.emplace_back(key, value);
  auto result = machine.plug(*driver, properties, id, bus);
  if (!result) return std::unexpected(std::move(result).error().within("-device " + text));
  return {};
}

void foresee_device(Machine& machine, const std::string& text) {
  auto options = parse_json_or_keyval(text, "driver", Words::QuietFlags);
  if (!options) return;
  if (const std::string* driver = options->find("driver"))
    machine.service<DefaultDevices>().user_named(*driver);
}

const RegisterOption option{{.name = "device",
                             .argument = "driver[,prop=value...]",
                             .help = "add a device (help lists them; driver,help its properties)",
                             .phase = StartPhase::Devices,
                             .apply = &device,
                             .foresee = &foresee_device}};

}  // namespace
}  // namespace rhea
