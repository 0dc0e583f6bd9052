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
  }

  I8254() { init_gpio_out("", out_); }

  void set_gate(bool high) override { counters_[2].set_gate(now(), high); }
  bool gate() const override { return counters_[2].gate(); }
  bool output() const override;
  void pre_save() override { update(); }
  Result<> post_load(unsigned version) override;

 protected:
  Result<> realize() override;
  void unrealize() override;
  void reset(ResetKind kind) override;

 private:
  static constexpr i64 kShortestInterval = 10'000;

  u64 read(u64 offset, unsigned size);
  void write(u64 offset, u64 value, unsigned size);
  void read_back(u8 command);
  void update();
  u64 now() const { return machine().virtual_clock().ticks(kInputHz); }

  u32 iobase_{};
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

void I8254::unrealize() {
  timer_.cancel();
  IsaDevice::unrealize();
}

void I8254::reset(ResetKind) {
  counters_[0].reset(now(), true);
  counters_[1].reset(now(), true);
  counters_[2].reset(now(), false);
  update();
}

Result<> I8254::post_load(unsigned) {
  update();
  return {};
}

bool I8254::output() const {
  I8254Counter counter = counters_[2];
  counter.advance(now());
  return counter.output(now());
}

// Brings OUT 0 up to date and arms the timer for its next change.
void I8254::update() {
  I8254Counter& counter = counters_[0];
  const u64 at = now();
  const bool rose = counter.advance(at);
  const bool level = counter.output(at);
  if (rose && out_.level()) out_.lower();
  if (rose) out_.raise();
  if (rose || level != out_.level()) pit_output(level);
  out_.set(level);
  const auto change = counter.next_change(at);
  if (!change) return timer_.cancel();
  const i64 soonest = machine().virtual_clock().now_ns() + kShortestInterval;
  timer_.arm(std::max(pulse_ns(*change), soonest));
}

u64 I8254::read(u64 offset, unsigned) {
  if (offset == 0) update();
  // The control word register cannot be read.
  const u8 value = offset == 3 ? 0 : counters_[offset].read(now());
  pit_read(offset, value);
  return value;
}

void I8254::write(u64 offset, u64 value, unsigned) {
  const auto byte = static_cast<u8>(value);
  pit_write(offset, value);
  update();
  if (offset < 3) {
    counters_[offset].write_count(now(), byte);
  } else if (const unsigned select = byte >> 6; select == 3) {
    read_back(byte);
  } else if ((byte & 0x30) == 0) {
    counters_[select].latch_count(now());
  } else {
    counters_[select].write_control(now(), byte);
  }
  update();
}

void I8254::read_back(u8 command) {
  for (unsigned i = 0; i < counters_.size(); ++i) {
    if ((command & 2u << i) == 0) continue;
    if ((command & 0x20) == 0) counters_[i].latch_count(now());
    if ((command & 0x10) == 0) counters_[i].latch_status(now());
  }
}

const RegisterType<I8254> registration;

}  // namespace
}  // namespace rhea::hw
