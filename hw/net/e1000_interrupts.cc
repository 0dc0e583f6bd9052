// SPDX-License-Identifier: GPL-2.0-or-later
// Interrupts of Intel's gigabit cards: causes, masks, delays (chapter 13.4.17 to 13.4.31 of the
// 8254x manual).
#include "hw/net/e1000.h"
#include "hw/net/trace_events.h"

#include <algorithm>
#include <utility>

namespace rhea::hw {

using namespace e1000;

namespace {
constexpr i64 kThrottleNs = 256;  // a unit of ITR
constexpr i64 kDelayNs = 1024;    // of RDTR, RADV, TIDV, TADV
}  // namespace

u32 E1000::read_causes() {
  const u32 causes = std::exchange(icr_, 0);
  update_interrupt();
  return causes;
}

void E1000::clear_causes(u32 value) {
  icr_ &= ~value;
  update_interrupt();
}

void E1000::raise(u32 causes) {
  // What a delay was for has come.
  if ((causes & kIntReceived) != 0) end_delay(receive_delay_, receive_absolute_at_);
  if ((causes & kIntSent) != 0) end_delay(send_delay_, send_absolute_at_);
  icr_ |= causes & kIntAll;
  e1000_causes(*this, causes, icr_);
  update_interrupt();
}

void E1000::write_mask_set(u32 value) {
  ims_ |= value & kIntAll;
  update_interrupt();
}

void E1000::write_mask_clear(u32 value) {
  ims_ &= ~value;
  update_interrupt();
}

// A line that is high stays so until the guest has served it; it rises no sooner than ITR after it
// rose last.
void E1000::update_interrupt() {
  const bool wanted = (icr_ & ims_) != 0;
  if (wanted == line_) return;
  if (wanted && itr_ != 0 && mitigation_) {
    const i64 now = machine().virtual_clock().now_ns();
    if (now < quiet_until_) {
      if (!moderation_.armed()) moderation_.arm(quiet_until_);
      return;
    }
    quiet_until_ = now + i64{itr_} * kThrottleNs;
  }
  line_ = wanted;
  set_intx(wanted);
}

void E1000::write_itr(u32 value) {
  itr_ = value;
  moderation_.cancel();
  const i64 now = machine().virtual_clock().now_ns();
  quiet_until_ = std::min(quiet_until_, now + i64{itr_} * kThrottleNs);
  update_interrupt();
}

// Each frame puts the packet timer off, up to the absolute one.
void E1000::delay(Timer& timer, i64& absolute_at, u32 packet, u32 absolute) {
  const i64 now = machine().virtual_clock().now_ns();
  if (absolute != 0 && absolute_at < 0) absolute_at = now + i64{absolute} * kDelayNs;
  i64 at = now + i64{packet} * kDelayNs;
  if (absolute_at >= 0) at = std::min(at, absolute_at);
  if (timer.expiry_ns() != at) timer.arm(at);
}

void E1000::end_delay(Timer& timer, i64& absolute_at) {
  timer.cancel();
  absolute_at = -1;
}

bool E1000::delays_received() const { return rdtr_ != 0 && mitigation_; }
bool E1000::delays_sent() const { return tidv_ != 0 && mitigation_; }

void E1000::write_rdtr(u32 value) {
  rdtr_ = value & ~kFlushPartial;
  if ((value & kFlushPartial) != 0 && receive_delay_.armed()) raise(kIntReceived);
}

void E1000::write_tidv(u32 value) {
  tidv_ = value & ~kFlushPartial;
  if ((value & kFlushPartial) != 0 && send_delay_.armed()) raise(kIntSent);
}

}  // namespace rhea::hw
