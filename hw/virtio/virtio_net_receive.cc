// SPDX-License-Identifier: GPL-2.0-or-later
// How a virtio network card receives (OASIS Virtual I/O Device 1.2, 5.1.6.3 and 5.1.6.4).
#include "hw/net/flow_hash.h"
#include "hw/net/received_sums.h"
#include "hw/virtio/virtio_net.h"
#include "rhea/util/log.h"

#include <algorithm>

namespace rhea::hw {

using namespace virtio_net;

namespace {

constexpr std::size_t kEthernetHeader = 14;

}  // namespace

// On the port's thread.
std::size_t VirtioNet::receive(std::span<const Frame> frames) {
  if (core_->held()) {
    starved_ = true;
    return 0;
  }
  starved_ = false;
  if (!core_->live()) return frames.size();
  std::size_t taken = 0;
  core_->begin_turn();
  while (taken < frames.size() && !core_->turn_is_over() &&
         receive_one(frames[taken]) == Outcome::Done)
    ++taken;
  if (taken < frames.size()) {
    starved_ = true;
    if (core_->turn_is_over()) port_.send_soon();
  }
  for (u16 pair = 0; pair < pairs_; ++pair) {
    if (!touched_[pair]) continue;
    touched_[pair] = false;
    core_->tell_driver(receive_queue(pair));
  }
  return taken;
}

/// The one by which the driver sends of the same flow (5.1.6.5.6).
u16 VirtioNet::pair_for(Frame frame) const {
  if (used_pairs_ == 1) return 0;
  const u16 pair = flows_[flow_hash(frame)];
  return pair < used_pairs_ ? pair : u16{0};
}

VirtioNet::Outcome VirtioNet::receive_one(Frame frame) {
  if (!filter_.passes(frame, mac_, core_->accepts(kControlVlan))) return Outcome::Done;
  const u16 pair = pair_for(frame);
  VirtQueue& queue = core_->queue(receive_queue(pair));
  if (!queue.enabled()) return Outcome::Done;
  bool fits = false;
  if (collect(queue, header_bytes() + frame.size(), fits) == Outcome::NoRoom)
    return Outcome::NoRoom;
  if (fits) {
    store(queue, frame);
    touched_[pair] = true;
  }
  return Outcome::Done;
}

/// Takes as many buffers as it needs; none when they are not there yet, or never will do. Together
/// they may have as many descriptors as one may.
VirtioNet::Outcome VirtioNet::collect(VirtQueue& queue, std::size_t bytes, bool& fits) {
  const bool merges = core_->accepts(kMergeable);
  const u64 end = core_->looked_at() + VirtQueue::kMostSegments;
  u64 room = 0;
  merged_count_ = 0;
  Popped popped = Popped::One;
  while (room < bytes && (merges || merged_count_ == 0) && core_->looked_at() < end) {
    if (merged_count_ == merged_.size()) merged_.emplace_back();
    popped = queue.pop(merged_[merged_count_]);
    if (popped != Popped::One) break;
    room += merged_[merged_count_++].in_bytes;
  }
  fits = room >= bytes;
  if (fits) return Outcome::Done;
  // All that a ring can hold is not enough, or one that stands alone.
  const bool never = popped == Popped::Broken || queue.in_use() >= queue.entries() ||
                     core_->looked_at() >= end || (!merges && merged_count_ != 0);
  while (merged_count_ != 0) queue.undo_pop(merged_[--merged_count_]);
  if (never) log_guest("virtio-net", "a frame needs {} bytes, and buffers have {}", bytes, room);
  return never ? Outcome::Done : Outcome::NoRoom;
}

void VirtioNet::store(VirtQueue& queue, Frame frame) {
  std::array<u8, kHeader> header{};
  const std::size_t header_size = header_bytes();
  if (has_offload(kGuestSums) && frame.size() >= kEthernetHeader &&
      check_sums(frame, kEthernetHeader).tcp_udp == SumCheck::Result::Good)
    header[0] = kSumIsGood;
  header[kBuffersAt] = static_cast<u8>(merged_count_);
  header[kBuffersAt + 1] = static_cast<u8>(merged_count_ >> 8);
  if (!queue.write(merged_[0], 0, std::span(header).first(header_size))) return;
  std::size_t written = 0;
  queue.begin_pushes();
  for (std::size_t n = 0; n < merged_count_; ++n) {
    const std::size_t before = n == 0 ? header_size : 0;
    const u64 room = merged_[n].in_bytes - before;
    const std::size_t some = static_cast<std::size_t>(std::min<u64>(room, frame.size() - written));
    if (!queue.write(merged_[n], before, frame.subspan(written, some))) break;
    written += some;
    queue.push(merged_[n], static_cast<u32>(before + some));
  }
  queue.end_pushes();
}

}  // namespace rhea::hw
