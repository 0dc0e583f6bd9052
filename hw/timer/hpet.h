// SPDX-License-Identifier: GPL-2.0-or-later
// The PC's high precision event timers, as the board that wires them sees them.
#pragma once

#include "hw/timer/hpet_timer.h"
#include "rhea/qom/device.h"
#include "rhea/softmmu/machine.h"
#include "rhea/softmmu/registers.h"

#include <array>

namespace rhea::hw {

/// IA-PC HPET specification 1.0a: a counter of 100 MHz and 3 to 24 timers on it, all of 64 bits and
/// all capable of periods, in 1 KiB at 0xfed00000. Outputs "" 0 to 23 are the I/O APIC's pins (0
/// and 8 also the 8259s' lines); the inputs "legacy" 0 and 1 are the 8254's output and the
/// real-time clock's, which pass through to lines 0 and 8 until the guest has timers 0 and 1 take
/// their places; then the output "pit-enable" is low. State: complete. Missing: nothing.
///
/// Where no host is in between a comparator that is set too late, behind the counter, waits until
/// the counter has gone around. Here it is the guest's processor that may have been held up between
/// its look at the counter and the write, and a timer that was missed by less than a second so
/// expires at once. An edge falls together with the next rise only, since 8259s forget a request
/// whose line falls; a timer expires 100,000 times a second at most, for the host's sake.
class Hpet final : public Device {
 public:
  static constexpr std::string_view kName = "hpet";
  static constexpr u64 kBase = 0xfed0'0000, kBytes = 0x400;
  static constexpr unsigned kPins = 24, kClockLine = 8;
  enum Legacy : unsigned { kFromPit, kFromRtc };
  static void describe(Schema<Hpet>& s);
  Hpet();

  /// The capabilities' lower half, by which ACPI's table names the block.
  u32 block_id() const { return static_cast<u32>(capabilities()); }
  void pre_save() override { settle(); }

 protected:
  Result<> realize() override;
  void reset(ResetKind kind) override;
  Result<> post_load(unsigned version) override;

 private:
  static constexpr unsigned kMostTimers = 24;
  static constexpr u64 kEnable = 1, kLegacyRoute = 2;
  static constexpr i64 kTickNs = 10, kShortestPeriod = 10'000;

  bool enabled() const { return (config_ & kEnable) != 0; }
  bool legacy() const { return (config_ & kLegacyRoute) != 0; }
  u64 capabilities() const;
  u64 counter() const;
  void set_counter(u64 value);
  void configure(u64 written, u64 before);
  void clear_status(u32 written);
  u64 timer_config(unsigned index) const;
  void set_timer_config(unsigned index, u64 written);
  u32 comparator_low(unsigned index) const;
  u32 comparator_high(unsigned index) const;
  void set_comparator_low(unsigned index, u32 value);
  void set_comparator_high(unsigned index, u32 value);
  void comparator_written(unsigned index);
  u64 timer_message(unsigned index) const;
  void set_timer_message(unsigned index, u64 value);

  /// Brings all timers to the present: those due expire.
  void settle();
  void settle(unsigned index);
  void expire(unsigned index);
  void arm(unsigned index);
  void arm_all();
  unsigned line_of(unsigned index) const;
  bool holds_line(unsigned index) const;
  void drive(unsigned line);
  void drive_all();
  void show_legacy();
  void set_legacy_input(unsigned input, bool level);
  u64 ticks() const {
    return static_cast<u64>(machine().virtual_clock().now_ns()) / static_cast<u64>(kTickNs);
  }

  u8 count_{};
  bool with_messages_{};
  u32 routes_{};
  bool keep_offset_{};

  u64 config_{};
  u32 status_{};
  u64 halted_at_{0};  ///< the counter's value while it stands
  u64 offset_{0};     ///< while it runs: its value less the clock's ticks
  u32 edges_{0};      ///< timers that hold their line high for an edge
  u8 inputs_{0};      ///< levels of the legacy inputs
  std::array<HpetTimer, kMostTimers> timers_{};

  std::array<u64, kMostTimers>
      settled_at_{};                        ///< the counter's value until which expiries are told
  std::array<i64, kMostTimers> soonest_{};  ///< of the next; not state: it is for the host's sake
  std::array<Timer, kMostTimers> clocks_;
  std::array<IrqOutput, kPins> lines_;
  IrqOutput pit_enable_;
  RegisterBank bank_;
};

}  // namespace rhea::hw
