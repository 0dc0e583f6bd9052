// SPDX-License-Identifier: GPL-2.0-or-later
// The PC's real-time clock and CMOS RAM.
#include "hw/rtc/mc146818.h"

#include "hw/rtc/rtc_calendar.h"
#include "hw/rtc/rtc_option.h"
#include "hw/rtc/trace_events.h"
#include "rhea/hw/isa.h"
#include "rhea/softmmu/suspension.h"
#include "rhea/softmmu/tool_events.h"

#include <algorithm>

namespace rhea {
namespace hw {
namespace {
enum class LostTickPolicy : u8 { Discard, Delay, Slew };
}  // namespace
}  // namespace hw

template <>
struct EnumTraits<hw::LostTickPolicy> {
  static constexpr std::string_view kType = "LostTickPolicy";
  static constexpr std::array<std::string_view, 3> kNames = {"discard", "delay", "slew"};
};

namespace hw {
namespace {

constexpr u64 kHz = 32768;

constexpr u8 kRegA = 0x0a;
constexpr u8 kRegB = 0x0b;
constexpr u8 kRegC = 0x0c;
constexpr u8 kRegD = 0x0d;
constexpr u8 kPs2Century = 0x37;

constexpr u8 kUpdateInProgress = 0x80;  // register A
constexpr u8 kDividerReset = 0x60;      // both bits
constexpr u8 kRate = 0x0f;
constexpr u8 kSet = 0x80;  // register B
constexpr u8 kPeriodicEnable = 0x40;
constexpr u8 kAlarmEnable = 0x20;
constexpr u8 kUpdateEnable = 0x10;
constexpr u8 kSquareWaveEnable = 0x08;
constexpr u8 kBinary = 0x04;
constexpr u8 k24Hours = 0x02;
constexpr u8 kInterrupt = 0x80;  // register C; the others stand where their enables do
constexpr u8 kPeriodic = 0x40;
constexpr u8 kAlarm = 0x20;
constexpr u8 kUpdate = 0x10;
constexpr u8 kValidRam = 0x80;  // register D

/// MC146818A real-time clock (datasheet) with 128 bytes at ports 0x70 and 0x71, a century byte at
/// 0x32 (also seen at 0x37) and IRQ 8. Date and time follow the host's wall clock, the periodic
/// interrupt the virtual clock. State: complete. Missing: daylight saving (DSE), the square-wave
/// pin, time bases other than 32768 Hz. The update cycle takes no time: UIP is up in the 244 us
/// before it.
class Rtc final : public IsaDevice, public Mc146818 {
 public:
  static constexpr std::string_view kName = "mc146818rtc";
  static void describe(Schema<Rtc>& s) {
    s.help("MC146818 real-time clock and CMOS RAM");
    s.property("base_year", &Rtc::base_year_, i32{1980})
        .range(0, 9999)
        .help("the year that 0 stands for; 2000 means the same as 0");
    s.property("iobase", &Rtc::iobase_, u16{0x70}).range(0, 0xfffe).help("first I/O port");
    s.property("irq", &Rtc::irq_number_, u8{8}).range(0, 15).help("ISA interrupt line");
    s.property("lost_tick_policy", &Rtc::policy_, LostTickPolicy::Discard)
        .help("what becomes of periodic interrupts that the guest was too slow for");
    s.state("memory", &Rtc::memory_).survives_reset();
    s.state("index", &Rtc::index_).range(0, kSize - 1);
    s.state("phase", &Rtc::phase_).survives_reset();
    s.state("updated", &Rtc::updated_).survives_reset();
    s.state("period-index", &Rtc::period_index_).survives_reset();
    s.state("lost-ticks", &Rtc::lost_ticks_).range(0, kMostLostTicks);
    s.state("repeated", &Rtc::repeated_);
  }

  Rtc() { init_gpio_out("", irq_); }

