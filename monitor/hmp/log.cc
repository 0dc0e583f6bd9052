// SPDX-License-Identifier: GPL-2.0-or-later
// HMP: what is logged and traced.
#include "rhea/util/log.h"

#include "monitor/hmp/command.h"
#include "rhea/util/trace.h"

#include <fnmatch.h>

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

bool matches(const std::string& pattern, const trace::EventBase& event) {
  return fnmatch(pattern.c_str(), std::string(event.name()).c_str(), 0) == 0;
}

Result<> trace_event(Context& context, Arguments& arguments) {
  const std::string pattern = TRY(arguments.text());
  const std::string state = TRY(arguments.text());
  TRY(arguments.end());
  if (state != "on" && state != "off") return arguments.wrong("Expected 'on' or 'off'");
  bool found = false;
  for (trace::EventBase* event : trace::events()) {
    if (!matches(pattern, *event)) continue;
    event->enable(state == "on");
    found = true;
  }
  if (!found) context.print("unknown event \"{}\"\n", pattern);
  return {};
}

Result<> trace_events(Context& context, Arguments& arguments) {
  const std::string pattern = TRY(arguments.optional_text()).value_or("*");
  TRY(arguments.end());
  for (const trace::EventBase* event : trace::events())
    if (matches(pattern, *event))
      context.print("{} : state {}\n", event->name(), event->enabled() ? 1 : 0);
  return {};
}

const RegisterHmpCommand commands[] = {
    RegisterHmpCommand({"log", "item1[,...]", "activate logging of the specified items", &log}),
    RegisterHmpCommand({"logfile", "filename", "output logs to 'filename'", &logfile}),
    RegisterHmpCommand(
        {"trace-event", "name on|off", "changes status of a specific trace event", &trace_event}),
};
const RegisterInfo infos[] = {
    RegisterInfo(
        {"trace-events", "[name]", "show available trace-events & their state", &trace_events}),
};

}  // namespace
}  // namespace rhea::hmp
