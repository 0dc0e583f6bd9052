// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: trace events.
#include "rhea/util/trace.h"

#include "monitor/qmp/command.h"
#include "rhea/softmmu/vcpu.h"

#include <algorithm>

namespace rhea::qmp {
namespace {

// As a shell's; a name without one of these is one event's.
bool is_pattern(std::string_view name) { return name.find_first_of("*?[") != name.npos; }

// Those that a name, a pattern or "DEVICE:NAME" means. None belongs to a processor: with `vcpu` a
// pattern means none of them, and a name is an error.
Result<std::vector<trace::EventBase*>> find_events(Context& context, const Json& arguments) {
  const std::string& name = text_argument(arguments, "name");
  const trace::Pattern pattern(name);
  const bool of_vcpu = arguments.contains("vcpu");
  if (of_vcpu && number_argument(arguments, "vcpu") >= context.machine.vcpus().size())
    return fail("invalid vCPU index {}", argument<i64>(arguments, "vcpu", 0));
  std::vector<trace::EventBase*> found;
  for (trace::EventBase* event : trace::events())
    if (pattern.matches(*event)) found.push_back(event);
  if (is_pattern(pattern.events)) return of_vcpu ? std::vector<trace::EventBase*>() : found;
  if (found.empty()) return fail("unknown event \"{}\"", name);
  if (of_vcpu) return fail("event \"{}\" is not vCPU-specific", name);
  return found;
}

// What was said last for those that `whose` names, or for everybody.
bool is_on(const trace::EventBase& event, const std::string& whose) {
  if (whose.empty()) return event.enabled();
  const auto rules = event.rules();
  const auto said = std::ranges::find_if(rules.rbegin(), rules.rend(), [&](const auto& rule) {
    return rule.whose.empty() || rule.whose == whose;
  });
  return said != rules.rend() && said->on;
}

Result<Json> get_state(Context& context, const Json& arguments) {
  const std::string whose = trace::Pattern(text_argument(arguments, "name")).whose;
  Json list = Json::array();
  for (const trace::EventBase* event : TRY(find_events(context, arguments)))
    list.push_back({{"name", event->name()},
                    {"vcpu", false},
                    {"state", is_on(*event, whose) ? "enabled" : "disabled"}});
  return list;
}

// Every event that there is can be switched, so nothing is to be ignored.
Result<Json> set_state(Context& context, const Json& arguments) {
  const auto found = TRY(find_events(context, arguments));
  if (!found.empty())
    TRY(trace::enable(text_argument(arguments, "name"), argument(arguments, "enable", false)));
  return Json();
}

const RegisterQmpType types[] = {
    RegisterQmpType({.name = "TraceEventState", .values = {"unavailable", "disabled", "enabled"}}),
    RegisterQmpType({.name = "TraceEventInfo",
                     .members = {{"name", "str"}, {"state", "TraceEventState"}, {"vcpu", "bool"}}}),
};
const RegisterQmpCommand commands[] = {
    RegisterQmpCommand({.name = "trace-event-get-state",
                        .arguments = {{"name", "str"}, {"vcpu", "int", true}},
                        .returns = "[TraceEventInfo]",
                        .run = &get_state}),
    RegisterQmpCommand({.name = "trace-event-set-state",
                        .arguments = {{"name", "str"},
                                      {"enable", "bool"},
                                      {"ignore-unavailable", "bool", true},
                                      {"vcpu", "int", true}},
                        .run = &set_state}),
};

}  // namespace
}  // namespace rhea::qmp
