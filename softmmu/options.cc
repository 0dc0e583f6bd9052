// SPDX-License-Identifier: GPL-2.0-or-later
// The command-line options that shape the machine as a whole.
#include "rhea/softmmu/machine.h"
#include "rhea/util/keyval.h"
#include "rhea/util/log.h"
#include "rhea/util/option.h"
#include "rhea/util/trace.h"

#include <fmt/core.h>

namespace rhea {
namespace {

constexpr u64 kMaxRam = u64{1} << 40;
constexpr unsigned kMaxCpus = 255;

Result<> memory(Machine& machine, const std::string& text) {
  KeyValues options = TRY(KeyValues::parse(text, "size"));
  const std::string size_text = options.take("size").value_or("");
  auto size = parse_size(size_text, MiB);
  if (!size) return std::unexpected(std::move(size).error().within("-m"));
  TRY(options.expect_empty("-m"));
  if (*size < MiB || *size > kMaxRam)
    return fail("-m {}: memory must be 1M to {}G", size_text, kMaxRam / GiB);
  machine.config.ram_size = (*size + 8191) / 8192 * 8192;
  return {};
}

Result<> smp(Machine& machine, const std::string& text) {
  KeyValues options = TRY(KeyValues::parse(text, "cpus", Words::Required));
  const auto number = [&](std::string_view key) -> Result<unsigned> {
    const auto value = options.take(key);
    if (!value) return 0U;
    auto parsed = parse_unsigned(*value, {.min = 1, .max = kMaxCpus}, false);
    if (!parsed)
      return std::unexpected(std::move(parsed).error().within(fmt::format("-smp {}", key)));
    return static_cast<unsigned>(*parsed);
  };
  unsigned cpus = TRY(number("cpus"));
  unsigned sockets = TRY(number("sockets"));
  unsigned cores = TRY(number("cores"));
  unsigned threads = TRY(number("threads"));
  unsigned max = TRY(number("maxcpus"));
  TRY(options.expect_empty("-smp"));
  // What is not given follows from the rest; sockets before cores before threads, as the PC board
  // prefers since 6.2: cores.
  const unsigned given =
      (sockets != 0 ? sockets : 1) * (cores != 0 ? cores : 1) * (threads != 0 ? threads : 1);
  if (cpus == 0) cpus = max != 0 ? max : given;
  if (max == 0) max = std::max(cpus, given);
  if (threads == 0) threads = 1;
  if (cores == 0) cores = sockets != 0 ? max / (sockets * threads) : max / threads;
  if (sockets == 0) sockets = cores * threads != 0 ? max / (cores * threads) : 1;
  if (sockets * cores * threads != max)
    return fail("-smp {}: sockets ({}) * cores ({}) * threads ({}) != maxcpus ({})", text, sockets,
                cores, threads, max);
  if (max < cpus) return fail("-smp {}: maxcpus must be equal to or greater than cpus", text);
  machine.config.cpus = cpus;
  machine.config.max_cpus = max;
  machine.config.sockets = sockets;
  machine.config.cores = cores;
  machine.config.threads = threads;
  return {};
}

Result<> name(Machine& machine, const std::string& text) {
  KeyValues options = TRY(KeyValues::parse(text, "guest"));
  machine.config.name = options.take("guest").value_or("");
  TRY(options.take_bool("debug-threads", true));
  options.take("process");
  return options.expect_empty("-name");
}

Result<> boot(Machine& machine, const std::string& text) {
  // "-boot d" and "-boot order=d,menu=on" are both spelled.
  KeyValues options = TRY(KeyValues::parse(text, "order", Words::Required));
  const auto checked = [](const std::string& order) -> Result<> {
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (order[i] < 'a' || order[i] > 'p')
        return fail("-boot: invalid boot device '{}' (a to p)", order[i]);
      if (order.find(order[i], i + 1) != std::string::npos)
        return fail("-boot: boot device '{}' is given twice", order[i]);
    }
    return {};
  };
  if (const auto order = options.take("order")) {
    TRY(checked(*order));
    machine.config.boot_order = *order;
  }
  if (const auto once = options.take("once")) {
    TRY(checked(*once));
    machine.config.boot_order = *once;
  }
  machine.config.boot_menu = TRY(options.take_bool("menu", machine.config.boot_menu));
  TRY(options.take_bool("strict", false));
  if (const auto timeout = options.take("splash-time")) {
    auto ms = parse_unsigned(*timeout, {.min = 0, .max = 0xffff}, false);
    if (!ms) return std::unexpected(std::move(ms).error().within("-boot splash-time"));
    machine.config.boot_menu_timeout_ms = static_cast<u32>(*ms);
  }
  return options.expect_empty("-boot");
}

Result<> global(Machine& machine, const std::string& text) {
  const auto equals = text.find('=');
  const auto dot = text.rfind('.', equals);
  if (equals == std::string::npos || dot == std::string::npos || dot == 0 || dot > equals)
    return fail("-global {}: driver.property=value is expected", text);
  machine.add_global(text.substr(0, dot), text.substr(dot + 1, equals - dot - 1),
                     text.substr(equals + 1));
  return {};
}

Result<> log_items(Machine&, const std::string& text) {
  if (text == "help" || text == "?") {
    fmt::print("{}", log_help());
    throw ExitRequest{};
  }
  return log_enable(text);
}

Result<> trace_events(Machine&, const std::string& text) {
  if (text == "help" || text == "?") {
    for (const trace::EventBase* event : trace::events()) fmt::print("{}\n", event->name());
    throw ExitRequest{};
  }
  KeyValues options = TRY(KeyValues::parse(text, "enable"));
  if (const auto file = options.take("file")) TRY(log_to_file(*file));
  if (const auto pattern = options.take("enable")) TRY(trace::enable(*pattern));
  return options.expect_empty("-trace");
}

// -vga, which comes later, may ask for a card all the same.
Result<> no_defaults(Machine& machine, const std::string&) {
  machine.config.no_defaults = true;
  machine.config.vga = "none";
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
    RegisterOption{{.name = "m",
                    .argument = "[size=]megs",
                    .help = "guest memory (default 128M; suffixes K, M, G, T)",
                    .phase = Config,
                    .apply = &memory}},
    RegisterOption{{.name = "smp",
                    .argument = "[cpus=]n[,maxcpus=,sockets=,cores=,threads=]",
                    .help = "number of CPUs and their topology",
                    .phase = Config,
                    .apply = &smp}},
    RegisterOption{{.name = "name",
                    .argument = "string",
                    .help = "name of the guest",
                    .phase = Early,
                    .apply = &name}},
    RegisterOption{{.name = "boot",
                    .argument = "[order=]drives[,once=drives][,menu=on|off][,splash-time=ms]",
                    .help = "boot order: a floppy, c disk, d CD-ROM, n network",
                    .phase = Config,
                    .apply = &boot}},
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
                    .apply = &global}},
    RegisterOption{{.name = "nodefaults",
                    .argument = "",
                    .help = "no default devices",
                    .phase = Early,
                    .apply = &no_defaults}},
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
    RegisterOption{{.name = "trace",
                    .argument = "[enable=]pattern[,file=file]",
                    .help = "switch trace events on (help lists them)",
                    .phase = Early,
                    .apply = &trace_events}},
};

}  // namespace
}  // namespace rhea
