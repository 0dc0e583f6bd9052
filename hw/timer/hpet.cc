// SPDX-License-Identifier: GPL-2.0-or-later
// The PC's high precision event timers.
#include "hw/timer/hpet.h"

#include "hw/timer/trace_events.h"
#include "rhea/qom/registry.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <limits>

namespace rhea::hw {
namespace {

constexpr u64 kVendor = 0x8086, kRevision = 1, kWideCounter = 1 << 13, kLegacyCapable = 1 << 15;
constexpr u64 kTickFemtoseconds = 10'000'000;
constexpr unsigned kLegacyTimers = 2;
/// How long ago a comparator may have been met that is only now written.
constexpr u64 kMissedTicks = 100'000'000;
constexpr u64 kTimerStride = 0x20;

}  // namespace

void Hpet::describe(Schema<Hpet>& s) {
  s.help("high precision event timers");
  s.board_only();
  s.property("timers", &Hpet::count_, u8{3}).range(3, kMostTimers).help("how many timers");
  s.property("msi", &Hpet::with_messages_, false)
      .help("timers can interrupt by messages (FSB delivery)");
  s.property("hpet-intcap", &Hpet::routes_, u32{0})
      .help("I/O APIC pins that timers can be routed to, a bit each");
  s.property("hpet-offset-saved", &Hpet::keep_offset_, true)
      .help("only on: the counter goes on after a load as it was saved");
  s.registers(&Hpet::bank_, [](auto reg) {
    return reg.bank({.name = "hpet", .size = kBytes, .sizes = {.min = 4, .max = 8}, .elsewhere = 0},
                    reg("CAPABILITIES", 0x000, 8).read_by(&Hpet::capabilities),
                    reg("CONFIG", 0x010, &Hpet::config_)
                        .writable(kEnable | kLegacyRoute)
                        .after_write(&Hpet::configure)
                        .field("ENABLE", kEnable)
                        .field("LEGACY_ROUTE", kLegacyRoute),
                    reg("INTERRUPT_STATUS", 0x020, &Hpet::status_)
                        .bits((1U << kMostTimers) - 1)
                        .write_by(&Hpet::clear_status),
                    reg("COUNTER", 0x0f0, 8).read_by(&Hpet::counter).write_by(&Hpet::set_counter),
                    reg("TIMER_CONFIG", 0x100, 8)
                        .count(kMostTimers)
                        .stride(kTimerStride)
                        .read_by(&Hpet::timer_config)
                        .write_by(&Hpet::set_timer_config)
                        .field("LEVEL", HpetTimer::kLevel)
                        .field("INTERRUPT", HpetTimer::kInterrupt)
                        .field("PERIODIC", HpetTimer::kPeriodic)
                        .field("SET_VALUE", HpetTimer::kSetValue)
                        .field("32_BITS", HpetTimer::kNarrow)
                        .field("ROUTE", HpetTimer::kRoute)
                        .field("MESSAGES", HpetTimer::kMessages),
                    reg("COMPARATOR", 0x108, 4)
                        .count(kMostTimers)
                        .stride(kTimerStride)
                        .read_by(&Hpet::comparator_low)
                        .write_by(&Hpet::set_comparator_low),
                    reg("COMPARATOR_HIGH", 0x10c, 4)
                        .count(kMostTimers)
                        .stride(kTimerStride)
                        .read_by(&Hpet::comparator_high)
                        .write_by(&Hpet::set_comparator_high),
                    reg("MESSAGE", 0x110, 8)
                        .count(kMostTimers)
                        .stride(kTimerStride)
                        .read_by(&Hpet::timer_message)
                        .write_by(&Hpet::set_timer_message));
  });
  s.state("halted-at", &Hpet::halted_at_);
  s.state("offset", &Hpet::offset_);
  s.state("edges", &Hpet::edges_).range(0, (1U << kMostTimers) - 1);
  s.state("inputs", &Hpet::inputs_).range(0, 3).survives_reset();
  s.state("timers", &Hpet::timers_);
}

Hpet::Hpet() {
  for (IrqOutput& line : lines_) init_gpio_out("", line);
  init_gpio_out("pit-enable", pit_enable_);
  init_gpio_in<&Hpet::set_legacy_input>(*this, "legacy", kLegacyTimers);
}

Result<> Hpet::realize() {
  if (!keep_offset_) return fail("Property 'hpet.hpet-offset-saved' can only be on");
  for (unsigned i = 0; i < kMostTimers; ++i)
    clocks_[i].init(machine().virtual_clock(), [this, i] {
      settle(i);
      arm(i);
    });
  bank_.init(*this);
  machine().system_memory().add(kBase, bank_, 1);
  return {};
}

void Hpet::reset(ResetKind) {
  halted_at_ = 0;
  offset_ = 0;
  edges_ = 0;
  for (unsigned i = 0; i < kMostTimers; ++i) {
    clocks_[i].cancel();
    settled_at_[i] = 0;
    soonest_[i] = 0;
    timers_[i] = {};
    if (i >= count_) continue;
    timers_[i].config = HpetTimer::kPeriodicCapable | HpetTimer::kWide |
                        (with_messages_ ? HpetTimer::kMessagesCapable : 0) |
                        u64{routes_} << HpetTimer::kRoutesShift;
  }
  show_legacy();
}

// All due before the save has been told of then.
Result<> Hpet::post_load(unsigned) {
  settled_at_.fill(counter());
  soonest_.fill(0);
  arm_all();
  show_legacy();
  for (const IrqOutput& line : lines_) line.repeat();
  pit_enable_.repeat();
  return {};
}

u64 Hpet::capabilities() const {
  return kTickFemtoseconds << 32 | kVendor << 16 | kLegacyCapable | kWideCounter |
         static_cast<u64>(count_ - 1) << 8 | kRevision;
}

u64 Hpet::counter() const { return enabled() ? ticks() + offset_ : halted_at_; }

void Hpet::set_counter(u64 value) {
  if (enabled()) return log_guest("hpet", "the counter is written while it runs");
  halted_at_ = value;
  settled_at_.fill(value);
}

void Hpet::configure(u64, u64 before) {
  const u64 changed = config_ ^ before;
  if ((changed & kEnable) != 0 && enabled()) {
    offset_ = halted_at_ - ticks();
    settled_at_.fill(halted_at_);
  } else if ((changed & kEnable) != 0) {
    // What was due until now has come.
    config_ = before;
    settle();
    config_ = before ^ changed;
    halted_at_ = ticks() + offset_;
    edges_ = 0;
  }
  if ((changed & kLegacyRoute) != 0) {
    edges_ &= ~((1U << kLegacyTimers) - 1);
    show_legacy();
  }
  if (changed == 0) return;
  arm_all();
  drive_all();
}

void Hpet::clear_status(u32 written) {
  settle();
  status_ &= ~written;
  drive_all();
}

u64 Hpet::timer_config(unsigned index) const { return timers_[index].config; }

void Hpet::set_timer_config(unsigned index, u64 written) {
  if (index >= count_) return;
  settle(index);
  HpetTimer& timer = timers_[index];
  u64 writable = HpetTimer::kLevel | HpetTimer::kInterrupt | HpetTimer::kPeriodic |
                 HpetTimer::kSetValue | HpetTimer::kNarrow;
  if (with_messages_) writable |= HpetTimer::kMessages;
  // A pin that the timer cannot be routed to is not taken.
  const u64 route = (written & HpetTimer::kRoute) >> HpetTimer::kRouteShift;
  if ((routes_ >> route & 1) != 0 || route == 0) writable |= HpetTimer::kRoute;
  const unsigned line_before = line_of(index);
  timer.config = (timer.config & ~writable) | (written & writable);
  timer.half_set = false;
  if (timer.has(HpetTimer::kNarrow)) {
    timer.comparator &= timer.mask();
    timer.period &= timer.mask();
  }
  if (!timer.has(HpetTimer::kInterrupt) || timer.has(HpetTimer::kLevel | HpetTimer::kMessages))
    edges_ &= ~(1U << index);
  // Only what is level-triggered has a status.
  if (!timer.has(HpetTimer::kLevel)) status_ &= ~(1U << index);
  drive(line_before);
  drive(line_of(index));
  arm(index);
}

// Periods that have passed show at once.
u32 Hpet::comparator_low(unsigned index) const {
  if (index >= count_) return 0;
  HpetTimer timer = timers_[index];
  timer.advance(settled_at_[index], counter());
  return static_cast<u32>(timer.comparator);
}
u32 Hpet::comparator_high(unsigned index) const {
  if (index >= count_) return 0;
  HpetTimer timer = timers_[index];
  timer.advance(settled_at_[index], counter());
  return static_cast<u32>(timer.comparator >> 32);
}

// A periodic timer's write is its period; with the bit for it, where it first expires as well.
// The bit is cleared by the write, but what follows to the upper half belongs to it.
void Hpet::set_comparator_low(unsigned index, u32 value) {
  if (index >= count_) return;
  settle(index);
  HpetTimer& timer = timers_[index];
  constexpr u64 kUpper = ~u64{0} << 32;
  const bool sets = !timer.has(HpetTimer::kPeriodic) || timer.has(HpetTimer::kSetValue);
  if (sets) timer.comparator = (timer.comparator & kUpper) | value;
  if (timer.has(HpetTimer::kPeriodic)) timer.period = (timer.period & kUpper) | value;
  timer.half_set = timer.has(HpetTimer::kPeriodic) && sets;
  timer.config &= ~HpetTimer::kSetValue;
  comparator_written(index);
}

void Hpet::set_comparator_high(unsigned index, u32 value) {
  if (index >= count_) return;
  HpetTimer& timer = timers_[index];
  if (timer.has(HpetTimer::kNarrow)) return;
  settle(index);
  const u64 upper = u64{value} << 32;
  const bool sets =
      !timer.has(HpetTimer::kPeriodic) || timer.has(HpetTimer::kSetValue) || timer.half_set;
  if (sets) timer.comparator = (timer.comparator & 0xffff'ffff) | upper;
  if (timer.has(HpetTimer::kPeriodic)) timer.period = (timer.period & 0xffff'ffff) | upper;
  timer.half_set = false;
  timer.config &= ~HpetTimer::kSetValue;
  comparator_written(index);
}

void Hpet::comparator_written(unsigned index) {
  if (enabled()) {
    const u64 now = counter();
    settled_at_[index] = now - std::min(kMissedTicks, now);
    settle(index);
  }
  arm(index);
}

u64 Hpet::timer_message(unsigned index) const { return timers_[index].message; }
void Hpet::set_timer_message(unsigned index, u64 value) {
  if (index < count_ && with_messages_) timers_[index].message = value;
}

void Hpet::settle() {
  for (unsigned i = 0; i < count_; ++i) settle(i);
}

void Hpet::settle(unsigned index) {
  if (!enabled()) return;
  const u64 now = counter();
  const u64 before = std::exchange(settled_at_[index], now);
  if (timers_[index].advance(before, now)) expire(index);
}

void Hpet::expire(unsigned index) {
  const HpetTimer& timer = timers_[index];
  hpet_expires(*this, index);
  soonest_[index] = machine().virtual_clock().now_ns() + kShortestPeriod;
  if (timer.has(HpetTimer::kLevel)) status_ |= 1U << index;
  if (!timer.has(HpetTimer::kInterrupt)) return;
  if (timer.has(HpetTimer::kMessages)) {
    const MsiMessage message{.address = timer.message >> 32,
                             .data = static_cast<u32>(timer.message)};
    constexpr u64 kApics = 0xfee;
    if (message.address >> 20 != kApics)
      log_guest("hpet", "timer {}: {:#x} is no address of messages", index, message.address);
    else if (machine().interrupts.send_msi)
      machine().interrupts.send_msi(message);
    return;
  }
  const unsigned line = line_of(index);
  if (!timer.has(HpetTimer::kLevel)) {
    edges_ &= ~(1U << index);
    drive(line);
    edges_ |= 1U << index;
  }
  drive(line);
}

// One that nobody would hear of is settled when somebody looks.
void Hpet::arm(unsigned index) {
  const HpetTimer& timer = timers_[index];
  constexpr u64 kFar = std::numeric_limits<i64>::max() / kTickNs / 2;
  if (index >= count_ || !enabled() || !timer.has(HpetTimer::kInterrupt | HpetTimer::kLevel))
    return clocks_[index].cancel();
  const u64 distance = timer.distance(counter());
  if (distance > kFar) return clocks_[index].cancel();
  clocks_[index].arm(std::max(static_cast<i64>(ticks() + distance) * kTickNs, soonest_[index]));
}

void Hpet::arm_all() {
  for (unsigned i = 0; i < kMostTimers; ++i) arm(i);
}

unsigned Hpet::line_of(unsigned index) const {
  if (legacy() && index < kLegacyTimers) return index == 0 ? 0 : kClockLine;
  return timers_[index].route();
}

bool Hpet::holds_line(unsigned index) const {
  const HpetTimer& timer = timers_[index];
  if (!enabled() || !timer.has(HpetTimer::kInterrupt) || timer.has(HpetTimer::kMessages))
    return false;
  return ((timer.has(HpetTimer::kLevel) ? status_ : edges_) >> index & 1) != 0;
}

void Hpet::drive(unsigned line) {
  if (line >= kPins) return;
  bool high = false;
  if (!legacy() && line == 0) high = (inputs_ >> kFromPit & 1) != 0;
  if (!legacy() && line == kClockLine) high = (inputs_ >> kFromRtc & 1) != 0;
  for (unsigned i = 0; i < count_; ++i) high = high || (line_of(i) == line && holds_line(i));
  lines_[line].set(high);
}

void Hpet::drive_all() {
  for (unsigned line = 0; line < kPins; ++line) drive(line);
}

void Hpet::show_legacy() {
  pit_enable_.set(!legacy());
  drive_all();
}

void Hpet::set_legacy_input(unsigned input, bool level) {
  const auto bit = static_cast<u8>(1U << input);
  inputs_ = static_cast<u8>(level ? inputs_ | bit : inputs_ & ~bit);
  if (!legacy()) drive(input == kFromPit ? 0 : kClockLine);
}

namespace {
const RegisterType<Hpet> registration;
}  // namespace

}  // namespace rhea::hw
