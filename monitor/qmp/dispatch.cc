// SPDX-License-Identifier: GPL-2.0-or-later
// From a message to a command and back to an answer.
#include "accel/accelerator.h"
#include "monitor/qmp/command.h"
#include "monitor/qmp/compat.h"
#include "monitor/trace_events.h"
#include "rhea/util/known_names.h"

#include <algorithm>
#include <array>

namespace rhea::qmp {
namespace {

std::vector<const Command*>& table() {
  static std::vector<const Command*> all;
  return all;
}

std::string_view class_name(ErrorClass error_class) {
  constexpr std::array<std::string_view, 5> kNames = {
      "GenericError", "CommandNotFound", "DeviceNotActive", "DeviceNotFound", "KVMMissingCap"};
  return kNames[static_cast<std::size_t>(error_class)];
}

// The order of the members is QEMU's: the id comes first in errors and last in results.
std::string error_text(const Error& error, const Json* id, bool pretty) {
  const Json body = {{"class", class_name(error.error_class())}, {"desc", error.message()}};
  if (pretty) {
    Json whole = {{"error", body}};
    if (id != nullptr) whole["id"] = *id;
    return to_text(whole, true);
  }
  const std::string prefix = id != nullptr ? "\"id\": " + to_text(*id) + ", " : "";
  return "{" + prefix + "\"error\": " + to_text(body) + "}";
}

std::string return_text(const Json& result, const Json* id, bool pretty) {
  const Json body = result.is_null() ? Json::object() : result;
  if (pretty) {
    Json whole = {{"return", body}};
    if (id != nullptr) whole["id"] = *id;
    return to_text(whole, true);
  }
  const std::string suffix = id != nullptr ? ", \"id\": " + to_text(*id) : "";
  return "{\"return\": " + to_text(body) + suffix + "}";
}

Result<> check_envelope(const Json& request) {
  for (const auto& [key, value] : request.items()) {
    const bool command = key == "execute" || key == "exec-oob";
    if (!command && key != "arguments" && key != "id")
      return fail("QMP input member '{}' is unexpected", key);
    if (command && !value.is_string()) return fail("QMP input member '{}' must be a string", key);
    if (key == "arguments" && !value.is_object())
      return fail("QMP input member 'arguments' must be an object");
  }
  if (request.contains("execute") && request.contains("exec-oob"))
    return fail("QMP input member 'execute' clashes with 'exec-oob'");
  if (!request.contains("execute") && !request.contains("exec-oob"))
    return fail("QMP input lacks member 'execute'");
  return {};
}

std::unexpected<Error> no_such_command(const std::string& name) {
  std::vector<std::string_view> own;
  for (const Command* command : all_qmp_commands()) own.push_back(command->name);
  return fail(ErrorClass::CommandNotFound, "{}",
              with_remark(fmt::format("The command {} has not been found", name),
                          about_unknown(NameKind::QmpCommand, name, own)));
}

Result<const Command*> choose(const Context& context, const Json& request) {
  const bool out_of_band = request.contains("exec-oob");
  const auto& name = text_argument(request, out_of_band ? "exec-oob" : "execute");
  const bool negotiation = name == "qmp_capabilities";
  if (!context.client.negotiated && !negotiation)
    return fail(ErrorClass::CommandNotFound,
                "Expecting capabilities negotiation with 'qmp_capabilities'");
  const Command* command = find_qmp_command(name);
  if (command == nullptr) return no_such_command(name);
  if (out_of_band) return fail("The command {} does not support OOB", name);
  return command;
}

// What may be done while a snapshot's state replaces the machine's: nobody else changes that, or
// takes what it is half way for the guest's.
bool leaves_machine_alone(std::string_view name) {
  constexpr std::array<std::string_view, 17> kThese = {"add-fd",
                                                       "closefd",
                                                       "device-list-properties",
                                                       "getfd",
                                                       "human-monitor-command",
                                                       "migrate-set-capabilities",
                                                       "migrate-set-parameters",
                                                       "qmp_capabilities",
                                                       "qom-get",
                                                       "qom-list",
                                                       "qom-list-properties",
                                                       "qom-list-types",
                                                       "quit",
                                                       "remove-fd",
                                                       "stop",
                                                       "x-query-snapshot",
                                                       "x-snapshot-cancel"};
  return name.starts_with("query-") || std::ranges::find(kThese, name) != kThese.end();
}

Result<Json> run(Context& context, const Json& request) {
  TRY(check_envelope(request));
  const Command* command = TRY(choose(context, request));
  const auto it = request.find("arguments");
  const Json none = Json::object();
  const Json& arguments = it == request.end() ? none : *it;
  TRY(check_members(command->arguments, arguments, "", command->open));
  TRY(check_policy(context.machine.service<CompatPolicy>(), *command, arguments));
  return run_command(context, *command, arguments);
}

Result<Json> qmp_capabilities(Context& context, const Json& arguments) {
  if (context.client.negotiated)
    return fail(ErrorClass::CommandNotFound,
                "Capabilities negotiation is already complete, command ignored");
  // The greeting offers none.
  if (arguments.contains("enable") && !arguments["enable"].empty())
    return fail("Capability '{}' is not available", arguments["enable"][0].get<std::string>());
  context.client.negotiated = true;
  return Json();
}

const RegisterQmpType capability{{.name = "QMPCapability", .values = {"oob"}}};
const RegisterQmpCommand registration{{.name = "qmp_capabilities",
                                       .arguments = {{"enable", "[QMPCapability]", true}},
                                       .run = &qmp_capabilities}};

}  // namespace

RegisterQmpCommand::RegisterQmpCommand(Command command) : command_(std::move(command)) {
  table().push_back(&command_);
}

std::vector<const Command*> all_qmp_commands() {
  std::vector<const Command*> all = table();
  std::ranges::sort(all, {}, &Command::name);
  return all;
}

const Command* find_qmp_command(std::string_view name) {
  static const std::vector<const Command*> sorted = all_qmp_commands();
  const auto it = std::ranges::lower_bound(sorted, name, {}, &Command::name);
  return it != sorted.end() && (*it)->name == name ? *it : nullptr;
}

Result<Json> run_command(Context& context, const Command& command, const Json& arguments) {
  if (!leaves_machine_alone(command.name)) TRY(context.machine.may_change());
  return command.run(context, arguments);
}

Result<unsigned> cpu_argument(const Context& context, const Json& arguments) {
  const u64 index = argument<u64>(arguments, "cpu-index", 0);
  if (index >= context.machine.service<accel::AccelService>().vcpu_count())
    return fail("Parameter 'cpu-index' expects a CPU number");
  return static_cast<unsigned>(index);
}

std::string respond(Context& context, Result<std::string_view> message) {
  const bool pretty = context.client.pretty;
  if (!message) return error_text(message.error(), nullptr, pretty);
  qmp_command(*message);
  const Result<Json> request = parse_json(*message);
  if (!request) return error_text(request.error(), nullptr, pretty);
  if (!request->is_object())
    return error_text(Error("QMP input must be a JSON object"), nullptr, pretty);
  const auto it = request->find("id");
  const Json* id = it == request->end() ? nullptr : &*it;
  const Result<Json> result = run(context, *request);
  const auto text = [id = id == nullptr ? std::nullopt : std::optional(*id),
                     pretty](const Result<Json>& answer) {
    const Json* which = id ? &*id : nullptr;
    return answer ? return_text(*answer, which, pretty) : error_text(answer.error(), which, pretty);
  };
  if (!result) context.later.reset();
  if (!context.later) return text(result);
  context.answer_text = text;
  return {};
}

}  // namespace rhea::qmp
