// SPDX-License-Identifier: GPL-2.0-or-later
// The real-time clock as the board sees it.
#pragma once

#include "rhea/util/types.h"

namespace rhea::hw {

/// What device "mc146818rtc" offers to whoever builds the machine. Main loop, under the machine's
/// lock.
class Mc146818 {
 public:
  static constexpr unsigned kSize = 128;  ///< registers and battery-backed RAM

  virtual ~Mc146818() = default;
  /// The battery-backed RAM as firmware finds it; index below kSize.
  virtual void set_cmos(u8 index, u8 value) = 0;
  virtual u8 cmos(u8 index) const = 0;
  /// Sets what the clock shows: seconds since 1970 in the guest's time zone.
  virtual void set_time(i64 seconds) = 0;
  /// What it shows now.
  virtual i64 time() const = 0;
};

}  // namespace rhea::hw
