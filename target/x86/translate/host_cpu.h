// SPDX-License-Identifier: GPL-2.0-or-later
// What of the host's instruction set emitters may use.
#pragma once

namespace rhea::x86::translating {

struct HostCpu {
  bool bmi1{}, bmi2{}, lzcnt{}, popcnt{};
};

inline const HostCpu& host_cpu() {
  static const HostCpu found{.bmi1 = __builtin_cpu_supports("bmi") != 0,
                             .bmi2 = __builtin_cpu_supports("bmi2") != 0,
                             .lzcnt = __builtin_cpu_supports("lzcnt") != 0,
                             .popcnt = __builtin_cpu_supports("popcnt") != 0};
  return found;
}

}  // namespace rhea::x86::translating
