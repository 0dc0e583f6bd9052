// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/util/trace.h"

#include "rhea/util/known_names.h"
#include "rhea/util/log.h"

#include <fnmatch.h>

#include <algorithm>

namespace rhea::trace {
namespace {

std::vector<EventBase*>& registry() {
  static std::vector<EventBase*> all;
  return all;
}

}  // namespace

EventBase::EventBase(std::string_view name) : name_(name) { registry().push_back(this); }

void EventBase::emit(const std::string& text) const {
  log_write(fmt::format("{} {}\n", name_, text));
}

std::vector<EventBase*> events() {
  std::vector<EventBase*> all = registry();
  std::ranges::sort(all, {}, &EventBase::name);
  return all;
}

Result<> enable(std::string_view pattern) {
  bool found = false;
  const std::string glob(pattern);
  for (EventBase* event : registry()) {
    if (fnmatch(glob.c_str(), std::string(event->name()).c_str(), 0) != 0) continue;
    event->enable(true);
    found = true;
  }
  if (found) return {};
  std::vector<std::string_view> names;
  for (const EventBase* event : registry()) names.push_back(event->name());
  return fail("{}", with_remark(fmt::format("-trace {}: no trace event has this name", pattern),
                                nearest_hint(pattern, names)));
}

}  // namespace rhea::trace
