// SPDX-License-Identifier: GPL-2.0-or-later
// Split virtqueues (OASIS Virtual I/O Device 1.2, 2.7).
#include "hw/virtio/ring_access.h"
#include "hw/virtio/ring_layout.h"

namespace rhea::hw {

/// How many buffers the driver has made available beyond those taken. Where that is none, the
/// driver is asked to notify.
bool VirtQueue::available_split(u16& ahead) {
  u16 index = 0;
  if (!fetch(address(Area::Driver) + ring::kAvailableIndex, index)) return false;
  ahead = static_cast<u16>(index - next_available_);
  if (ahead == 0 && host_->rules().event_index) {
    const u64 event = address(Area::Device) + ring::kUsedEntries + ring::kUsedBytes * entries_;
    if (!store(event, next_available_)) return false;
    ring::between_write_and_read();
    if (!fetch(address(Area::Driver) + ring::kAvailableIndex, index)) return false;
    ahead = static_cast<u16>(index - next_available_);
  }
  if (ahead > entries_) return fail("more available buffers than entries");
  ring::after_read();
  return true;
}

Popped VirtQueue::pop_split(VirtBuffer& buffer) {
  u16 ahead = 0, head = 0;
  if (!available_split(ahead)) return Popped::Broken;
  if (ahead == 0) return Popped::None;
  const u64 entry = ring::kAvailableEntries + 2 * u64{entry_of(next_available_)};
  if (!fetch(address(Area::Driver) + entry, head)) return Popped::Broken;
  if (!follow_split(head, buffer)) return Popped::Broken;
  buffer.id = head;
  buffer.slots = 1;
  ++next_available_;
  take(buffer);
  return Popped::One;
}

/// Direct descriptors, then perhaps an indirect table, which is the end.
bool VirtQueue::follow_split(u16 head, VirtBuffer& buffer) {
  Table table{.address = address(Area::Descriptors), .entries = entries_};
  bool indirect = false;
  unsigned segments = 0;
  u32 number = head;
  for (u32 steps = 0;; ++steps) {
    if (number >= table.entries) return fail("a descriptor that its table does not have");
    if (steps >= table.entries) return fail("a chain of descriptors without an end");
    Descriptor descriptor;
    if (!fetch_descriptor(table, number, descriptor)) return false;
    if ((descriptor.flags & ring::kIndirect) != 0) {
      if (indirect) return fail("an indirect table in an indirect table");
      if (!open_indirect(descriptor, table)) return false;
      indirect = true;
      number = 0;
      // The table's own are counted anew.
      steps = static_cast<u32>(-1);
      continue;
    }
    if (!add_segment(buffer, descriptor, segments)) return false;
    if ((descriptor.flags & ring::kNext) == 0) return true;
    number = descriptor.last;
  }
}

void VirtQueue::publish_split(const Finished& finished) {
  const u64 used = address(Area::Device);
  const u64 entry = used + ring::kUsedEntries + ring::kUsedBytes * entry_of(next_used_);
  if (!store(entry, u32{finished.id}) || !store(entry + 4, finished.written)) return;
  ++next_used_;
  if (!together_) show_split();
}

void VirtQueue::show_split() {
  ring::before_write();
  store(address(Area::Device) + ring::kUsedIndex, next_used_);
}

bool VirtQueue::wants_interrupt_split() {
  const u64 driver = address(Area::Driver);
  ring::between_write_and_read();
  if (host_->rules().notify_on_empty && in_use_ == 0) {
    u16 index = 0;
    if (!fetch(driver + ring::kAvailableIndex, index)) return false;
    if (index == next_available_) return true;
  }
  u16 word = 0;
  if (!host_->rules().event_index)
    return fetch(driver, word) && (word & ring::kNoInterrupt) == 0 && untold_ != 0;
  const u64 event = driver + ring::kAvailableEntries + 2 * u64{entries_};
  return fetch(event, word) && ring::passed_event(word, next_used_, untold_);
}

}  // namespace rhea::hw
