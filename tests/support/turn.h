// SPDX-License-Identifier: GPL-2.0-or-later
// Running a machine's main loop by hand.
#pragma once

#include "rhea/softmmu/machine.h"

#include <chrono>
#include <functional>
#include <thread>

namespace rhea::test {

/// Runs the main loop until it is so; false when that takes longer than `patience`.
inline bool turn_until(Machine& machine, const std::function<bool()>& done,
                       std::chrono::seconds patience = std::chrono::seconds(5)) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    if (!machine.loop().iterate(false)) std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return true;
}

}  // namespace rhea::test
