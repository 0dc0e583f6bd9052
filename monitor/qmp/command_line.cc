// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: the command line's options and their parameters, from the rows that make the help.
#include "hw/i386/board.h"
#include "monitor/qmp/command.h"
#include "rhea/qom/registry.h"
#include "rhea/util/option.h"

#include <algorithm>
#include <array>
#include <set>

namespace rhea::qmp {
namespace {

/// The kind of a parameter as its sample value shows it: "on|off", "n", "ms", "size".
std::string_view kind_of(std::string_view sample) {
  constexpr std::array<std::string_view, 5> kSwitches = {"on", "off", "on|off", "off|on", "yes|no"};
  constexpr std::array<std::string_view, 5> kNumbers = {"n", "N", "ms", "number", "port"};
  constexpr std::array<std::string_view, 3> kSizes = {"size", "megs", "bytes"};
  if (std::ranges::find(kSwitches, sample) != kSwitches.end()) return "boolean";
  if (std::ranges::find(kNumbers, sample) != kNumbers.end()) return "number";
  return std::ranges::find(kSizes, sample) != kSizes.end() ? "size" : "string";
}

class Parameters {
 public:
  void add(std::string_view name, std::string_view kind, std::string_view help = {}) {
    if (!names_.emplace(name).second) return;
    Json entry = {{"name", name}, {"type", kind}};
    if (!help.empty()) entry["help"] = help;
    list_.push_back(std::move(entry));
  }
  /// "[chardev=]id[,mode=readline|control][,pretty=on]": whatever stands before a '='.
  void add_from_syntax(std::string_view syntax) {
    std::string plain;
    for (const char c : syntax)
      if (c != '[' && c != ']') plain += c;
    std::string_view rest = plain;
    while (!rest.empty()) {
      const auto end = std::min(rest.find(','), rest.size());
      add_from_part(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  Json take() { return std::move(list_); }

 private:
  // What stands for any name is none.
  void add_from_part(std::string_view part) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0) return;
    const std::string_view name = part.substr(0, equals);
    if (name == "prop" || name == "key" || name == "feature" || name.contains('.')) return;
    add(name, kind_of(part.substr(equals + 1)));
  }

  std::set<std::string, std::less<>> names_;
  Json list_ = Json::array();
};

std::string_view kind_of(const Property& property) {
  if (property.type == "bool") return "boolean";
  if (property.type == "size") return "size";
  return property.type.contains("int") ? "number" : "string";
}

/// What any of the boards has is a parameter of -machine.
void add_board_properties(Parameters& parameters) {
  for (const TypeInfo* type : all_types())
    if (type->is_a(hw::Board::kName))
      for (const Property& property : type->properties)
        parameters.add(property.name, kind_of(property), property.help);
}

Json describe(const CommandLineOption& option) {
  Parameters parameters;
  parameters.add_from_syntax(option.argument);
  if (option.name == "machine") add_board_properties(parameters);
  return {{"option", option.name}, {"parameters", parameters.take()}};
}

Result<Json> query_command_line_options(Context&, const Json& arguments) {
  Json list = Json::array();
  const bool all = !arguments.contains("option");
  for (const CommandLineOption* option : all_options())
    if (all || option->name == text_argument(arguments, "option"))
      list.push_back(describe(*option));
  if (!all && list.empty())
    return fail("invalid option name: {}", text_argument(arguments, "option"));
  return list;
}

const RegisterQmpType types[] = {
    RegisterQmpType(
        {.name = "CommandLineParameterType", .values = {"string", "boolean", "number", "size"}}),
    RegisterQmpType({.name = "CommandLineParameterInfo",
                     .members = {{"name", "str"},
                                 {"type", "CommandLineParameterType"},
                                 {"help", "str", true},
                                 {"default", "str", true}}}),
    RegisterQmpType({.name = "CommandLineOptionInfo",
                     .members = {{"option", "str"}, {"parameters", "[CommandLineParameterInfo]"}}}),
};
const RegisterQmpCommand registration{{.name = "query-command-line-options",
                                       .arguments = {{"option", "str", true}},
                                       .returns = "[CommandLineOptionInfo]",
                                       .run = &query_command_line_options}};

}  // namespace
}  // namespace rhea::qmp
