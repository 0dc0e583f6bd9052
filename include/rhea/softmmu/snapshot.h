// SPDX-License-Identifier: GPL-2.0-or-later
// Saving and loading the described state of a whole machine, or of one object.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/softmmu/machine.h"

#include <functional>
#include <span>
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

 private:
  std::vector<std::function<Result<>()>> checks_;
};

/// One object's section: path, type, version, fields, subsections, CRC-32 (zlib) at its end.
void save_object(Object& object, StateWriter& out);
/// Refuses anything but a section of this very object; on error the object may hold part of the
/// state.
Result<> load_object(Object& object, StateReader& in);

/// Every object below the machine that declares state, in tree order, then the RAM blocks.
/// The vCPUs must be stopped, and SaveChecks content: what devices have under way is waited for.
std::vector<u8> save_machine(Machine& machine);
Result<> load_machine(Machine& machine, std::span<const u8> stream);

}  // namespace rhea
