// SPDX-License-Identifier: GPL-2.0-or-later
// Packed virtqueues (OASIS Virtual I/O Device 1.2, 2.8).
#include "hw/virtio/ring_access.h"
#include "hw/virtio/ring_layout.h"

namespace rhea::hw {
namespace {

constexpr u64 kFlags = 14, kId = 12, kLength = 8;

}  // namespace

void VirtQueue::advance(u16& position, bool& wrap, u16 slots) const {
  const u32 next = u32{position} + slots;
  if (next >= entries_) wrap = !wrap;
  position = static_cast<u16>(next >= entries_ ? next - entries_ : next);
}

/// Whether the next descriptor is the driver's gift. Where it is not, the driver is asked to notify
/// when it is.
bool VirtQueue::available_packed(bool& there) {
  const u64 flags_at =
      address(Area::Descriptors) + ring::kDescriptorBytes * next_available_ + kFlags;
  const auto look = [&] {
    u16 flags = 0;
    if (!fetch(flags_at, flags)) return false;
    there = ((flags & ring::kAvailable) != 0) == available_wrap_ &&
            ((flags & ring::kUsed) != 0) != available_wrap_;
    return true;
  };
  if (!look()) return false;
  if (!there && host_->rules().event_index) {
    const u64 event = address(Area::Device);
    const auto position =
        static_cast<u16>(next_available_ | (available_wrap_ ? ring::kEventWrap : 0));
    if (!store(event, position)) return false;
    ring::before_write();
    if (!store(event + ring::kEventFlags, ring::kEventAtDescriptor)) return false;
    ring::between_write_and_read();
    if (!look()) return false;
  }
  ring::after_read();
  return true;
}

Popped VirtQueue::pop_packed(VirtBuffer& buffer) {
  bool there = false;
  if (!available_packed(there)) return Popped::Broken;
  if (!there) return Popped::None;
  if (!follow_packed(buffer)) return Popped::Broken;
  advance(next_available_, available_wrap_, buffer.slots);
  take(buffer);
  return Popped::One;
}

/// Direct descriptors one behind another, or one that leads to a table.
bool VirtQueue::follow_packed(VirtBuffer& buffer) {
  const Table direct{.address = address(Area::Descriptors), .entries = entries_};
  const u32 free = u32{entries_} - in_use_;
  unsigned segments = 0;
  for (u32 count = 0;; ++count) {
    if (count >= free) return fail("a chain of more descriptors than there are free ones");
    Descriptor descriptor;
    if (!fetch_descriptor(direct, (u32{next_available_} + count) % entries_, descriptor))
      return false;
    buffer.id = descriptor.last;
    buffer.slots = static_cast<u16>(count + 1);
    if ((descriptor.flags & ring::kIndirect) != 0) {
      // 2.8.17 forbids it in a list, other than in split rings.
      if (count != 0) return fail("an indirect table behind direct descriptors");
      return follow_table(descriptor, buffer, segments);
    }
    if (!add_segment(buffer, descriptor, segments)) return false;
    if ((descriptor.flags & ring::kNext) == 0) return true;
  }
}

/// All descriptors of a table, in their order; of their flags only that of writing means something.
bool VirtQueue::follow_table(const Descriptor& descriptor, VirtBuffer& buffer, unsigned& segments) {
  Table table;
  if (!open_indirect(descriptor, table)) return false;
  for (u32 number = 0; number < table.entries; ++number) {
    Descriptor one;
    if (!fetch_descriptor(table, number, one)) return false;
    if ((one.flags & ring::kIndirect) != 0) return fail("an indirect table in an indirect table");
    if (!add_segment(buffer, one, segments)) return false;
  }
  return true;
}

void VirtQueue::publish_packed(const Finished& finished) {
  const u64 at = address(Area::Descriptors) + ring::kDescriptorBytes * next_used_;
  u16 flags = used_wrap_ ? ring::kAvailable | ring::kUsed : 0;
  if (finished.written != 0) flags |= ring::kWrite;
  if (!store(at + kId, finished.id) || !store(at + kLength, finished.written)) return;
  // The driver goes on from one to the next: it sees none before the first.
  if (together_ && first_flags_at_ == 0) {
    first_flags_at_ = at + kFlags;
    first_flags_ = flags;
  } else {
    ring::before_write();
    if (!store(at + kFlags, flags)) return;
  }
  advance(next_used_, used_wrap_, finished.slots);
}

void VirtQueue::show_packed() {
  if (first_flags_at_ == 0) return;
  ring::before_write();
  store(first_flags_at_, first_flags_);
}

bool VirtQueue::wants_interrupt_packed() {
  const u64 event = address(Area::Driver);
  u16 flags = 0, position = 0;
  ring::between_write_and_read();
  if (!fetch(event + ring::kEventFlags, flags) || untold_ == 0) return false;
  if (flags != ring::kEventAtDescriptor || !host_->rules().event_index)
    return flags != ring::kEventDisable;
  ring::after_read();
  if (!fetch(event, position)) return false;
  auto wanted = static_cast<u16>(position & ~ring::kEventWrap);
  // One of the round before.
  if (((position & ring::kEventWrap) != 0) != used_wrap_)
    wanted = static_cast<u16>(wanted - entries_);
  return ring::passed_event(wanted, next_used_, untold_);
}

}  // namespace rhea::hw
