// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: a plug-in's device is exchanged for one of its new build. Rhea's own, hence the x-.
#include "softmmu/device_reload.h"

#include "monitor/long_work.h"
#include "monitor/object_path.h"
#include "monitor/qmp/command.h"
#include "rhea/qom/registry.h"
#include "softmmu/plugin_trial.h"

namespace rhea::qmp {
namespace {

// The device may have gone while its plug-in was tried.
Result<Json> finish_reload(Machine& machine, const std::string& name, const Result<Json>& trial) {
  if (!trial) return trial;
  Device& device = *TRY(monitor::find_peripheral(machine, name));
  TRY(reload_device(machine, device));
  return Json();
}

Result<Json> device_reload(Context& context, const Json& arguments) {
  const std::string name = text_argument(arguments, "id");
  Machine& machine = context.machine;
  Device& device = *TRY(monitor::find_peripheral(machine, name));
  TRY(check_reloadable(device));
  const auto work = [path = device.type().origin](const std::stop_token& stop) -> Result<Json> {
    TRY(try_plugin(path, stop));
    return Json();
  };
  const auto trial = TRY(machine.service<monitor::LongWork>().start(device.type().origin, work));
  context.later = std::make_shared<Later>();
  trial->on_finish([&machine, name, later = context.later](const Result<Json>& result) {
    later->finish(finish_reload(machine, name, result));
  });
  return Json();
}

const RegisterQmpCommand command{
    {.name = "x-device-reload", .arguments = {{"id", "str"}}, .run = &device_reload}};

}  // namespace
}  // namespace rhea::qmp
