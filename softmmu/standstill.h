// SPDX-License-Identifier: GPL-2.0-or-later
// Threads that read the guest's memory while the machine stands still, for a dump or a snapshot.
#pragma once

#include "rhea/softmmu/machine.h"
#include "rhea/util/error.h"

#include <functional>
#include <string>
#include <utility>

namespace rhea {

/// machine.service<Standstill>(): what they read must be of one moment, so whoever would let the
/// guest run or change its memory asks first. One at a time; all on the main thread, under the
/// machine's lock.
class Standstill final : public MachineService {
 public:
  explicit Standstill(Machine&) {}

  /// `why`: what those hear who ask meanwhile.
  void begin(std::string why) { why_ = std::move(why); }
  void end() {
    why_.clear();
    if (const auto then = std::exchange(then_, nullptr)) then();
  }
  Result<> need_none() const {
    if (!why_.empty()) return fail("{}", why_);
    return {};
  }
  /// What is to be done when it is over, of several the last; only while it lasts.
  void at_end(std::function<void()> then) { then_ = std::move(then); }

 private:
  std::string why_;
  std::function<void()> then_;
};

}  // namespace rhea
