// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: what is logged and traced.
#include "rhea/util/log.h"

#include "monitor/hmp/command.h"
#include "rhea/qom/device_trace.h"
#include "rhea/util/trace.h"

namespace rhea::hmp {
namespace {

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
  context.out += log_help();
  return {};
}

Result<> logfile(Context& context, Arguments& arguments) {
  const std::string path = TRY(arguments.text("filename"));
  TRY(arguments.end());
  if (const auto result = log_to_file(path); !result)
    context.print("{}\n", result.error().message());
  return {};
}

Result<> trace_event(Context& context, Arguments& arguments) {
  const std::string pattern = TRY(arguments.text());
  const std::string state = TRY(arguments.text());
  TRY(arguments.end());
  if (state != "on" && state != "off") return arguments.wrong("Expected 'on' or 'off'");
  if (!trace::enable(pattern, state == "on")) {
    context.print("unknown event \"{}\"\n", pattern);
    return {};
  }
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
  const trace::Pattern pattern(TRY(arguments.optional_text()).value_or("*"));
  TRY(arguments.end());
  for (const trace::EventBase* event : trace::events()) {
    if (!pattern.matches(*event)) continue;
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
        {"trace-event", "[device:]name on|off",
         "changes status of a specific trace event, for some devices if they are named",
         &trace_event}),
};
const RegisterInfo infos[] = {
    RegisterInfo(
        {"trace-events", "[name]", "show available trace-events & their state", &trace_events}),
};

}  // namespace
}  // namespace rhea::hmp
