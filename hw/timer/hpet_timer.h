// SPDX-License-Identifier: GPL-2.0-or-later
// One timer of an HPET as a function of the counter, without its wiring.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/util/types.h"

#include <optional>

namespace rhea::hw {

/// IA-PC HPET specification 1.0a, 2.3.8 to 2.3.10. Times are values of the counter, which goes
/// around; a 32-bit timer looks at its lower half.
struct HpetTimer {
  static constexpr u64 kLevel = 1 << 1, kInterrupt = 1 << 2, kPeriodic = 1 << 3,
                       kPeriodicCapable = 1 << 4, kWide = 1 << 5, kSetValue = 1 << 6,
                       kNarrow = 1 << 8, kRoute = 0x1f << 9, kMessages = 1 << 14,
                       kMessagesCapable = 1 << 15;
  static constexpr unsigned kRouteShift = 9, kRoutesShift = 32;

  u64 config{0};
  u64 comparator{~u64{0}};
  u64 period{0};
  u64 message{0};        ///< data, and the address in the upper half
  bool half_set{false};  ///< the lower half of a value was set, and the upper one is to follow

  static void describe(StateFields<HpetTimer>& s) {
    s.state("config", &HpetTimer::config);
    s.state("comparator", &HpetTimer::comparator);
    s.state("period", &HpetTimer::period);
    s.state("message", &HpetTimer::message);
    s.state("half-set", &HpetTimer::half_set);
  }

  bool has(u64 bits) const { return (config & bits) != 0; }
  unsigned route() const { return static_cast<unsigned>((config & kRoute) >> kRouteShift); }
  u64 mask() const { return has(kNarrow) ? 0xffff'ffff : ~u64{0}; }

  /// Whether the counter met the comparator after `before` and not after `now`; a periodic timer's
  /// comparator is then at its next place ahead.
  bool advance(u64 before, u64 now) {
    const u64 first = (comparator - before - 1) & mask();
    if (first >= now - before) return false;
    if (has(kPeriodic) && period != 0) {
      const u64 late = (now - comparator) & mask();
      comparator = (comparator + (late / period + 1) * period) & mask();
    }
    return true;
  }
  /// How far the counter is from meeting it.
  u64 distance(u64 now) const { return ((comparator - now - 1) & mask()) + 1; }
};

}  // namespace rhea::hw
