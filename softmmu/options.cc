// SPDX-License-Identifier: GPL-2.0-or-later
// The command-line options that shape the machine as a whole.
#include "rhea/softmmu/machine.h"
#include "rhea/util/host_file.h"
#include "rhea/util/keyval.h"
#include "rhea/util/log.h"
#include "rhea/util/option.h"
#include "rhea/util/trace.h"
#include "softmmu/default_devices.h"

#include <fmt/core.h>
#include <pthread.h>

#include <sstream>

namespace rhea {
namespace {

constexpr std::size_t kLongestThreadName = 15;

Result<> name(Machine& machine, const std::string& text) {
  KeyValues options = TRY(KeyValues::parse(text, "guest"));
  machine.config.name = options.take("guest").value_or("");
  TRY(options.take_bool("debug-threads", true));
  // What ps and top show; the kernel keeps fifteen characters of it.
  if (const auto process = options.take("process"))
    pthread_setname_np(pthread_self(), process->substr(0, kLongestThreadName).c_str());
  return options.expect_empty("-name");
}

struct Global {
  std::string driver, property, value;
};

// Either driver.property=value, where the value may have commas, or the three by their names.
Result<Global> parse_global(const std::string& text) {
  const auto equals = text.find('=');
  const auto dot = text.rfind('.', equals);
  if (equals != std::string::npos && dot != std::string::npos && dot != 0 && dot < equals)
    return Global{.driver = text.substr(0, dot),
                  .property = text.substr(dot + 1, equals - dot - 1),
                  .value = text.substr(equals + 1)};
  KeyValues options = TRY(KeyValues::parse(text, {}, Words::Required));
  const auto driver = options.take("driver"), property = options.take("property"),
             value = options.take("value");
  TRY(options.expect_empty("-global"));
  if (!driver || !property || !value)
    return fail("-global {}: driver.property=value is expected", text);
  return Global{.driver = *driver, .property = *property, .value = *value};
}

Result<> global(Machine& machine, const std::string& text) {
  Global given = TRY(parse_global(text));
  machine.add_global(std::move(given.driver), std::move(given.property), std::move(given.value));
  return {};
}

void foresee_global(Machine& machine, const std::string& text) {
  if (const auto given = parse_global(text))
    machine.service<DefaultDevices>().user_named(given->driver);
}

Result<> log_items(Machine&, const std::string& text) {
  if (text == "help" || text == "?") {
    fmt::print("{}", log_help());
    throw ExitRequest{};
  }
  auto enabled = log_enable(text);
  if (enabled) return {};
  return fail("-d: {}; -d help lists them", enabled.error().message());
}

// "-name" switches off.
Result<> switch_events(std::string_view text) {
  const bool off = text.starts_with('-');
  return trace::enable(text.substr(off ? 1 : 0), !off);
}

// A name or pattern a line, with '-' before it switched off; '#' begins a comment. Files that are
// written for others name events that are not here.
Result<> enable_events_of(const std::string& path) {
  constexpr u64 kLargest = MiB;
  const auto bytes = read_file(path, kLargest, ReadFrom::Everywhere);
  if (!bytes) return fail("-trace events={}: {}", path, bytes.error().message());
  std::istringstream lines({bytes->begin(), bytes->end()});
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.empty() || line.starts_with('#')) continue;
    if (!switch_events(line))
      report_warning(
          fmt::format("{}, line {}: trace event '{}' does not exist", path, number, line));
  }
  return {};
}

Result<> trace_events(Machine&, const std::string& text) {
  if (text == "help" || text == "?") {
    for (const trace::EventBase* event : trace::events()) fmt::print("{}\n", event->name());
    throw ExitRequest{};
  }
  KeyValues options = TRY(KeyValues::parse(text, "enable"));
  const auto file = options.take("file");
  const auto pattern = options.take("enable");
  const auto list = options.take("events");
  TRY(options.expect_empty("-trace"));
  if (file) TRY(log_to_file(*file));
  if (pattern) TRY(switch_events(*pattern));
  if (list) TRY(enable_events_of(*list));
  return {};
}

template <auto Member>
Result<> set_flag(Machine& machine, const std::string&) {
  machine.config.*Member = true;
  return {};
}
template <auto Member>
Result<> set_text(Machine& machine, const std::string& text) {
  machine.config.*Member = text;
  return {};
}

Result<> add_firmware_path(Machine& machine, const std::string& text) {
  machine.config.firmware_path.push_back(text);
  return {};
}

using enum StartPhase;
const RegisterOption options[] = {
    RegisterOption{
        {.name = "name",
         .argument = "[guest=]string[,process=string][,debug-threads=on|off]",
         .help = "name of the guest, and of the process for ps (threads always have names)",
         .phase = Early,
         .apply = &name}},
    RegisterOption{{.name = "bios",
                    .argument = "file",
                    .help = "firmware instead of the board's own",
                    .phase = Config,
                    .apply = &set_text<&MachineConfig::firmware>}},
    RegisterOption{{.name = "L",
                    .argument = "path",
                    .help = "another folder to look for firmware in",
                    .phase = Early,
                    .apply = &add_firmware_path}},
    RegisterOption{{.name = "global",
                    .argument = "driver.property=value",
                    .help = "default of a property for every device of a type",
                    .phase = Early,
                    .apply = &global,
                    .foresee = &foresee_global}},
    RegisterOption{{.name = "no-reboot",
                    .argument = "",
                    .help = "exit instead of rebooting",
                    .phase = Config,
                    .apply = &set_flag<&MachineConfig::no_reboot>}},
    RegisterOption{{.name = "no-shutdown",
                    .argument = "",
                    .help = "stop instead of exiting when the guest powers off",
                    .phase = Config,
                    .apply = &set_flag<&MachineConfig::no_shutdown>}},
    RegisterOption{{.name = "S",
                    .argument = "",
                    .help = "do not start the guest; 'cont' does",
                    .phase = Config,
                    .apply = &set_flag<&MachineConfig::start_paused>}},
    RegisterOption{{.name = "d",
                    .argument = "item[,...]",
                    .help = "log these items (help lists them)",
                    .phase = Early,
                    .apply = &log_items}},
    RegisterOption{{.name = "D",
                    .argument = "file",
                    .help = "log to a file instead of standard error",
                    .phase = Early,
                    .apply = [](Machine&, const std::string& path) { return log_to_file(path); }}},
    RegisterOption{
        {.name = "trace",
         .argument = "[enable=][device:]pattern[,events=file][,file=file]",
         .help = "switch trace events on (help lists them), of all devices or of\n"
                 "those of this id, type or path; events= names a file with one pattern a line",
         .phase = Early,
         .apply = &trace_events}},
};

}  // namespace
}  // namespace rhea
