// SPDX-License-Identifier: GPL-2.0-or-later
// The options that make monitors.
#include "chardev/backend.h"
#include "monitor/monitors.h"
#include "rhea/util/option.h"
#include "softmmu/default_devices.h"

namespace rhea {
namespace {

// A monitor on a chardev of its own, from the short form that -serial takes, too.
Result<> add_compatible(Machine& machine, const std::string& text, MonitorMode mode) {
  machine.service<DefaultDevices>().monitor = false;
  if (text == "none") return {};
  if (text.starts_with("chardev:")) {
    machine.service<Monitors>().request(text.substr(8), mode);
    return {};
  }
  std::string id = "compat_monitor0";
  for (unsigned n = 1; find_chardev(machine, id) != nullptr; ++n)
    id = fmt::format("compat_monitor{}", n);
  chardev::announce(*TRY(create_chardev_legacy(machine, id, text)));
  machine.service<Monitors>().request(id, mode);
  return {};
}

Result<> add_human(Machine& machine, const std::string& text) {
  return add_compatible(machine, text, MonitorMode::Human);
}
Result<> add_qmp(Machine& machine, const std::string& text) {
  return add_compatible(machine, text, MonitorMode::Qmp);
}
Result<> add_qmp_pretty(Machine& machine, const std::string& text) {
  return add_compatible(machine, text, MonitorMode::QmpPretty);
}

Result<> add_mon(Machine& machine, const std::string& text) {
  KeyValues options = TRY(KeyValues::parse(text, "chardev"));
  machine.service<DefaultDevices>().monitor = false;
  const auto chardev = options.take("chardev");
  if (!chardev) return fail("chardev \"\" not found");
  const std::string mode = options.take("mode").value_or("readline");
  const bool pretty = TRY(options.take_bool("pretty", false));
  options.take("id");
  TRY(options.expect_empty("-mon"));
  if (mode != "readline" && mode != "control") return fail("unknown monitor mode \"{}\"", mode);
  if (mode == "readline" && pretty) return fail("'pretty' is not compatible with HMP monitors");
  const MonitorMode kind = mode == "readline" ? MonitorMode::Human
                           : pretty           ? MonitorMode::QmpPretty
                                              : MonitorMode::Qmp;
  machine.service<Monitors>().request(*chardev, kind);
  return {};
}

// Applied after all serial ports and monitors are known: standard input and output go to those that
// the user did not place.
Result<> no_graphic(Machine& machine, const std::string&) {
  machine.config.graphics = false;
  const auto& defaults = machine.service<DefaultDevices>();
  if (!defaults.serial) return defaults.monitor ? add_human(machine, "stdio") : Result<>();
  TRY(create_chardev_legacy(machine, "serial0", defaults.monitor ? "mon:stdio" : "stdio"));
  machine.config.serials.emplace_back("serial0");
  return {};
}

const RegisterOption options[] = {
    RegisterOption(
        {.name = "nographic",
         .argument = "",
         .help =
             "no window; the serial port and the monitor share the terminal (Ctrl-A h for help)",
         .phase = StartPhase::Accelerator,
         .apply = &no_graphic}),
    RegisterOption({.name = "monitor",
                    .argument = "dev",
                    .help = "a monitor for people on a character device; as for -serial",
                    .phase = StartPhase::Backends,
                    .apply = &add_human}),
    RegisterOption({.name = "qmp",
                    .argument = "dev",
                    .help = "a monitor for programs (QMP) on a character device; as for -serial",
                    .phase = StartPhase::Backends,
                    .apply = &add_qmp}),
    RegisterOption({.name = "qmp-pretty",
                    .argument = "dev",
                    .help = "like -qmp, with indented answers",
                    .phase = StartPhase::Backends,
                    .apply = &add_qmp_pretty}),
    RegisterOption({.name = "mon",
                    .argument = "[chardev=]id[,mode=readline|control][,pretty=on]",
                    .help = "a monitor on a character device that -chardev made",
                    .phase = StartPhase::Backends,
                    .apply = &add_mon}),
};

}  // namespace
}  // namespace rhea
