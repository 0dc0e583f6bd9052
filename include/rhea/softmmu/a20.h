// SPDX-License-Identifier: GPL-2.0-or-later
// The gate of address line 20: where the board and an accelerator that has the pin meet.
#pragma once

#include "rhea/softmmu/machine.h"

#include <functional>
#include <utility>

namespace rhea {

/// machine.service<A20Gate>(). Under the machine's lock.
class A20Gate final : public MachineService {
 public:
  explicit A20Gate(Machine&) {}

  bool open() const { return open_; }
  void set(bool open) {
    if (open == open_) return;
    open_ = open;
    if (pin_)
      pin_(open);
    else if (wrap_)
      wrap_(open);
  }
  /// From an accelerator whose boot processor clears bit 20 of its addresses while the gate is
  /// closed (null: it goes).
  void set_pin(std::function<void(bool open)> pin) { pin_ = std::move(pin); }
  /// From the board: what it can do by the memory map for processors without the pin.
  void set_wrap(std::function<void(bool open)> wrap) { wrap_ = std::move(wrap); }

 private:
  bool open_{true};
  std::function<void(bool)> pin_, wrap_;
};

}  // namespace rhea
