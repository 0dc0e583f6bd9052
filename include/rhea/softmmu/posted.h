// SPDX-License-Identifier: GPL-2.0-or-later
// What a device whose handlers run under a lock of their own leaves to the machine's lock, for
// which it must not wait: interrupt lines, changes of the memory map. See docs/threads.md.
#pragma once

#include "rhea/qom/irq.h"
#include "rhea/qom/member.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/lock.h"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

namespace rhea {

/// Work under the machine's lock, for any thread to ask for. If the guest's access caused it, it is
/// done before that access is over, once the device's domain is left; on other threads by the main
/// loop, soon. However often it is asked for before it begins, it is done once. The device's domain
/// is held only if the work takes it. A member of its owner: when that is unrealized, nothing is
/// done any more.
class Posted final : public ObjectMember {
 public:
  Posted() = default;
  ~Posted() override { end(); }

  /// From a device's realize().
  void init(Machine& machine, std::function<void()> work);
  bool initialised() const { return call_ != nullptr; }
  /// At once on a thread that has the machine's lock.
  void post();

 protected:
  void end() override;
  void settle() override;

 private:
  struct Call;
  std::shared_ptr<Call> call_;
};

/// A line that is set under its device's domain and leads to a receiver under the machine's lock.
/// Of changes that follow each other before the receiver is told it hears the edges: a line that
/// was high, fell and rose again falls and rises once.
class PostedLine final : public ObjectMember {
 public:
  /// From a device's realize(); `line` outlives this.
  void init(Machine& machine, IrqOutput& line);
  void set(bool level);
  bool level() const;

 protected:
  void end() override {}
  void loaded() override;

 private:
  void tell();

  IrqOutput* line_{};
  mutable std::mutex mutex_;
  bool level_{false};               ///< as last set
  bool rose_{false}, fell_{false};  ///< since the receiver was told
  Posted posted_;
};

}  // namespace rhea
