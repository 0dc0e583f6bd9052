// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of devices. Each line names the device, and they can be switched on for some alone:
// -trace "edu0:*", by id, type (or a base of it) or path of the device or of what it is a part of.
//
//   inline trace::DeviceEvent<u64, u64> serial_write{"serial_write", "register {} value {:#x}"};
//   serial_write(*this, offset, value);    // "serial_write com1: register 0 value 0x41"
#pragma once

#include "rhea/util/trace.h"

namespace rhea {
class Object;
}  // namespace rhea

namespace rhea::trace {

/// A device or a part of one; null stands for nobody, whom no filter means.
class ObjectSubject final : public Subject {
 public:
  explicit ObjectSubject(const Object* object) : object_(object) {}
  /// The id that the user gave it, or what it is a part of; else its type.
  std::string name() const override;
  bool is(const std::string& pattern) const override;

 private:
  const Object* object_;
};

/// Whether any object of the tree below `root` is `pattern`.
bool finds(Object& root, const std::string& pattern);

/// Base of events that lines are made of elsewhere, too.
class DeviceEventBase : public EventBase {
 protected:
  explicit DeviceEventBase(std::string_view name) : EventBase(name, true) {}
  void emit_for(const Subject& subject, const std::string& text) const {
    emit(fmt::format("{}: {}", subject.name(), text));
  }
};

template <class... Args>
class DeviceEvent : public DeviceEventBase {
 public:
  DeviceEvent(std::string_view name, fmt::format_string<const Args&...> format)
      : DeviceEventBase(name), format_(format) {}

  void operator()(const Object* device, const Args&... args) const {
    if (enabled()) [[unlikely]]
      show(device, args...);
  }
  void operator()(const Object& device, const Args&... args) const { (*this)(&device, args...); }

 private:
  [[gnu::noinline, gnu::cold]] void show(const Object* device, const Args&... args) const {
    const ObjectSubject subject(device);
    if (wanted(subject)) emit_for(subject, fmt::format(format_, args...));
  }

  fmt::format_string<const Args&...> format_;
};

}  // namespace rhea::trace