  void set_cmos(u8 index, u8 value) override { memory_[index % kSize] = value; }
  u8 cmos(u8 index) const override { return memory_[index % kSize]; }
  void set_time(i64 seconds) override;
  i64 time() const override { return rtc_seconds(memory_, format()) + elapsed(); }
  void pre_save() override { sync(); }
  Result<> post_load(unsigned version) override;

 protected:
  Result<> realize() override;
  void reset(ResetKind kind) override;

 private:
  static constexpr u32 kMostLostTicks = 1'000'000;
  static constexpr u8 kMostRepeats = 20;
  static constexpr i64 kUpdateWarning = 244'140;

  u64 read(u64 offset, unsigned size);
  void write(u64 offset, u64 value, unsigned size);
  u8 read_register();
  void write_register(u8 value);
  void tell_of_change();
  u8 take_flags();

  RtcFormat format() const;
  i64 chain_ns() const { return clock_->now_ns() + phase_; }
  i64 chain_second() const;
  i64 elapsed() const { return halted() ? 0 : chain_second() - updated_; }
  bool divider_reset() const { return (memory_[kRegA] & kDividerReset) == kDividerReset; }
  bool halted() const { return (memory_[kRegB] & kSet) != 0 || divider_reset(); }
  bool updates_soon() const;
  u64 period() const;
  u64 ticks() const { return machine().virtual_clock().ticks(kHz); }
  void sync();
  void sync_periodic();
  void refresh();
  void arm_wall_timer();
  void arm_periodic_timer();

  i32 base_year_{};
  u16 iobase_{};
  u8 irq_number_{};
  LostTickPolicy policy_{};

  RtcMemory memory_{};
  u8 index_{0};
  i64 phase_{0};         ///< the divider chain's time minus the clock's
  i64 updated_{0};       ///< the chain's second that the time registers show
  u64 period_index_{0};  ///< periods of the periodic interrupt seen so far
  u32 lost_ticks_{0};    ///< slew: periodic interrupts owed to the guest
  u8 repeated_{0};       ///< of them given since the last one of its own

