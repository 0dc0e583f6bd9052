// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events: one declaration a line in a folder's trace_events.h, switched on by name at run
// time (-trace "kvm_*"). A disabled event costs one predictable branch. Events of devices, which
// can be switched on for some of them, are in rhea/qom/device_trace.h.
//
//   inline trace::Event<u32, u64> kvm_route{"kvm_route", "gsi {} address {:#x}"};
//   kvm_route(gsi, address);
#pragma once

#include "rhea/util/error.h"

#include <fmt/core.h>

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::trace {

/// Whose event it is: asked only when the event is switched on.
class Subject {
 public:
  /// How lines call it.
  virtual std::string name() const = 0;
  /// Whether `pattern` means it.
  virtual bool is(const std::string& pattern) const = 0;

 protected:
  ~Subject() = default;
};

/// For whom an event is on (or off); the later one counts. `whose` is empty for everybody.
struct Rule {
  std::string whose;
  bool on{};
};

class EventBase {
 public:
  EventBase(const EventBase&) = delete;
  EventBase& operator=(const EventBase&) = delete;

  std::string_view name() const { return name_; }
  /// Whether it has a subject, by which it can be filtered.
  bool of_devices() const { return of_devices_; }
  /// On for somebody.
  bool enabled() const { return enabled_.load(std::memory_order_relaxed); }
  /// For everybody: no rule from before counts any more. Thread-safe, as are the next three.
  void enable(bool on) { enable(on, {}); }
  void enable(bool on, std::string_view whose);
  std::vector<Rule> rules() const;
  /// Of one that is enabled(): whether this subject's events are wanted.
  bool wanted(const Subject& subject) const;

 protected:
  explicit EventBase(std::string_view name, bool of_devices = false);
  ~EventBase() = default;
  void emit(const std::string& text) const;

 private:
  std::string_view name_;
  bool of_devices_;
  std::atomic<bool> enabled_{false};
  std::vector<Rule> rules_;
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

/// "EVENTS" or "DEVICES:EVENTS", both shell patterns.
struct Pattern {
  std::string whose, events;
  explicit Pattern(std::string_view text);
  bool matches(const EventBase& event) const;
};
/// Whether `name` is `pattern`, or matches it as a shell pattern.
bool matches(const std::string& pattern, std::string_view name);

/// Switches events on or off ("name", "prefix_*", "edu0:*"), those that a plug-in brings later,
/// too; an unknown name or a pattern without a match is an error. An event that is switched without
/// a device is so for all, whatever was said of some before.
Result<> enable(std::string_view pattern, bool on = true);

/// The devices that patterns have named since the program started, each once.
std::vector<std::string> named_devices();

}  // namespace rhea::trace
