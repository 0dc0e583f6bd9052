// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: running, stopping, resetting, ending.
#include "monitor/hmp/command.h"
#include "softmmu/boot_options.h"

namespace rhea::hmp {
namespace {

// Commands without arguments that are QMP's, under their HMP names.
template <const char* const* Name>
Result<> call_qmp(Context& context, Arguments& arguments) {
  TRY(arguments.end());
  TRY(context.call(*Name));
  return {};
}

Result<> boot_set(Context& context, Arguments& arguments) {
  const std::string order = TRY(arguments.text("bootdevice"));
  TRY(arguments.end());
  const auto& boot = context.machine.service<BootOptions>();
  if (!boot.set_order)
    return fail("no function defined to set boot device list for this architecture");
  TRY(boot.set_order(order));
  context.print("boot device list now set to {}\n", order);
  return {};
}

constexpr const char* kQuit = "quit";
constexpr const char* kStop = "stop";
constexpr const char* kCont = "cont";
constexpr const char* kReset = "system_reset";
constexpr const char* kPowerdown = "system_powerdown";
constexpr const char* kWakeup = "system_wakeup";
constexpr const char* kNmi = "inject-nmi";

const RegisterHmpCommand commands[] = {
    RegisterHmpCommand({"quit|q", "", "quit the emulator", &call_qmp<&kQuit>}),
    RegisterHmpCommand({"stop|s", "", "stop emulation", &call_qmp<&kStop>}),
    RegisterHmpCommand({"cont|c", "", "resume emulation", &call_qmp<&kCont>}),
    RegisterHmpCommand({"system_reset", "", "reset the system", &call_qmp<&kReset>}),
    RegisterHmpCommand(
        {"system_powerdown", "", "send system power down event", &call_qmp<&kPowerdown>}),
    RegisterHmpCommand({"system_wakeup", "", "wakeup guest from suspend", &call_qmp<&kWakeup>}),
    RegisterHmpCommand(
        {"boot_set", "bootdevice", "define new values for the boot device list", &boot_set}),
    RegisterHmpCommand({"nmi", "", "inject an NMI", &call_qmp<&kNmi>}),
};

}  // namespace
}  // namespace rhea::hmp
