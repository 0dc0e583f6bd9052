// SPDX-License-Identifier: GPL-2.0-or-later
// From a line to a command; help; completion.
#include "monitor/hmp/command.h"
#include "monitor/hmp/registers.h"
#include "monitor/trace_events.h"
#include "rhea/util/known_names.h"

#include <algorithm>

namespace rhea::hmp {
namespace {

std::vector<const Command*>& commands() {
  static std::vector<const Command*> all;
  return all;
}
std::vector<const Command*>& info_commands() {
  static std::vector<const Command*> all;
  return all;
}

std::vector<const Command*> sorted(std::vector<const Command*> table) {
  std::ranges::sort(table, {}, &Command::name);
  return table;
}

const Command* find(const std::vector<const Command*>& table, std::string_view name) {
  const auto it = std::ranges::find_if(table, [&](const Command* c) { return c->has_name(name); });
  return it == table.end() ? nullptr : *it;
}

bool in_name(char c) { return std::isspace(static_cast<unsigned char>(c)) == 0 && c != '/'; }

// The first word; a format may follow it directly ("x/4x").
std::string_view take_name(std::string_view& text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text[0])) != 0)
    text.remove_prefix(1);
  std::size_t length = 0;
  while (length < text.size() && in_name(text[length])) ++length;
  const std::string_view name = text.substr(0, length);
  text.remove_prefix(length);
  return name;
}

void print_help(Context& context, std::string_view prefix, const Command& command) {
  context.print("{}{} {} -- {}\n", prefix, command.name, command.arguments, command.help);
}

void print_info_help(Context& context) {
  for (const Command* command : all_info_commands()) print_help(context, "info ", *command);
}

void execute(Context& context, const Command& command, std::string_view typed,
             std::string_view text) {
  Arguments arguments(command.name, text, [&context](std::string_view name) {
    return register_value(context.machine, context.view.cpu, name);
  });
  const auto result = command.run(context, arguments);
  if (result) return;
  if (arguments.syntax_error())
    context.print("{}\nTry \"help {}\" for more information\n", result.error().message(), typed);
  else
    context.out += error_line(result.error());
}

void print_unknown(Context& context, NameKind kind, std::string_view prefix,
                   std::string_view name) {
  std::vector<std::string_view> own;
  for (const Command* command :
       kind == NameKind::InfoCommand ? all_info_commands() : all_hmp_commands())
    for (std::string_view names = command->name; !names.empty();) {
      const auto bar = names.find('|');
      own.push_back(names.substr(0, bar));
      names = bar == std::string_view::npos ? std::string_view() : names.substr(bar + 1);
    }
  context.print("{}\n", with_remark(fmt::format("unknown command: '{}{}'", prefix, name),
                                    about_unknown(kind, name, own)));
}

Result<> info(Context& context, Arguments& arguments) {
  std::string_view text = arguments.rest();
  const std::string_view name = take_name(text);
  if (name.empty()) {
    print_info_help(context);
    return {};
  }
  const Command* command = find(info_commands(), name);
  if (command == nullptr)
    print_unknown(context, NameKind::InfoCommand, "info ", name);
  else
    execute(context, *command, fmt::format("info {}", name), text);
  return {};
}

Result<> help(Context& context, Arguments& arguments) {
  std::string_view text = arguments.rest();
  const std::string_view name = take_name(text);
  if (name == "info") {
    const std::string_view which = take_name(text);
    if (which.empty()) {
      print_info_help(context);
      return {};
    }
    if (const Command* command = find(info_commands(), which))
      print_help(context, "info ", *command);
    else
      print_unknown(context, NameKind::InfoCommand, "info ", which);
    return {};
  }
  if (name.empty()) {
    for (const Command* command : all_hmp_commands()) print_help(context, "", *command);
    return {};
  }
  if (const Command* command = find(commands(), name))
    print_help(context, "", *command);
  else
    print_unknown(context, NameKind::HmpCommand, "", name);
  return {};
}

const RegisterHmpCommand help_command{
    {.name = "help|?", .arguments = "[cmd]", .help = "show the help", .run = &help}};
const RegisterHmpCommand info_command{{.name = "info",
                                       .arguments = "[subcommand]",
                                       .help = "show various information about the system state",
                                       .run = &info}};

void add_matches(const std::vector<const Command*>& table, std::string_view start,
                 std::vector<std::string>& out) {
  for (const Command* command : table) {
    std::string_view names = command->name;
    while (!names.empty()) {
      const auto bar = names.find('|');
      const std::string_view name = names.substr(0, bar);
      if (name.starts_with(start)) out.emplace_back(name);
      names = bar == std::string_view::npos ? std::string_view() : names.substr(bar + 1);
    }
  }
}

}  // namespace

bool Command::has_name(std::string_view wanted) const {
  std::string_view names = name;
  while (true) {
    const auto bar = names.find('|');
    if (names.substr(0, bar) == wanted) return true;
    if (bar == std::string_view::npos) return false;
    names.remove_prefix(bar + 1);
  }
}

RegisterHmpCommand::RegisterHmpCommand(const Command& command) : command_(command) {
  commands().push_back(&command_);
}
RegisterInfo::RegisterInfo(const Command& command) : command_(command) {
  info_commands().push_back(&command_);
}

std::vector<const Command*> all_hmp_commands() { return sorted(commands()); }
std::vector<const Command*> all_info_commands() { return sorted(info_commands()); }

Result<qmp::Json> Context::call(std::string_view command, const qmp::Json& arguments) {
  const qmp::Command* row = qmp::find_qmp_command(command);
  RHEA_ASSERT(row != nullptr);
  qmp::Context inner{.machine = machine, .client = client};
  auto result = qmp::run_command(inner, *row, arguments);
  if (result && inner.later) later = inner.later;
  return result;
}

std::string error_line(const Error& error) { return fmt::format("Error: {}\n", error.message()); }
std::string last_words(const Result<qmp::Json>& answer) {
  if (!answer) return error_line(answer.error());
  return answer->is_string() ? answer->get<std::string>() : std::string();
}

void run_line(Context& context, std::string_view line) {
  hmp_command(line);
  std::string_view text = line;
  const std::string_view name = take_name(text);
  if (name.empty()) {
    if (!text.empty()) context.print("unknown command: '{}'\n", text);
    return;
  }
  const Command* command = find(commands(), name);
  if (command == nullptr)
    print_unknown(context, NameKind::HmpCommand, "", name);
  else
    execute(context, *command, name, text);
}

std::vector<std::string> completions(std::string_view line) {
  std::vector<std::string> matches;
  std::string_view text = line;
  const std::string_view name = take_name(text);
  if (text.empty()) {
    add_matches(commands(), name, matches);
  } else if (name == "info" || name == "help") {
    const std::string_view start = take_name(text);
    if (text.empty()) add_matches(name == "info" ? info_commands() : commands(), start, matches);
  }
  std::ranges::sort(matches);
  return matches;
}

}  // namespace rhea::hmp
