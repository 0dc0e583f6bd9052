// SPDX-License-Identifier: GPL-2.0-or-later
// What -rtc asks for.
#pragma once

#include "rhea/softmmu/machine.h"

#include <optional>

namespace rhea::hw {

/// Where a machine's real-time clock begins and what drives it. Main thread, while the machine is
/// built.
struct RtcSettings final : MachineService {
  explicit RtcSettings(Machine& machine) : clock(&machine.host_clock()) {}

  Clock* clock;  ///< that it goes by
  bool local_time{false};
  std::optional<i64> base;  ///< a date of the user's choice: seconds since 1970

  /// What it shows at the start.
  i64 start(Machine& machine) const;
};

}  // namespace rhea::hw
