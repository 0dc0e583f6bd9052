// SPDX-License-Identifier: GPL-2.0-or-later
// -device-plugin.
#include "qom/plugin.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/option.h"
#include "softmmu/plugin_trial.h"

namespace rhea {
namespace {

Result<> add_plugin(Machine&, const std::string& name) {
  const std::string path = find_plugin(name);
  if (is_plugin_trial()) run_plugin_trial(path);
  auto result = try_plugin(path);
  if (result) result = load_extension(path);
  if (result) return {};
  // They name the file themselves.
  const std::string& why = result.error().message();
  return fail("-device-plugin{}{}", why.starts_with(path) ? " " : ": ", why);
}

const RegisterOption option{
    {.name = "device-plugin",
     .argument = "file",
     .help =
         "device types from a shared object (docs/devices.md); a name without a slash is looked\n"
         "for in $RHEA_DEVICE_PLUGIN_PATH, too",
     .phase = StartPhase::Early,
     .apply = &add_plugin}};

}  // namespace
}  // namespace rhea
