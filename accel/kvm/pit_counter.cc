// SPDX-License-Identifier: GPL-2.0-or-later
// Counters of an 8254 between the kernel's form and a snapshot's.
#include "accel/kvm/pit_counter.h"

#include <algorithm>

namespace rhea::kvm {
namespace {

// The kernel's names for which byte of a count comes next.
constexpr u8 kSecondByte = 4, kFirstOfTwo = 3;
constexpr u8 kLastMode = 5;

}  // namespace

void PitCounter::describe(StateFields<PitCounter>& f) {
  f.state("control", &PitCounter::control).range(0, 0x3f);
  f.state("mode", &PitCounter::mode).range(0, kLastMode);
  f.state("access", &PitCounter::access).range(1, 3);
  f.state("bcd", &PitCounter::bcd);
  f.state("gate", &PitCounter::gate);
  f.state("count-register", &PitCounter::count_register);
  f.state("write-low", &PitCounter::write_low);
  f.state("element", &PitCounter::element);
  f.state("write-high-next", &PitCounter::write_high_next);
  f.state("read-high-next", &PitCounter::read_high_next);
  f.state("counted", &PitCounter::counted);
  f.state("loaded", &PitCounter::loaded);
  f.state("low-first", &PitCounter::low_first);
  f.state("before-load", &PitCounter::before_load);
  f.state("reload-pending", &PitCounter::reload_pending);
  f.state("reload-at", &PitCounter::reload_at);
  f.state("start", &PitCounter::start);
  f.state("frozen", &PitCounter::frozen);
  f.state("stopped", &PitCounter::stopped);
  f.state("seen", &PitCounter::seen);
  f.state("count-latched", &PitCounter::count_latched);
  f.state("status-latched", &PitCounter::status_latched);
  f.state("count-latch", &PitCounter::count_latch);
  f.state("status-latch", &PitCounter::status_latch);
}

PitCounter PitCounter::from_kernel(const kvm_pit_channel_state& in, u64 elapsed, u64 now) {
  PitCounter out;
  out.gate = in.gate != 0;
  out.seen = now;
  out.counted = out.loaded = true;
  out.element = out.count_register = static_cast<u16>(in.count);
  // One that was never programmed is as firmware's: the kernel gives it no mode.
  if (in.mode <= kLastMode && in.rw_mode >= 1 && in.rw_mode <= kFirstOfTwo) {
    out.mode = in.mode;
    out.access = in.rw_mode;
    out.bcd = in.bcd != 0;
    out.control = static_cast<u8>(in.rw_mode << 4 | in.mode << 1 | (in.bcd != 0));
  }
  const u64 count = out.element == 0 ? 0x10000 : out.element;
  if (out.mode == 2 || out.mode == 3) elapsed %= count;
  out.start = now - std::min(elapsed, now);
  out.stopped = !out.gate && out.mode != 1 && out.mode != kLastMode;
  out.write_low = in.write_latch;
  out.write_high_next = in.write_state == kSecondByte;
  out.read_high_next = in.read_state == kSecondByte || in.count_latched == kSecondByte;
  out.count_latched = in.count_latched != 0;
  out.count_latch = in.latched_count;
  out.status_latched = in.status_latched != 0;
  out.status_latch = in.status;
  return out;
}

kvm_pit_channel_state PitCounter::to_kernel() const {
  const u16 counted_down = loaded ? element : count_register;
  kvm_pit_channel_state out{};
  out.count = counted_down == 0 ? 0x10000 : counted_down;
  out.mode = mode;
  out.rw_mode = access;
  out.bcd = bcd;
  out.gate = gate;
  out.write_latch = write_low;
  out.write_state = write_high_next ? kSecondByte : access;
  out.read_state = read_high_next ? kSecondByte : access;
  out.count_latched = !count_latched ? u8{0} : read_high_next ? kSecondByte : access;
  out.latched_count = count_latch;
  out.status_latched = status_latched;
  out.status = status_latch;
  return out;
}

}  // namespace rhea::kvm
