// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: the balloon.
#include "hw/virtio/memory_balloon.h"
#include "monitor/qmp/command.h"
#include "monitor/qmp/event.h"

namespace rhea::qmp {
namespace {

Result<hw::MemoryBalloon*> find_balloon(Context& context) {
  hw::MemoryBalloon* const found = context.machine.service<hw::BalloonPlace>().balloon;
  if (found == nullptr)
    return fail(ErrorClass::DeviceNotActive, "No balloon device has been activated");
  return found;
}

Result<Json> query_balloon(Context& context, const Json&) {
  return Json{{"actual", TRY(find_balloon(context))->guest_bytes()}};
}

Result<Json> set_balloon(Context& context, const Json& arguments) {
  hw::MemoryBalloon& balloon = *TRY(find_balloon(context));
  const Json& value = arguments["value"];
  if (!value.is_number_unsigned() || value.get<u64>() == 0)
    return fail("Parameter 'target' expects a size");
  balloon.set_target(value.get<u64>());
  return Json();
}

const RegisterQmpType type({.name = "BalloonInfo", .members = {{"actual", "int"}}});
const RegisterQmpEvent event({.name = "BALLOON_CHANGE", .data = {{"actual", "int"}}});
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "query-balloon", .returns = "BalloonInfo", .run = &query_balloon}),
    RegisterQmpCommand({.name = "balloon", .arguments = {{"value", "int"}}, .run = &set_balloon}),
};

}  // namespace
}  // namespace rhea::qmp
