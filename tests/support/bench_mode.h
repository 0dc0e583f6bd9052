// SPDX-License-Identifier: GPL-2.0-or-later
// RHEA_BENCH: what every step of every test on a bench does beside what the test is for.
#pragma once

#include "rhea/qom/schema.h"
#include "rhea/softmmu/machine.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace rhea::test {

enum class BenchMode : u8 {
  Plain,
  Reload,      ///< "reload": before each step the devices are saved, reset and loaded
  ResetCheck,  ///< "reset-check": the same, and the reset must leave what a new device has
};
/// What the environment says; throws std::runtime_error for what is none.
BenchMode bench_mode();

/// Values of the state that a reset sets, of all objects of a machine.
class ResetState {
 public:
  ResetState() = default;
  explicit ResetState(Machine& machine);
  /// In which field, of an object that both know, `after` has another value; empty when in none.
  std::string difference_to(const ResetState& after) const;

 private:
  struct Field {
    std::string object, type, name;
    std::vector<u8> value;
  };
  void add(const Object& object, const FieldList& list);
  std::vector<Field> fields_;
};

/// Saves the devices, resets the machine and loads them again, as a snapshot does: while it stands.
/// Memory is not saved: resets leave it alone. Machine's lock.
class Reloader {
 public:
  /// Called in between.
  struct Hooks {
    std::function<void()> saved, reset, loaded;
  };
  Reloader(Machine& machine, BenchMode mode, Hooks hooks)
      : machine_(&machine), mode_(mode), hooks_(std::move(hooks)) {}
  BenchMode mode() const { return mode_; }
  /// A device was added: how it is new.
  void device_added();
  /// Throws std::runtime_error when the state is refused, or the reset leaves something behind.
  /// Nothing happens while a drive has requests under way, which saving would wait for.
  void reload();

 private:
  bool may_reload() const;
  void reload(const std::function<void()>& when_reset);

  Machine* machine_;
  BenchMode mode_;
  Hooks hooks_;
  ResetState fresh_;
  i64 fresh_at_{0};  ///< when it was looked at: what counts from now on has the same now
};

}  // namespace rhea::test
