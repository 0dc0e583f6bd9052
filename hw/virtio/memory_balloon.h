// SPDX-License-Identifier: GPL-2.0-or-later
// The machine's balloon, as monitors see it.
#pragma once

#include "rhea/softmmu/machine.h"

namespace rhea::hw {

/// By what the guest can be asked for memory. Under the machine's lock.
class MemoryBalloon {
 public:
  /// Bytes that the guest has left.
  virtual u64 guest_bytes() const = 0;
  /// Asks the guest to keep so many; more than there are mean all.
  virtual void set_target(u64 bytes) = 0;

 protected:
  ~MemoryBalloon() = default;
};

/// machine.service<BalloonPlace>().
class BalloonPlace final : public MachineService {
 public:
  explicit BalloonPlace(Machine&) {}
  MemoryBalloon* balloon{};  ///< the only one; null: there is none
};

}  // namespace rhea::hw
