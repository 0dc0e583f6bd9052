// SPDX-License-Identifier: GPL-2.0-or-later
// The table of events.
#include "monitor/qmp/event.h"

#include <algorithm>

namespace rhea::qmp {
namespace {

std::vector<const Event*>& table() {
  static std::vector<const Event*> all;
  return all;
}

}  // namespace

RegisterQmpEvent::RegisterQmpEvent(Event event) : event_(std::move(event)) {
  table().push_back(&event_);
}

std::vector<const Event*> all_qmp_events() {
  std::vector<const Event*> all = table();
  std::ranges::sort(all, {}, &Event::name);
  return all;
}

const Event* find_qmp_event(std::string_view name) {
  const auto it = std::ranges::find(table(), name, &Event::name);
  return it == table().end() ? nullptr : *it;
}

}  // namespace rhea::qmp
