// SPDX-License-Identifier: GPL-2.0-or-later
// ACPI's PM1 event and control registers and the power management timer, without a clock or wires.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/util/types.h"

#include <optional>

namespace rhea::hw {

/// ACPI 6.4, 4.8.3, as the PIIX4 has them. Time comes in as ticks of the timer since 0.
class Pm1 {
 public:
  static constexpr u64 kTimerHz = 3'579'545;
  static constexpr u16 kTimer = 0x0001, kGlobal = 0x0020, kPowerButton = 0x0100, kRtc = 0x0400,
                       kWake = 0x8000;
  static constexpr u16 kSciEnable = 0x0001, kSleepType = 0x1c00, kSleepEnable = 0x2000;

  static void describe(StateFields<Pm1>& s) {
    s.state("status", &Pm1::status_);
    s.state("enable", &Pm1::enable_);
    s.state("control", &Pm1::control_);
    s.state("overflow", &Pm1::overflow_);
  }
  void reset(u64 now);
  /// Brings back what suspension to RAM keeps powered: the upper halves of status and enable, and
  /// the sleep type.
  void keep_powered(const Pm1& before);
  /// Makes a loaded time of overflow one that can be.
  void settle(u64 now);

  static u32 timer(u64 now) { return static_cast<u32>(now & 0xff'ffff); }
  u16 status(u64 now) const { return now >= overflow_ ? status_ | kTimer : status_; }
  void clear_status(u16 bits, u64 now);
  void raise(u16 bits) { status_ |= bits; }
  u16 enable() const { return enable_; }
  void set_enable(u16 value) { enable_ = value & kEvents; }
  u16 control() const { return control_; }
  /// Returns the sleep type (0..7) when the write asks to sleep.
  std::optional<u8> set_control(u16 value);
  void set_sci_enabled(bool on);
  bool sci_enabled() const { return (control_ & kSciEnable) != 0; }

  bool pending(u64 now) {
    status_ = status(now);
    return (status_ & enable_) != 0;
  }
  /// When the timer's overflow will next change pending(), which has been asked now; nothing while
  /// it cannot.
  std::optional<u64> next_event() const;

 private:
  static constexpr u16 kEvents = kTimer | kGlobal | kPowerButton | kRtc;
  static constexpr u16 kResumeWell = 0xff00;
  static constexpr u64 kHalfPeriod = 0x80'0000;
  static u64 next_overflow(u64 now) { return (now | (kHalfPeriod - 1)) + 1; }

  u16 status_{0};
  u16 enable_{0};
  u16 control_{0};
  u64 overflow_{0};  ///< tick at which the timer's top bit changes and its status bit comes
};

}  // namespace rhea::hw
