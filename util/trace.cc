// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/util/trace.h"

#include "rhea/util/known_names.h"
#include "rhea/util/log.h"

#include <fnmatch.h>

#include <algorithm>
#include <mutex>
#include <ranges>

namespace rhea::trace {
namespace {

/// What was asked for, in the order in which it counts.
struct Switch {
  std::string text;
  bool on{};
};

struct Registry {
  std::mutex mutex;  ///< also of every event's rules
  std::vector<EventBase*> events;
  std::vector<Switch> switches;
  std::vector<std::string> named;
};

Registry& registry() {
  static Registry all;
  return all;
}

}  // namespace

// A plug-in's events come when the patterns have been given, and again when it is loaded anew.
EventBase::EventBase(std::string_view name, bool of_devices)
    : name_(name), of_devices_(of_devices) {
  std::vector<Switch> switches;
  {
    const std::lock_guard lock(registry().mutex);
    registry().events.push_back(this);
    switches = registry().switches;
  }
  for (const Switch& given : switches)
    if (const Pattern pattern(given.text); pattern.matches(*this)) enable(given.on, pattern.whose);
}

void EventBase::emit(const std::string& text) const {
  log_event(fmt::format("{} {}\n", name_, text));
}

void EventBase::enable(bool on, std::string_view whose) {
  const std::lock_guard lock(registry().mutex);
  std::erase_if(rules_, [&](const Rule& rule) { return whose.empty() || rule.whose == whose; });
  rules_.push_back({.whose = std::string(whose), .on = on});
  if (std::ranges::none_of(rules_, &Rule::on)) rules_.clear();
  enabled_.store(!rules_.empty(), std::memory_order_relaxed);
}

std::vector<Rule> EventBase::rules() const {
  const std::lock_guard lock(registry().mutex);
  return rules_;
}

bool EventBase::wanted(const Subject& subject) const {
  for (const Rule& rule : rules() | std::views::reverse)
    if (rule.whose.empty() || subject.is(rule.whose)) return rule.on;
  return false;
}

std::vector<EventBase*> events() {
  const std::lock_guard lock(registry().mutex);
  std::vector<EventBase*> all = registry().events;
  std::ranges::sort(all, {}, &EventBase::name);
  return all;
}

Pattern::Pattern(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon != std::string_view::npos) whose = text.substr(0, colon);
  events = colon == std::string_view::npos ? text : text.substr(colon + 1);
}

bool Pattern::matches(const EventBase& event) const {
  return (whose.empty() || event.of_devices()) && trace::matches(events, event.name());
}

// Paths have brackets of their own, which are no shell's.
bool matches(const std::string& pattern, std::string_view name) {
  return pattern == name || fnmatch(pattern.c_str(), std::string(name).c_str(), 0) == 0;
}

Result<> enable(std::string_view text, bool on) {
  const Pattern pattern(text);
  if (pattern.whose.empty() && text.contains(':'))
    return fail("-trace {}: a device is expected before the colon", text);
  bool found = false;
  std::vector<std::string_view> names;
  for (EventBase* event : events()) {
    if (!pattern.whose.empty() && !event->of_devices()) continue;
    names.push_back(event->name());
    if (!pattern.matches(*event)) continue;
    event->enable(on, pattern.whose);
    found = true;
  }
  if (!found)
    return fail("{}", with_remark(fmt::format("-trace {}: no trace event {}has this name", text,
                                              pattern.whose.empty() ? "" : "of devices "),
                                  nearest_hint(pattern.events, names)));
  const std::lock_guard lock(registry().mutex);
  std::erase_if(registry().switches, [&](const Switch& given) { return given.text == text; });
  registry().switches.push_back({.text = std::string(text), .on = on});
  auto& named = registry().named;
  if (!pattern.whose.empty() && std::ranges::find(named, pattern.whose) == named.end())
    named.push_back(pattern.whose);
  return {};
}

std::vector<std::string> named_devices() {
  const std::lock_guard lock(registry().mutex);
  return registry().named;
}

}  // namespace rhea::trace
