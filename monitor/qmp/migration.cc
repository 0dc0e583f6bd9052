// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: what there is of migration: the wish to be told of it, which libvirt states before it starts
// any guest. Nothing migrates yet, which is what the answers say.
#include "monitor/qmp/command.h"

namespace rhea::qmp {
namespace {

struct MigrationWishes final : MachineService {
  explicit MigrationWishes(Machine&) {}
  bool events{false};  ///< MIGRATION for each change of state; there is none
};

Result<Json> nothing(Context&, const Json&) { return Json::object(); }

Result<Json> query_capabilities(Context& context, const Json&) {
  const bool events = context.machine.service<MigrationWishes>().events;
  return Json::array({{{"capability", "events"}, {"state", events}}});
}

Result<Json> set_capabilities(Context& context, const Json& arguments) {
  for (const Json& wanted : arguments["capabilities"])
    context.machine.service<MigrationWishes>().events = wanted["state"].get<bool>();
  return Json();
}

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "MigrationCapability", .values = {"events"}}),
    RegisterQmpType({.name = "MigrationCapabilityStatus",
                     .members = {{"capability", "MigrationCapability"}, {"state", "bool"}}}),
    RegisterQmpType({.name = "MigrationInfo", .members = {{"status", "str", true}}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "query-migrate", .returns = "MigrationInfo", .run = &nothing}),
    RegisterQmpCommand({.name = "query-migrate-capabilities",
                        .returns = "[MigrationCapabilityStatus]",
                        .run = &query_capabilities}),
    RegisterQmpCommand({.name = "migrate-set-capabilities",
                        .arguments = {{"capabilities", "[MigrationCapabilityStatus]"}},
                        .run = &set_capabilities}),
    RegisterQmpCommand({.name = "query-migrate-parameters", .returns = "any", .run = &nothing}),
};

}  // namespace
}  // namespace rhea::qmp