  IrqOutput irq_;
  Clock* clock_{};     ///< what -rtc clock= names
  i64 started_at_{0};  ///< what it would show at the clock's 0, had the guest never set it
  Timer wall_timer_;
  Timer periodic_timer_;
  Region region_;
};

Result<> Rtc::realize() {
  if (policy_ == LostTickPolicy::Delay)
    return fail(
        "Property 'mc146818rtc.lost_tick_policy': 'delay' is not supported (use discard or slew)");
  if (base_year_ == 2000) base_year_ = 0;
  TRY(connect_isa_irq(irq_, irq_number_));
  const auto& settings = machine().service<RtcSettings>();
  clock_ = settings.clock;
  wall_timer_.init(*clock_, [this] { refresh(); });
  periodic_timer_.init(machine().virtual_clock(), [this] { refresh(); });
  // An alarm that came in the last moment wakes, too.
  machine().service<Suspension>().observe({.suspended = [this] { refresh(); }}, this);
  memory_[kRegA] = 0x26;
  memory_[kRegB] = k24Hours;
  memory_[kRegD] = kValidRam;
  set_time(settings.start(machine()));
  started_at_ = time() - clock_->now_ns() / kNsPerSecond;
  region_.init_io(*this, "rtc", 2,
                  io<&Rtc::read, &Rtc::write>({.min = 1, .max = 4}, {.min = 1, .max = 1}));
  add_port(iobase_, region_);
  return {};
}

// The RESET pin leaves the time, the RAM and register A alone.
void Rtc::reset(ResetKind) {
  sync();
  memory_[kRegB] &=
      static_cast<u8>(~(kPeriodicEnable | kAlarmEnable | kUpdateEnable | kSquareWaveEnable));
  memory_[kRegC] = 0;
  index_ = 0;
  lost_ticks_ = 0;
  repeated_ = 0;
  refresh();
}

Result<> Rtc::post_load(unsigned) {
  constexpr i64 far = i64{1} << 40;
  if (updated_ < -far || updated_ > far) return fail("the time {} s is out of range", updated_);
  phase_ %= kNsPerSecond;
  refresh();
  return {};
}

void Rtc::set_time(i64 seconds) {
  rtc_set_seconds(memory_, format(), seconds);
  updated_ = chain_second();
}

RtcFormat Rtc::format() const {
  return {.binary = (memory_[kRegB] & kBinary) != 0,
          .hours24 = (memory_[kRegB] & k24Hours) != 0,
          .base_year = base_year_};
}

i64 Rtc::chain_second() const {
  const i64 ns = chain_ns();
  return ns / kNsPerSecond - (ns % kNsPerSecond < 0 ? 1 : 0);
}

bool Rtc::updates_soon() const {
  return !halted() && chain_ns() - chain_second() * kNsPerSecond >= kNsPerSecond - kUpdateWarning;
}

// Makes up for the updates and periods since the last call.
void Rtc::sync() {
  sync_periodic();
  const i64 second = chain_second();
  const i64 moved = halted() ? 0 : second - updated_;
  updated_ = second;
  if (moved == 0) return;
  const i64 before = rtc_seconds(memory_, format());
  if (moved > 0) {
    memory_[kRegC] |= kUpdate;
    const auto alarm = rtc_next_alarm(memory_, format(), before);
    if (alarm && *alarm - before <= moved) memory_[kRegC] |= kAlarm;
  }
  rtc_move(memory_, format(), before, before + moved);
}

void Rtc::sync_periodic() {
  const u64 length = period();
  if (length == 0) return;
  const u64 index = ticks() / length;
  const u64 passed = index > period_index_ ? index - period_index_ : 0;
  period_index_ = index;
  if (passed == 0) return;
  const bool waiting = (memory_[kRegC] & kPeriodic) != 0;
  memory_[kRegC] |= kPeriodic;
  repeated_ = 0;
  if (policy_ == LostTickPolicy::Slew && (memory_[kRegB] & kPeriodicEnable) != 0)
    lost_ticks_ =
        static_cast<u32>(std::min<u64>(lost_ticks_ + passed - (waiting ? 0 : 1), kMostLostTicks));
}

// Ticks of 32768 Hz between periodic interrupts (datasheet, table 5); 0 for none.
u64 Rtc::period() const {
  const unsigned rate = memory_[kRegA] & kRate;
  if (rate == 0 || divider_reset()) return 0;
  return u64{1} << (rate <= 2 ? rate + 6 : rate - 1);
}

// Brings flags, the interrupt line and the timers up to date.
void Rtc::refresh() {
  sync();
  u8& flags = memory_[kRegC];
  const bool interrupts = (flags & memory_[kRegB] & (kPeriodic | kAlarm | kUpdate)) != 0;
  flags = static_cast<u8>(interrupts ? flags | kInterrupt : flags & ~kInterrupt);
  if (interrupts && !irq_.level()) rtc_interrupt(*this, flags);
  if ((flags & memory_[kRegB] & kAlarm) != 0)
    machine().service<Suspension>().wake(WakeSource::RtcAlarm);
  irq_.set(interrupts);
  arm_wall_timer();
  arm_periodic_timer();
}

// For the next update or alarm that the guest wants to hear of. A flag that is up already waits
// until it is read.
void Rtc::arm_wall_timer() {
  const auto wanted = static_cast<u8>(memory_[kRegB] & ~memory_[kRegC]);
  std::optional<i64> seconds;
  if ((wanted & kAlarm) != 0) {
    const i64 shown = rtc_seconds(memory_, format());
    if (const auto alarm = rtc_next_alarm(memory_, format(), shown)) seconds = *alarm - shown;
  }
  if ((wanted & kUpdate) != 0) seconds = 1;
  if (!seconds || halted()) return wall_timer_.cancel();
  wall_timer_.arm((updated_ + *seconds) * kNsPerSecond - phase_);
}

void Rtc::arm_periodic_timer() {
  const u64 length = period();
  const auto wanted = static_cast<u8>(memory_[kRegB] & ~memory_[kRegC]);
  if (length == 0 || (wanted & kPeriodic) == 0) return periodic_timer_.cancel();
  const u128 tick = static_cast<u128>(period_index_ + 1) * length;
  periodic_timer_.arm(static_cast<i64>((tick * kNsPerSecond + kHz - 1) / kHz));
}

u64 Rtc::read(u64 offset, unsigned) {
  if (offset == 0) return 0xff;  // the index register cannot be read
  const u8 value = read_register();
  cmos_read(*this, index_, value);
  return value;
}

void Rtc::write(u64 offset, u64 value, unsigned) {
  if (offset == 0) {
    // Bit 7 masks NMI, of which there are none.
    index_ = value & 0x7f;
    return;
  }
  cmos_write(*this, index_, static_cast<u8>(value));
  write_register(static_cast<u8>(value));
}

u8 Rtc::read_register() {
  switch (index_) {
    case kRegA: return static_cast<u8>(memory_[kRegA] | (updates_soon() ? kUpdateInProgress : 0));
    case kRegC: return take_flags();
    case kPs2Century: sync(); return memory_[kRtcCentury];
    default:
      if (index_ <= kRtcYear || index_ == kRtcCentury) sync();
      return memory_[index_];
  }
}

// Reading register C clears it.
u8 Rtc::take_flags() {
  refresh();
  const u8 flags = memory_[kRegC];
  memory_[kRegC] = 0;
  irq_.lower();  // even if the next flag is up already: an edge-triggered 8259 sees nothing else
  refresh();
  if (lost_ticks_ > 0 && repeated_ < kMostRepeats && (memory_[kRegB] & kPeriodicEnable) != 0) {
    --lost_ticks_;
    const auto count = static_cast<u8>(repeated_ + 1);
    memory_[kRegC] |= kPeriodic;
    refresh();
    repeated_ = count;
  }
  return flags;
}

bool is_time_register(u8 index) {
  const bool alarm =
      index == kRtcSecondsAlarm || index == kRtcMinutesAlarm || index == kRtcHoursAlarm;
  return (index <= kRtcYear && !alarm) || index == kRtcCentury || index == kPs2Century;
}

// Tools keep the difference, to start the guest with it next time.
void Rtc::tell_of_change() {
  const i64 unchanged = started_at_ + clock_->now_ns() / kNsPerSecond;
  machine().service<ToolEvents>().tell("RTC_CHANGE",
                                       {{"offset", time() - unchanged}, {"qom-path", path()}});
}

void Rtc::write_register(u8 value) {
  sync();
  const bool was_halted = halted();
  switch (index_) {
    case kRegA: {
      const bool was_reset = divider_reset();
      memory_[kRegA] = value & 0x7f;
      lost_ticks_ = 0;
      if (period() != 0) period_index_ = ticks() / period();
      // Out of reset the first update comes half a second later.
      if (was_reset && !divider_reset()) {
        phase_ = kNsPerSecond / 2 - clock_->now_ns() % kNsPerSecond;
        updated_ = chain_second();
      }
      break;
    }
    case kRegB:
      memory_[kRegB] = static_cast<u8>((value & kSet) != 0 ? value & ~kUpdateEnable : value);
      break;
    case kRegC:
    case kRegD: return;
    case kPs2Century: memory_[kRtcCentury] = value; break;
    default: memory_[index_] = value; break;
  }
  refresh();
  if (!halted() && (was_halted || is_time_register(index_))) tell_of_change();
}

const RegisterType<Rtc> registration;

}  // namespace
}  // namespace hw
}  // namespace rhea
