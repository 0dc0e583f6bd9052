// SPDX-License-Identifier: GPL-2.0-or-later
// How Realtek's RTL8139 sends: four descriptors in registers, or the two rings of C+ mode.
#include "hw/net/frame_sums.h"
#include "hw/net/rtl8139_turn.h"
#include "hw/net/trace_events.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <cstring>

namespace rhea::hw {

using namespace rtl8139;

// On the port's thread.
void Rtl8139::transmit() {
  if (!flush() || (cr_ & kSendEnable) == 0) return;
  SendTurn turn;
  bool more = true;
  while (more && turn.goes_on()) {
    // A frame that is begun is finished from its own ring.
    const bool high = polled_high_ && (!gathering_ || from_high_);
    const bool normal = polled_normal_ && (!gathering_ || !from_high_);
    if (!batch_.has_room()) {
      --turn.batches;
      more = flush();
    } else if (cutting_) {
      cut_segment(turn);
    } else if ((cpcr_ & kPlusSend) == 0) {
      more = send_descriptor(turn);
    } else if (high || normal) {
      send_plus(turn, high);
    } else {
      more = false;
    }
  }
  if (flush() && more) port_.send_soon();
  if (turn.causes != 0) raise(turn.causes);
}

// One of the four; false when the next in turn has nothing to send.
bool Rtl8139::send_descriptor(SendTurn& turn) {
  u32& status = tsd_[next_send_];
  if ((status & kSendOwn) != 0) return false;
  const u32 length = status & kSendSize;
  const u32 address = tsad_[next_send_];
  --turn.descriptors;
  turn.bytes -= std::min(turn.bytes, length);
  const std::span<u8> frame = batch_.extend(length);
  if (dma().read(address, frame) != MemResult::Ok) {
    log_guest("rtl8139", "no frame of {} bytes at {:#x}", length, address);
    batch_.abandon();
    status |= kSendOwn | kSendAborted;
    ++tally_.send_errors;
    ++tally_.aborted;
    turn.causes |= kIntSendError | kIntSystemError;
    // It waits at this one for TCR.CLRABT.
    return false;
  }
  if (length != 0) add_frame(turn, {});
  status |= kSendOwn | kSendOk;
  turn.causes |= kIntSent;
  next_send_ = (next_send_ + 1) % 4;
  return true;
}

// What is in the making is complete.
void Rtl8139::add_frame(SendTurn& turn, std::optional<u32> tag) {
  const std::span<u8> frame = batch_.making();
  // The guest's own check sequence is no part of what back ends move.
  if ((tcr_ & kOwnCheck) != 0 && frame.size() > kCheckBytes)
    batch_.shorten(frame.size() - kCheckBytes);
  const Frame sent = batch_.finish(tag);
  rtl8139_sent(*this, sent.size());
  ++tally_.sent;
  turn.causes |= kIntSent;
}

bool Rtl8139::loops_back() const { return (tcr_ & kLoopback) == kLoopback; }

// Hands on what is finished; false when some of it is left: can_send() comes when there is room.
bool Rtl8139::flush() {
  const auto frames = batch_.frames();
  if (frames.empty()) return true;
  if (loops_back()) {
    loop_back(frames);
    batch_.taken(frames.size());
    return true;
  }
  const std::size_t taken = port_.send(frames);
  batch_.taken(taken);
  return taken == frames.size();
}

// What it has no buffers for is lost: nobody keeps it.
void Rtl8139::loop_back(std::span<const Frame> frames) {
  looping_ = true;
  const std::size_t taken = receive(frames);
  looping_ = false;
  if (taken == frames.size()) return;
  count_missed(frames.size() - taken);
  raise(kIntOverflow);
}

}  // namespace rhea::hw
