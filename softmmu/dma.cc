// SPDX-License-Identifier: GPL-2.0-or-later
// Bus-master transfers and scatter lists.
#include "rhea/softmmu/dma.h"

#include "softmmu/device_faults.h"
#include "softmmu/dispatch_scope.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace rhea {

namespace {

// On purpose: x-fault.
bool goes_wrong(const Device* owner) {
  DeviceFaults* faults = FaultTable::find(owner);
  return faults != nullptr && faults->transfer_fails();
}

}  // namespace

void DmaMaster::init(Device& owner, AddressSpace& space, u16 requester_id) {
  owner_ = &owner;
  space_ = &space;
  requester_id_ = requester_id;
}

MemResult DmaMaster::read(u64 address, std::span<u8> data) const {
  if (!enabled() || goes_wrong(owner_)) {
    std::fill(data.begin(), data.end(), u8{0xff});
    return MemResult::Refused;
  }
  const DispatchScope scope(owner_);
  return space_->read(address, data, {.requester_id = requester_id_});
}

MemResult DmaMaster::write(u64 address, std::span<const u8> data) const {
  if (!enabled() || goes_wrong(owner_)) return MemResult::Refused;
  const DispatchScope scope(owner_);
  return space_->write(address, data, {.requester_id = requester_id_});
}

u64 ScatterList::size() const {
  u64 total = 0;
  for (const DmaSegment& segment : segments_)
    total += std::min(segment.length, std::numeric_limits<u64>::max() - total);
  return total;
}

namespace {

/// Calls `move(address, offset, length)` for each piece of the list that `length` bytes after
/// `skip` lie in.
template <class Move>
MemResult walk(const ScatterList& list, u64 skip, u64 length, Move&& move) {
  const u64 total = list.size();
  if (skip > total || length > total - skip) return MemResult::Refused;
  MemResult worst = MemResult::Ok;
  u64 done = 0;
  for (const DmaSegment& segment : list.segments()) {
    if (done == length) break;
    if (skip >= segment.length) {
      skip -= segment.length;
      continue;
    }
    const u64 piece = std::min(segment.length - skip, length - done);
    worst = std::max(worst, move(segment.address + skip, done, piece));
    done += piece;
    skip = 0;
  }
  return worst;
}

}  // namespace

MemResult ScatterList::to_guest(const DmaMaster& master, u64 skip, std::span<const u8> data) const {
  return walk(*this, skip, data.size(), [&](u64 address, u64 offset, u64 length) {
    return master.write(address, data.subspan(offset, length));
  });
}

MemResult ScatterList::from_guest(const DmaMaster& master, u64 skip, std::span<u8> data) const {
  return walk(*this, skip, data.size(), [&](u64 address, u64 offset, u64 length) {
    return master.read(address, data.subspan(offset, length));
  });
}

}  // namespace rhea
