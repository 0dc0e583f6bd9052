// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: what there is of migration: nothing yet, which is what the answers say.
#include "monitor/qmp/command.h"

namespace rhea::qmp {
namespace {

Result<Json> none(Context&, const Json&) { return Json::array(); }
Result<Json> nothing(Context&, const Json&) { return Json::object(); }

// There is none to set: the first one named is refused as a word that the list does not have.
Result<Json> set_capabilities(Context&, const Json& arguments) {
  const Json& wanted = arguments["capabilities"];
  if (wanted.empty()) return Json();
  return fail("Parameter 'capability' does not accept value '{}'",
              text_argument(wanted[0], "capability"));
}

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "MigrationCapabilityStatus",
                     .members = {{"capability", "str"}, {"state", "bool"}}}),
    RegisterQmpType({.name = "MigrationInfo", .members = {{"status", "str", true}}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "query-migrate", .returns = "MigrationInfo", .run = &nothing}),
    RegisterQmpCommand({.name = "query-migrate-capabilities",
                        .returns = "[MigrationCapabilityStatus]",
                        .run = &none}),
    RegisterQmpCommand({.name = "migrate-set-capabilities",
                        .arguments = {{"capabilities", "[MigrationCapabilityStatus]"}},
                        .run = &set_capabilities}),
    RegisterQmpCommand({.name = "query-migrate-parameters", .returns = "any", .run = &nothing}),
};

}  // namespace
}  // namespace rhea::qmp
