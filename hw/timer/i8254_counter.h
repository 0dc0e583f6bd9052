// SPDX-License-Identifier: GPL-2.0-or-later
// One counter of an 8254 as a function of time, without its wiring.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/util/types.h"

#include <optional>

namespace rhea::hw {

/// One counter of an 8254 (datasheet 231164). Times are pulses of its CLK input since some fixed
/// moment. The counting element is not stepped: its value and OUT follow from the pulse that loaded
/// it. Every call names the time, which never goes back.
class I8254Counter {
 public:
  static void describe(StateFields<I8254Counter>& s);

  /// What PC firmware finds: mode 3, the longest count, running if the gate is high.
  void reset(u64 now, bool gate);
  void write_control(u64 now, u8 control);
  void write_count(u64 now, u8 value);
  /// Counter latch command, or the read-back command's part of it.
  void latch_count(u64 now);
  void latch_status(u64 now);
  u8 read(u64 now);
  void set_gate(u64 now, bool high);
  bool gate() const { return gate_; }
  /// OUT; advance(now) comes first.
  bool output(u64 now) const;

  /// Brings the counter up to `now`; true when OUT has risen since it was last brought up to date.
  bool advance(u64 now);
  /// When OUT next rises, as far as can be told before a new count takes effect: at the latest
  /// then. For a timer that calls advance().
  std::optional<u64> next_rise(u64 now) const;

 private:
  enum class Access : u8 { Latch, Low, High, Both };
  struct Edges {
    u64 first;   ///< the first rise after the load
    u64 period;  ///< then one each so many pulses; 0: no more
  };

  void load(u64 at);
  void count_written(u64 now);
  /// Clocks counted since the load.
  u64 elapsed(u64 now) const;
  u32 period() const;
  u32 modulus() const { return bcd_ ? 10'000 : 65'536; }
  /// Mode 3: pulses that OUT is high in each period, the rest it is low.
  u32 high_part() const { return (period() + 1) / 2; }
  u32 square_position(u64 clocks) const;
  bool periodic() const { return mode_ == 2 || mode_ == 3; }
  bool gate_triggers() const { return mode_ == 1 || mode_ == 5; }
  std::optional<Edges> rises() const;
  bool rose_between(u64 after, u64 until) const;
  u64 next_reload(u64 now) const;
  u16 live_count(u64 now) const;
  bool null_count(u64 now) const { return !loaded_ || reload_pending_ || now < start_; }

  u8 control_{0};  ///< access, mode and BCD bits as the status byte shows them
  u8 mode_{0};     ///< 0 to 5
  Access access_{Access::Both};
  bool bcd_{false};
  bool gate_{true};
  u16 count_register_{0};
  u8 write_low_{0};  ///< the first of two bytes
  u16 element_{0};   ///< the count register's value when the counting element was loaded
  bool write_high_next_{false};
  bool read_high_next_{false};
  bool counted_{false};     ///< the count register was written since the control word
  bool loaded_{false};      ///< the counting element was loaded since the control word
  bool low_first_{false};   ///< mode 3: the load began a low half
  bool before_load_{true};  ///< OUT until the pulse that loads
  bool reload_pending_{false};
  u64 reload_at_{0};     ///< modes 2 and 3: when a new count takes effect
  u64 start_{0};         ///< the pulse that loaded the counting element
  u64 frozen_{0};        ///< clocks counted when the gate stopped it
  bool stopped_{false};  ///< the gate holds the counting element
  u64 seen_{0};          ///< advance() has been here
  bool count_latched_{false};
  bool status_latched_{false};
  u16 count_latch_{0};
  u8 status_latch_{0};
};

}  // namespace rhea::hw
