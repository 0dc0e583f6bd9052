// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: what there is of migration: what is set for one, which libvirt does before it starts any
// guest, and that none was begun.
#include "monitor/qmp/command.h"
#include "monitor/qmp/migration_settings.h"

namespace rhea::qmp {
namespace {

MigrationSettings& settings(Context& context) {
  return context.machine.service<MigrationSettings>();
}

// No member: none was ever begun.
Result<Json> query(Context&, const Json&) { return Json::object(); }

// There is nothing to cancel, which QEMU takes for no error.
Result<Json> cancel(Context&, const Json&) { return Json(); }

Result<Json> query_capabilities(Context& context, const Json&) {
  Json list = Json::array();
  for (const std::string_view name : migration_capabilities())
    list.push_back(
        {{"capability", name}, {"state", settings(context).capabilities()[std::string(name)]}});
  return list;
}

Result<Json> set_capabilities(Context& context, const Json& arguments) {
  TRY(settings(context).set_capabilities(arguments["capabilities"]));
  return Json();
}

Result<Json> query_parameters(Context& context, const Json&) {
  return settings(context).parameters();
}

Result<Json> set_parameters(Context& context, const Json& arguments) {
  TRY(settings(context).set_parameters(arguments));
  return Json();
}

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "MigrationCapability",
                     .values = {migration_capabilities().begin(), migration_capabilities().end()}}),
    RegisterQmpType({.name = "MigrationCapabilityStatus",
                     .members = {{"capability", "MigrationCapability"}, {"state", "bool"}}}),
    RegisterQmpType({.name = "MultiFDCompression", .values = {"none", "zlib", "zstd"}}),
    RegisterQmpType({.name = "MigrationParameters", .members = migration_parameter_members()}),
    RegisterQmpType({.name = "MigrationInfo", .members = {{"status", "str", true}}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "query-migrate", .returns = "MigrationInfo", .run = &query}),
    RegisterQmpCommand({.name = "migrate_cancel", .run = &cancel}),
    RegisterQmpCommand({.name = "query-migrate-capabilities",
                        .returns = "[MigrationCapabilityStatus]",
                        .run = &query_capabilities}),
    RegisterQmpCommand({.name = "migrate-set-capabilities",
                        .arguments = {{"capabilities", "[MigrationCapabilityStatus]"}},
                        .run = &set_capabilities}),
    RegisterQmpCommand({.name = "query-migrate-parameters",
                        .returns = "MigrationParameters",
                        .run = &query_parameters}),
    RegisterQmpCommand({.name = "migrate-set-parameters",
                        .arguments = migration_parameter_members(),
                        .run = &set_parameters}),
};

}  // namespace
}  // namespace rhea::qmp
