// SPDX-License-Identifier: GPL-2.0-or-later
// Programs that must run before the process can start none any more (-chroot, -sandbox).
#pragma once

#include "rhea/softmmu/machine.h"

#include <functional>
#include <vector>

namespace rhea {

/// Who starts programs late adds a function that does so now, if it has not. Main thread, machine's
/// lock; while the program starts it may wait.
class LastPrograms final : public MachineService {
 public:
  explicit LastPrograms(Machine&) {}
  void add(std::function<Result<>()> start) { all_.push_back(std::move(start)); }
  Result<> start() const {
    for (const auto& start_one : all_) TRY(start_one());
    return {};
  }

 private:
  std::vector<std::function<Result<>()>> all_;
};

}  // namespace rhea
