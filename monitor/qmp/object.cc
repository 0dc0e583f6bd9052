// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: objects that users make and take away.
#include "monitor/qmp/command.h"
#include "softmmu/user_objects.h"

namespace rhea::qmp {
namespace {

Result<Json> object_add(Context& context, const Json& arguments) {
  std::vector<std::pair<std::string, Value>> properties;
  for (const auto& [key, value] : arguments.items()) {
    if (key == "qom-type" || key == "id") continue;
    auto scalar = to_value(value);
    if (!scalar)
      return std::unexpected(std::move(scalar).error().within(fmt::format("Parameter '{}'", key)));
    properties.emplace_back(key, *scalar);
  }
  TRY(add_user_object(context.machine, text_argument(arguments, "qom-type"), properties,
                      text_argument(arguments, "id")));
  return Json();
}

Result<Json> object_del(Context& context, const Json& arguments) {
  TRY(remove_user_object(context.machine, text_argument(arguments, "id")));
  return Json();
}

const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "object-add",
                        .arguments = {{"qom-type", "str"}, {"id", "str"}},
                        .open = true,
                        .run = &object_add}),
    RegisterQmpCommand({.name = "object-del", .arguments = {{"id", "str"}}, .run = &object_del}),
};

}  // namespace
}  // namespace rhea::qmp
