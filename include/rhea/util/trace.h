// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events: one declaration a line in a folder's trace_events.h, switched on by name at run
// time
// (-trace "serial_*"). A disabled event costs one predictable branch.
//
//   inline trace::Event<u64, u64> serial_write{"serial_write", "addr {:#x} value {:#x}"};
//   serial_write(addr, value);
#pragma once

#include "rhea/util/error.h"

#include <fmt/core.h>

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::trace {

class EventBase {
 public:
  EventBase(const EventBase&) = delete;
  EventBase& operator=(const EventBase&) = delete;

  std::string_view name() const { return name_; }
  bool enabled() const { return enabled_.load(std::memory_order_relaxed); }
  void enable(bool on) { enabled_.store(on, std::memory_order_relaxed); }

 protected:
  explicit EventBase(std::string_view name);
  ~EventBase() = default;
  void emit(const std::string& text) const;

 private:
  std::string_view name_;
  std::atomic<bool> enabled_{false};
};

template <class... Args>
class Event : public EventBase {
 public:
  Event(std::string_view name, fmt::format_string<const Args&...> format)
      : EventBase(name), format_(format) {}

  void operator()(const Args&... args) const {
    if (enabled()) [[unlikely]]
      emit(fmt::format(format_, args...));
  }

 private:
  fmt::format_string<const Args&...> format_;
};

/// Every event of the program, sorted by name.
std::vector<EventBase*> events();
/// Switches events on ("name", "prefix_*"); an unknown name or a pattern without a match is an
/// error.
Result<> enable(std::string_view pattern);

}  // namespace rhea::trace
