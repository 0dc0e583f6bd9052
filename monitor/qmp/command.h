// SPDX-License-Identifier: GPL-2.0-or-later
// QMP commands: rows of a table, each registered in the file that implements it.
//
//   const RegisterQmpCommand stop{{.name = "stop", .run = &run_stop}};
//   const RegisterQmpCommand memsave{{.name = "memsave",
//                                     .arguments = {{"val", "int"}, {"cpu-index", "int", true}},
//                                     .run = &run_memsave}};
#pragma once

#include "monitor/qmp/later.h"
#include "monitor/qmp/type.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/file_descriptor.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rhea::qmp {

/// What belongs to one client for as long as it is connected.
struct Client {
  bool negotiated{false};
  bool pretty{false};
  std::vector<FileDescriptor> received;  ///< by SCM_RIGHTS, not yet claimed by getfd or add-fd
  std::map<std::string, FileDescriptor> named;  ///< by getfd
};

struct Context {
  Machine& machine;
  Client& client;
  /// Set by a command whose answer comes later; what it returns then does not count. The client is
  /// not heard until the answer is there.
  std::shared_ptr<Later> later{};
  /// The text of that answer, set by respond().
  std::function<std::string(const Result<Json>&)> answer_text{};
};

struct Command {
  std::string_view name;
  std::vector<Member> arguments{};
  /// The result's type as in Member::type; empty: an empty object.
  std::string_view returns{};
  /// Arguments that are not in the table are the handler's business (device_add).
  bool open{false};
  std::vector<std::string_view> features{};
  /// Called with arguments that fit the table; `null` stands for the empty object.
  Result<Json> (*run)(Context& context, const Json& arguments){};
};

class RegisterQmpCommand {
 public:
  explicit RegisterQmpCommand(Command command);
  RegisterQmpCommand(const RegisterQmpCommand&) = delete;
  RegisterQmpCommand& operator=(const RegisterQmpCommand&) = delete;

 private:
  Command command_;
};

/// Sorted by name.
std::vector<const Command*> all_qmp_commands();
const Command* find_qmp_command(std::string_view name);

/// An optional argument, or `otherwise`.
template <class T>
T argument(const Json& arguments, std::string_view name, T otherwise) {
  const auto it = arguments.find(name);
  return it == arguments.end() ? otherwise : it->get<T>();
}
inline const std::string& text_argument(const Json& arguments, std::string_view name) {
  return arguments.find(name)->get_ref<const std::string&>();
}
/// Any integer as its 64 bits.
inline u64 number_argument(const Json& arguments, std::string_view name) {
  return arguments.find(name)->get<u64>();
}

/// What monitors of both kinds do with a command whose arguments fit the table. Refused where the
/// state of the machine does not allow it.
Result<Json> run_command(Context& context, const Command& command, const Json& arguments);

/// The CPU that "cpu-index" names (0 without it), checked.
Result<unsigned> cpu_argument(const Context& context, const Json& arguments);

/// The answer to one message, without its line end; "" when it comes later. `message` is what a
/// Framer delivered.
std::string respond(Context& context, Result<std::string_view> message);

}  // namespace rhea::qmp
