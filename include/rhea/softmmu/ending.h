// SPDX-License-Identifier: GPL-2.0-or-later
// How long the end of the program, or of a part of it, may wait for the host.
#pragma once

#include "rhea/softmmu/machine.h"

#include <chrono>
#include <optional>

namespace rhea {

/// machine.service<Ending>(), to be asked for while the machine stands. SIGTERM ends the program
/// within three seconds: what has to be written before waits for disks until one common deadline.
/// Under the machine's lock.
class Ending final : public MachineService {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit Ending(Machine&) {}
  void shutdown() override { begin(); }
  /// The program ends; the first call counts.
  void begin() {
    if (!until_) until_ = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  }
  bool begun() const { return until_.has_value(); }
  /// Until when to wait now: a moment while the machine goes on without the part that ends.
  Time patience() const {
    return until_ ? *until_ : std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  }

 private:
  std::optional<Time> until_;
};

}  // namespace rhea
