// SPDX-License-Identifier: GPL-2.0-or-later
// A counter of the kernel's 8254 as a snapshot has it.
#pragma once

#include "accel/kvm/uapi.h"
#include "rhea/qom/state.h"
#include "rhea/util/types.h"

#include <algorithm>

namespace rhea::kvm {

inline constexpr u64 kPitHz = 1193182;
inline constexpr u64 kMostElapsed = u64{1} << 48;  ///< years

/// As isa-pit saves its counters, so that each loads what the other saved. Times are pulses of the
/// virtual clock at kPitHz.
struct PitCounter {
  u8 control{0x36}, mode{3}, access{3};
  bool bcd{}, gate{true};
  u16 count_register{};
  u8 write_low{};
  u16 element{};
  bool write_high_next{}, read_high_next{}, counted{}, loaded{}, low_first{}, before_load{true},
      reload_pending{};
  u64 reload_at{}, start{}, frozen{};
  bool stopped{};
  u64 seen{};
  bool count_latched{}, status_latched{};
  u16 count_latch{};
  u8 status_latch{};

  static void describe(StateFields<PitCounter>& f);

  /// `elapsed` pulses were counted since the kernel's counter was loaded, and now it is `now`.
  static PitCounter from_kernel(const kvm_pit_channel_state& in, u64 elapsed, u64 now);
  /// Pulses since it was loaded.
  u64 elapsed(u64 now) const { return now > start ? std::min(now - start, kMostElapsed) : 0; }
  /// The kernel counts from the beginning.
  kvm_pit_channel_state to_kernel() const;
};

}  // namespace rhea::kvm
