// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: the machine's generation.
#include "hw/acpi/vm_generation.h"
#include "monitor/qmp/command.h"

namespace rhea::qmp {
namespace {

Result<Json> query_generation(Context& context, const Json&) {
  const hw::VmGeneration* const device = hw::VmGeneration::of(context.machine);
  if (device == nullptr) return fail("VM Generation ID device not found");
  return Json{{"guid", device->text()}};
}

const RegisterQmpType type({.name = "GuidInfo", .members = {{"guid", "str"}}});
const RegisterQmpCommand command({.name = "query-vm-generation-id",
                                  .returns = "GuidInfo",
                                  .run = &query_generation});

}  // namespace
}  // namespace rhea::qmp
