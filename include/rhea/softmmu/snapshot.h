// SPDX-License-Identifier: GPL-2.0-or-later
// Saving and loading the described state of a whole machine, or of one object.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/softmmu/machine.h"

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace rhea {

/// What may stand against saving the machine now: machine.service<SaveChecks>().
class SaveChecks final : public MachineService {
 public:
  explicit SaveChecks(Machine&) {}
  void add(std::function<Result<>()> check) { checks_.push_back(std::move(check)); }
  /// The first error. Waits for the host for a moment, not for ever.
  Result<> run() const {
    for (const auto& check : checks_) TRY(check());
    return {};
  }

  /// For pre_save(): the object's state cannot be had, so the machine cannot be saved.
  void report_failure(Error error) {
    if (!failure_) failure_ = std::move(error);
  }
  /// What was reported first since the last call.
  Result<> take_failure() {
    if (!failure_) return {};
    return std::unexpected(*std::exchange(failure_, std::nullopt));
  }

 private:
  std::vector<std::function<Result<>()>> checks_;
  std::optional<Error> failure_;
};

/// Two types that are one chip, each of which loads the state that the other saved: the first one's
/// is saved under the second one's name, with the same fields in the same order.
class RegisterSavedAs {
 public:
  RegisterSavedAs(std::string_view type, std::string_view as);
};
/// A type of objects that not every machine has that loads a snapshot: a saved one that is not
/// there is passed over, one that was not saved stays as it is.
class RegisterOptionalState {
 public:
  explicit RegisterOptionalState(std::string_view type);
};

/// One object's section: path, type, version, fields, subsections, CRC-32 (zlib) at its end.
void save_object(Object& object, StateWriter& out);
/// Refuses anything but a section of this very object; on error the object may hold part of the
/// state.
Result<> load_object(Object& object, StateReader& in);

/// Everything but memory: virtual time, and every object below the machine that declares state, in
/// tree order. The vCPUs must be stopped, and SaveChecks content: what devices have under way is
/// waited for.
Result<std::vector<u8>> save_devices(Machine& machine);

/// What save_devices made, read and checked: every object of the machine is in it, and no other.
/// Valid while the machine's objects and the bytes it was read from are.
class SavedDevices {
 public:
  static Result<SavedDevices> read(Machine& machine, std::span<const u8> stream);
  /// Loads all fields, then runs every post_load. On error objects hold part of the state.
  Result<> apply() const;

 private:
  SavedDevices(Machine& machine, i64 now) : machine_(&machine), now_(now) {}

  Machine* machine_;
  i64 now_;
  std::vector<std::pair<Object*, StateReader>> sections_;
};

/// The devices and the RAM blocks in one piece of memory. As for save_devices; what stands against
/// it is reported, and nothing comes back.
std::vector<u8> save_machine(Machine& machine);
Result<> load_machine(Machine& machine, std::span<const u8> stream);

}  // namespace rhea
