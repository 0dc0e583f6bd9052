// SPDX-License-Identifier: GPL-2.0-or-later
// The command line's tokeniser, --help and --version.
#include "cli/command_line.h"

#include <fmt/core.h>

namespace rhea::cli {
namespace {

const RegisterOption information[] = {
    RegisterOption{{.name = "help",
                    .argument = "",
                    .help = "show this help",
                    .phase = StartPhase::Early,
                    .apply = [](Machine&, const std::string&) -> Result<> {
                      print_help();
                      throw ExitRequest{};
                    }}},
    RegisterOption{{.name = "h",
                    .argument = "",
                    .help = "the same",
                    .phase = StartPhase::Early,
                    .apply = [](Machine&, const std::string&) -> Result<> {
                      print_help();
                      throw ExitRequest{};
                    }}},
    RegisterOption{{.name = "version",
                    .argument = "",
                    .help = "show the version",
                    .phase = StartPhase::Early,
                    .apply = [](Machine&, const std::string&) -> Result<> {
                      print_version();
                      throw ExitRequest{};
                    }}},
};

}  // namespace

Result<std::vector<GivenOption>> parse_command_line(int argc, char** argv) {
  std::vector<GivenOption> given;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (!word.starts_with('-') || word == "-") {
      given.push_back({find_option("hda"), std::string(word)});
      if (given.back().option == nullptr) return fail("'{}' is no option", word);
      continue;
    }
    const std::string_view name = word.substr(word.starts_with("--") ? 2 : 1);
    const CommandLineOption* option = find_option(name);
    if (option == nullptr) return fail("{}: invalid option; --help lists them", word);
    std::string argument;
    if (!option->argument.empty()) {
      if (++i >= argc) return fail("{}: requires an argument: {}", word, option->argument);
      argument = argv[i];
    }
    given.push_back({option, std::move(argument)});
  }
  return given;
}

Result<> apply_phase(Machine& machine, const std::vector<GivenOption>& given, StartPhase phase) {
  for (const GivenOption& g : given)
    if (g.option->phase == phase) TRY(g.option->apply(machine, g.argument));
  return {};
}

void print_help() {
  fmt::print(
      "Rhea, a full-system PC emulator. Usage: rhea [options] [disk image]\n\n"
      "  rhea -m 2G -cdrom image.iso -boot d\n  rhea -accel kvm -hda disk.img -nographic\n\n");
  for (const CommandLineOption* option : all_options())
    fmt::print("-{} {}\n        {}\n", option->name, option->argument, option->help);
}

void print_version() {
  fmt::print(
      "Rhea version {} (speaks QEMU 7.2's options, QMP and HMP)\n"
      "Licence GPL-2.0-or-later; there is no warranty.\n",
      RHEA_VERSION);
}

}  // namespace rhea::cli
