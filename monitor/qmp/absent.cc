// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: lists of what this program does not have. They are empty, which management tools take as
// "none".
#include "monitor/qmp/command.h"

namespace rhea::qmp {
namespace {

Result<Json> none(Context&, const Json&) { return Json::array(); }

const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "query-tpm-models", .returns = "[any]", .run = &none}),
    RegisterQmpCommand({.name = "query-tpm-types", .returns = "[any]", .run = &none}),
    RegisterQmpCommand({.name = "query-tpm", .returns = "[any]", .run = &none}),
    RegisterQmpCommand({.name = "query-migrate-capabilities", .returns = "[any]", .run = &none}),
    RegisterQmpCommand({.name = "query-hotpluggable-cpus", .returns = "[any]", .run = &none}),
    RegisterQmpCommand({.name = "query-memory-devices", .returns = "[any]", .run = &none}),
    RegisterQmpCommand({.name = "query-jobs", .returns = "[any]", .run = &none}),
    RegisterQmpCommand({.name = "query-block-jobs", .returns = "[any]", .run = &none}),
};

}  // namespace
}  // namespace rhea::qmp
