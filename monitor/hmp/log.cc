// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: what is logged and traced.
#include "rhea/util/log.h"

#include "monitor/hmp/command.h"
#include "rhea/qom/device_trace.h"
#include "rhea/util/trace.h"

#include <algorithm>

namespace rhea::hmp {
namespace {

using qmp::Json;

// The items named replace those that were on; trace events stay.
Result<> log(Context& context, Arguments& arguments) {
  const std::string items = TRY(arguments.text());
  TRY(arguments.end());
  if (items == "help") {
    context.out += log_help();
    return {};
  }
  const u32 before = log_mask.exchange(0);
  if (items == "none") return {};
  auto result = log_enable(items);
  if (result) return {};
  log_mask = before;
  context.print("{}\n{}", result.error().message(), log_help());
  return {};
}

Result<> logfile(Context& context, Arguments& arguments) {
  const std::string path = TRY(arguments.text("filename"));
  TRY(arguments.end());
  if (const auto result = log_to_file(path); !result)
    context.print("{}\n", result.error().message());
  return {};
}

// "name [vcpu]"; what is wrong with them is told as it is.
Result<std::optional<Json>> call_for_events(Context& context, std::string_view command,
                                            Json request, Arguments& arguments) {
  if (const auto vcpu = TRY(arguments.optional_number())) request["vcpu"] = *vcpu;
  TRY(arguments.end());
  auto answer = context.call(command, request);
  if (answer) return std::move(*answer);
  context.print("{}\n", answer.error().message());
  return std::nullopt;
}

Result<> trace_event(Context& context, Arguments& arguments) {
  const std::string pattern = TRY(arguments.text());
  const std::string state = TRY(arguments.text());
  if (state != "on" && state != "off") return arguments.wrong("Expected 'on' or 'off'");
  if (!TRY(call_for_events(context, "trace-event-set-state",
                           {{"name", pattern}, {"enable", state == "on"}}, arguments)))
    return {};
  // A device may come later; but one of a name that is mistyped never does.
  const std::string whose = trace::Pattern(pattern).whose;
  if (!whose.empty() && !trace::finds(context.machine, whose))
    context.print("no device is \"{}\" now: its events show once it is there\n", whose);
  return {};
}

/// "edu0 on, edu1 off": what differs for some.
std::string exceptions(const trace::EventBase& event) {
  std::string text;
  for (const trace::Rule& rule : event.rules())
    if (!rule.whose.empty())
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", rule.whose, rule.on ? "on" : "off");
  return text;
}

Result<> trace_events(Context& context, Arguments& arguments) {
  const std::string name = TRY(arguments.optional_text()).value_or("*");
  const auto found =
      TRY(call_for_events(context, "trace-event-get-state", {{"name", name}}, arguments));
  if (!found) return {};
  for (const trace::EventBase* event : trace::events()) {
    const auto is_it = [event](const Json& info) { return info["name"] == event->name(); };
    if (std::ranges::none_of(*found, is_it)) continue;
    context.print("{} : state {}", event->name(), event->enabled() ? 1 : 0);
    if (const std::string some = exceptions(*event); !some.empty()) context.print(" ({})", some);
    context.print("\n");
  }
  return {};
}

const RegisterHmpCommand commands[] = {
    RegisterHmpCommand({"log", "item1[,...]", "activate logging of the specified items", &log}),
    RegisterHmpCommand({"logfile", "filename", "output logs to 'filename'", &logfile}),
    RegisterHmpCommand(
        {"trace-event", "[device:]name on|off [vcpu]",
         "changes status of a specific trace event, for some devices if they are named",
         &trace_event}),
};
const RegisterInfo infos[] = {
    RegisterInfo({"trace-events", "[name] [vcpu]", "show available trace-events & their state",
                  &trace_events}),
};

}  // namespace
}  // namespace rhea::hmp
