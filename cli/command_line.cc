// SPDX-License-Identifier: GPL-2.0-or-later
// The command line's tokeniser, --help and --version.
#include "cli/command_line.h"

#include "cli/option_groups.h"
#include "rhea/util/known_names.h"

#include <fmt/core.h>

namespace rhea::cli {
namespace {

std::vector<std::string_view> lines(std::string_view text) {
  std::vector<std::string_view> split;
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    split.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  split.push_back(text);
  return split;
}

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

std::unexpected<Error> no_such_option(std::string_view word, std::string_view name) {
  std::vector<std::string_view> own;
  for (const CommandLineOption* option : all_options()) own.push_back(option->name);
  const std::string about = about_unknown(NameKind::Option, name, own);
  if (about.starts_with("QEMU")) return fail("{}: {}", word, about);
  return fail("{}: {}", word, with_remark("invalid option", about) + "; --help lists them");
}

void print_option(const CommandLineOption& option) {
  fmt::print("-{}{}{}\n", option.name, option.argument.empty() ? "" : " ", option.argument);
  for (const std::string_view line : lines(option.help)) fmt::print("        {}\n", line);
}

}  // namespace

Result<std::vector<GivenOption>> parse_command_line(int argc, char** argv) {
  std::vector<GivenOption> given;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.empty()) return fail("an argument is empty: an option or a disk image is expected");
    if (!word.starts_with('-') || word == "-") {
      given.push_back({find_option("hda"), std::string(word)});
      if (given.back().option == nullptr) return fail("'{}' is no option", word);
      continue;
    }
    const std::string_view name = word.substr(word.starts_with("--") ? 2 : 1);
    const CommandLineOption* option = find_option(name);
    if (option == nullptr) return no_such_option(word, name);
    std::string argument;
    if (!option->argument.empty()) {
      if (++i >= argc) return fail("{}: requires an argument: {}", word, option->argument);
      argument = argv[i];
    }
    given.push_back({option, std::move(argument)});
  }
  return given;
}

void foresee(Machine& machine, const std::vector<GivenOption>& given) {
  for (const GivenOption& g : given)
    if (g.option->foresee != nullptr) g.option->foresee(machine, g.argument);
}

Result<> apply_phase(Machine& machine, const std::vector<GivenOption>& given, StartPhase phase) {
  for (const GivenOption& g : given) {
    if (g.option->phase != phase) continue;
    auto result = g.option->apply(machine, g.argument);
    if (result) continue;
    // Each error names its option; those from deeper down do not know which it was.
    const std::string name = fmt::format("-{}", g.option->name);
    if (result.error().message().starts_with(name)) return result;
    return std::unexpected(std::move(result).error().within(name + " " + g.argument));
  }
  return {};
}

void print_help() {
  fmt::print(
      "Rhea, a full-system PC emulator. Usage: rhea [options] [disk image]\n\n"
      "  rhea -m 2G -cdrom image.iso -boot d\n  rhea -accel kvm -hda disk.img -nographic\n\n");
  for (const OptionGroup& group : option_groups()) {
    fmt::print("{}:\n", group.title);
    for (const CommandLineOption* option : group.options) print_option(*option);
    fmt::print("\n");
  }
}

void print_version() {
  fmt::print(
      "Rhea version {} (speaks QEMU 7.2's options, QMP and HMP)\n"
      "Licence GPL-2.0-or-later; there is no warranty.\n",
      RHEA_VERSION);
}

}  // namespace rhea::cli
