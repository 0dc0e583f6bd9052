// SPDX-License-Identifier: GPL-2.0-or-later
// The PC's 8254 interval timer.
#include "hw/timer/i8254_counter.h"
#include "hw/timer/trace_events.h"
#include "rhea/hw/isa.h"
#include "rhea/softmmu/speaker_timer.h"

#include <algorithm>
#include <array>
#include <limits>

namespace rhea::hw {
namespace {

constexpr u64 kInputHz = 1'193'182;

/// The first nanosecond at which `pulses` of the input clock have passed.
i64 pulse_ns(u64 pulses) {
  const u128 ns = (static_cast<u128>(pulses) * kNsPerSecond + kInputHz - 1) / kInputHz;
  return static_cast<i64>(std::min<u128>(ns, std::numeric_limits<i64>::max()));
}

/// 8254 programmable interval timer (datasheet 231164) at 0x40. Counter 0 drives the output "" 0,
/// counter 2 is the speaker's (its gate comes from port 0x61), counter 1 once refreshed memory.
///
/// The output "" 0 differs from OUT 0 in one thing: it does not fall by the mere passing of time,
/// but together with the next rise. A tick so stays requested (the 8259 drops requests whose pin
/// falls) until its processor, which may have been held up by the host for many periods, takes it.
/// State: complete. Missing: nothing. OUT 0 rises at most 100,000 times a second, so that a tiny
/// count does not occupy the host.
class I8254 final : public IsaDevice, public SpeakerTimer {
 public:
  static constexpr std::string_view kName = "isa-pit";
  static void describe(Schema<I8254>& s) {
    s.help("8254 interval timer");
    s.board_only();
    s.property("iobase", &I8254::iobase_, u32{0x40}).range(0, 0xfffc).help("first I/O port");
    s.state("counters", &I8254::counters_);
    s.state("line", &I8254::out_);
  }

  I8254() { init_gpio_out("", out_); }

  void set_gate(bool high) override { counters_[2].set_gate(now(), high); }
  bool gate() const override { return counters_[2].gate(); }
  bool output() const override;
  void pre_save() override { update(); }
  Result<> post_load(unsigned version) override;

 protected:
  Result<> realize() override;
  void reset(ResetKind kind) override;

 private:
  static constexpr i64 kShortestInterval = 10'000;

  u64 read(u64 offset, unsigned size);
  void write(u64 offset, u64 value, unsigned size);
  void command(u8 control);
  void read_back(u8 command, u64 at);
  void catch_up(u64 at);
  void arm(u64 at);
  void update();
  void show_output(u64 at);
  u64 now() const { return machine().virtual_clock().ticks(kInputHz); }

  u32 iobase_{};
  i64 soonest_{0};  ///< of the next rise that is told of; not state: it is for the host's sake
  std::array<I8254Counter, 3> counters_;
  IrqOutput out_;
  Timer timer_;
  Region region_;
};

Result<> I8254::realize() {
  timer_.init(machine().virtual_clock(), [this] { update(); });
  region_.init_io(*this, "pit", 4,
                  io<&I8254::read, &I8254::write>({.min = 1, .max = 4}, {.min = 1, .max = 1}));
  add_port(static_cast<u16>(iobase_), region_);
  return {};
}

void I8254::reset(ResetKind) {
  const u64 at = now();
  soonest_ = 0;
  counters_[0].reset(at, true);
  counters_[1].reset(at, true);
  counters_[2].reset(at, false);
  show_output(at);
}

Result<> I8254::post_load(unsigned) {
  soonest_ = 0;
  update();
  return {};
}

bool I8254::output() const {
  I8254Counter counter = counters_[2];
  counter.advance(now());
  return counter.output(now());
}

// Tells of a rise since the last time. Whatever else a handler does is at the same time, or a rise
// in between would be lost.
void I8254::catch_up(u64 at) {
  if (!counters_[0].advance(at)) return;
  soonest_ = machine().virtual_clock().now_ns() + kShortestInterval;
  out_.lower();
  out_.raise();
  pit_output(*this, true);
}

void I8254::update() {
  const u64 at = now();
  catch_up(at);
  arm(at);
}

void I8254::arm(u64 at) {
  const auto rise = counters_[0].next_rise(at);
  if (!rise) return timer_.cancel();
  timer_.arm(std::max(pulse_ns(*rise), soonest_));
}

// After a write to counter 0: what the guest did to OUT shows at once.
void I8254::show_output(u64 at) {
  if (const bool level = counters_[0].output(at); level != out_.level()) {
    out_.set(level);
    pit_output(*this, level);
  }
  arm(at);
}

u64 I8254::read(u64 offset, unsigned) {
  const u64 at = now();
  if (offset == 0) catch_up(at);
  // The control word register cannot be read.
  const u8 value = offset == 3 ? 0 : counters_[offset].read(at);
  pit_read(*this, offset, value);
  return value;
}

void I8254::write(u64 offset, u64 value, unsigned) {
  const auto byte = static_cast<u8>(value);
  pit_write(*this, offset, value);
  if (offset == 3) return command(byte);
  const u64 at = now();
  if (offset == 0) catch_up(at);
  counters_[offset].write_count(at, byte);
  if (offset == 0) show_output(at);
}

// Counters 1 and 2 have no timer: a guest that measures by them finds nothing between its write and
// the moment they start.
void I8254::command(u8 control) {
  const unsigned select = control >> 6;
  const u64 at = now();
  if (select == 0 || select == 3) catch_up(at);
  if (select == 3) return read_back(control, at);
  if ((control & 0x30) == 0) return counters_[select].latch_count(at);
  counters_[select].write_control(at, control);
  if (select == 0) show_output(at);
}

void I8254::read_back(u8 command, u64 at) {
  for (unsigned i = 0; i < counters_.size(); ++i) {
    if ((command & 2u << i) == 0) continue;
    if ((command & 0x20) == 0) counters_[i].latch_count(at);
    if ((command & 0x10) == 0) counters_[i].latch_status(at);
  }
}

const RegisterType<I8254> registration;

}  // namespace
}  // namespace rhea::hw
