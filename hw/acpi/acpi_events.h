// SPDX-License-Identifier: GPL-2.0-or-later
// How devices tell an operating system of something by ACPI.
#pragma once

#include "rhea/softmmu/machine.h"

#include <functional>

namespace rhea::hw {

/// machine.service<AcpiEvents>(). Under the machine's lock.
struct AcpiEvents final : MachineService {
  explicit AcpiEvents(Machine&) {}

  /// The general-purpose events that the board's tables have methods for.
  static constexpr unsigned kGenerationChanged = 5;
  /// Raises one; set by whoever has the event registers, empty where nobody does.
  std::function<void(unsigned event)> raise;
};

}  // namespace rhea::hw
