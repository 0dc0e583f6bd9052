// SPDX-License-Identifier: GPL-2.0-or-later
// QMP events: rows of a table, each registered where it is sent from, so that query-qmp-schema
// tells of every one.
#pragma once

#include "monitor/qmp/type.h"

#include <string_view>
#include <vector>

namespace rhea::qmp {

struct Event {
  std::string_view name;
  std::vector<Member> data{};
};

class RegisterQmpEvent {
 public:
  explicit RegisterQmpEvent(Event event);
  RegisterQmpEvent(const RegisterQmpEvent&) = delete;
  RegisterQmpEvent& operator=(const RegisterQmpEvent&) = delete;

 private:
  Event event_;
};

/// Sorted by name.
std::vector<const Event*> all_qmp_events();
const Event* find_qmp_event(std::string_view name);

}  // namespace rhea::qmp
