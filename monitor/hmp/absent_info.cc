// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: info about what this program does not have, as QEMU answers where it does not have it
// either.
#include "accel/accelerator.h"
#include "monitor/hmp/command.h"

namespace rhea::hmp {
namespace {

using qmp::Json;

Result<> usb(Context&, Arguments& arguments) {
  TRY(arguments.end());
  return fail("USB support not enabled");
}

Result<> snapshots(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  context.print("no block device can store vmstate for snapshot\n");
  return {};
}

Result<> migrate(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const Json answer = TRY(context.call("query-migrate"));
  context.print("Migration status: {}\n", answer.value("status", "none"));
  return {};
}

Result<> jit(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  const auto& accel = context.machine.service<accel::AccelService>();
  if (!accel.has_vm() || accel.accelerator().short_name() != "tcg")
    return fail("JIT information is only available with accel=tcg");
  context.out += accel.vm().describe();
  return {};
}

const RegisterInfo infos[] = {
    RegisterInfo({"usb", "", "show guest USB devices", &usb}),
    RegisterInfo({"snapshots", "", "show the currently saved VM snapshots", &snapshots}),
    RegisterInfo({"migrate", "", "show migration status", &migrate}),
    RegisterInfo({"jit", "", "show dynamic compiler info", &jit}),
};

}  // namespace
}  // namespace rhea::hmp
