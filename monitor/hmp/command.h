// SPDX-License-Identifier: GPL-2.0-or-later
// Commands for people: rows of a table, each registered in the file that implements it.
#pragma once

#include "monitor/hmp/arguments.h"
#include "monitor/qmp/command.h"
#include "rhea/softmmu/machine.h"

#include <string>
#include <vector>

namespace rhea::hmp {

/// What one monitor remembers from command to command.
struct View {
  unsigned cpu{0};
  MemoryFormat format{.count = 1, .letter = 'x', .size = 4};
  std::vector<std::string> history;
};

struct Context {
  Machine& machine;
  View& view;
  qmp::Client& client;  ///< for the QMP commands that do the work
  std::string out;
  /// Set when a QMP command that was called answers later; what that answers, an error or a
  /// text, is the rest of the line's.
  std::shared_ptr<qmp::Later> later{};

  template <class... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    out += fmt::format(format, std::forward<Args>(args)...);
  }
  /// Runs a QMP command, arguments unchecked.
  Result<qmp::Json> call(std::string_view command,
                         const qmp::Json& arguments = qmp::Json::object());
};

struct Command {
  std::string_view name;       ///< "quit|q": all its names
  std::string_view arguments;  ///< their syntax, for the help
  std::string_view help;
  Result<> (*run)(Context& context, Arguments& arguments){};

  bool has_name(std::string_view wanted) const;
};

/// A row of the commands, or with `info` of the subcommands of info.
class RegisterHmpCommand {
 public:
  explicit RegisterHmpCommand(const Command& command);
  RegisterHmpCommand(const RegisterHmpCommand&) = delete;
  RegisterHmpCommand& operator=(const RegisterHmpCommand&) = delete;

 private:
  Command command_;
};
class RegisterInfo {
 public:
  explicit RegisterInfo(const Command& command);
  RegisterInfo(const RegisterInfo&) = delete;
  RegisterInfo& operator=(const RegisterInfo&) = delete;

 private:
  Command command_;
};

/// Sorted by name.
std::vector<const Command*> all_hmp_commands();
std::vector<const Command*> all_info_commands();

/// "Error: text\n"
std::string error_line(const Error& error);
/// What a later answer has to say: an error's line, a text, or nothing.
std::string last_words(const Result<qmp::Json>& answer);
/// Runs one line; what it prints is in context.out, lines ending in "\n". With context.later set
/// the command goes on.
void run_line(Context& context, std::string_view line);
/// Names that may stand at the end of `line`, for the Tab key.
std::vector<std::string> completions(std::string_view line);

}  // namespace rhea::hmp
