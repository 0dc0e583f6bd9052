// SPDX-License-Identifier: GPL-2.0-or-later
// What -icount asks for.
#pragma once

#include "rhea/softmmu/machine.h"

#include <optional>

namespace rhea::accel {

/// Virtual time by executed instructions. Main thread, while the machine is built.
struct InstructionCount final : MachineService {
  explicit InstructionCount(Machine&) {}
  struct Settings {
    unsigned shift{};  ///< an instruction takes 2^shift ns
    bool sleep{};      ///< an idle guest's time passes with the host's
  };
  std::optional<Settings> settings;  ///< when asked for
  bool obeyed{};                     ///< the accelerator counts
};

}  // namespace rhea::accel
