// SPDX-License-Identifier: GPL-2.0-or-later
// A whole pc board in process, without CPUs: what -accel qtest gives.
#pragma once

#include "accel/accelerator.h"
#include "hw/i386/board.h"
#include "rhea/softmmu/machine.h"

#include <functional>

namespace rhea::test {

/// The machine's lock is held for its life; virtual time stands until the test moves it.
class Pc {
 public:
  /// `prepare` does what options would before the board is built. Throws std::runtime_error with
  /// the error's text.
  explicit Pc(MachineConfig config = {}, const std::function<void(Machine&)>& prepare = {});
  ~Pc();
  Pc(const Pc&) = delete;
  Pc& operator=(const Pc&) = delete;

  Machine& machine() { return *machine_; }
  /// Every realized device, in tree order.
  std::vector<Device*> devices();

 private:
  std::unique_ptr<Machine> machine_;
};

}  // namespace rhea::test
