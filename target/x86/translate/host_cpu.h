// SPDX-License-Identifier: GPL-2.0-or-later
// What of the host's instruction set emitters may use.
#pragma once

#include <cpuid.h>

namespace rhea::x86::translating {

struct HostCpu {
  bool bmi1{}, bmi2{}, lzcnt{}, popcnt{}, avx{}, xsave{};
};

/// Whether the host's system has it on: CPUID.1:ECX.OSXSAVE.
inline bool has_xsave() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & 1U << 27) != 0;
}

inline const HostCpu& host_cpu() {
  static const HostCpu found{.bmi1 = __builtin_cpu_supports("bmi") != 0,
                             .bmi2 = __builtin_cpu_supports("bmi2") != 0,
                             .lzcnt = __builtin_cpu_supports("lzcnt") != 0,
                             .popcnt = __builtin_cpu_supports("popcnt") != 0,
                             .avx = __builtin_cpu_supports("avx") != 0,
                             .xsave = has_xsave()};
  return found;
}

}  // namespace rhea::x86::translating
