// SPDX-License-Identifier: GPL-2.0-or-later
// What both layouts of virtqueues have in common.
#include "hw/virtio/virtqueue.h"

#include "hw/virtio/ring_access.h"
#include "hw/virtio/ring_layout.h"
#include "rhea/util/error.h"

#include <algorithm>
#include <bit>

namespace rhea::hw {

void VirtBuffer::clear() {
  id = slots = 0;
  out.clear();
  in.clear();
  out_bytes = in_bytes = 0;
}

void VirtQueue::Finished::describe(StateFields<Finished>& s) {
  s.state("id", &Finished::id);
  s.state("slots", &Finished::slots);
  s.state("written", &Finished::written);
  s.state("done", &Finished::done);
}

void VirtQueue::describe(StateFields<VirtQueue>& s) {
  s.state("entries", &VirtQueue::entries_);
  s.state("enabled", &VirtQueue::enabled_);
  s.state("broken", &VirtQueue::broken_);
  s.state("kicked", &VirtQueue::kicked_);
  s.state("areas", &VirtQueue::areas_);
  s.state("vector", &VirtQueue::vector_);
  s.state("next-available", &VirtQueue::next_available_);
  s.state("next-used", &VirtQueue::next_used_);
  s.state("available-wrap", &VirtQueue::available_wrap_);
  s.state("used-wrap", &VirtQueue::used_wrap_);
  s.state("in-use", &VirtQueue::in_use_);
  s.state("untold", &VirtQueue::untold_);
  s.state("order", &VirtQueue::order_).range(0, kMostEntries);
}

void VirtQueue::init(QueueHost& host, u16 number, u16 entries) {
  RHEA_ASSERT(std::has_single_bit(entries) && entries <= kMostEntries);
  host_ = &host;
  number_ = number;
  most_ = entries;
  reset();
  vector_ = kNoVector;
}

void VirtQueue::reset() {
  entries_ = most_;
  enabled_ = broken_ = kicked_ = false;
  areas_.fill(0);
  vector_ = kNoVector;
  next_available_ = next_used_ = 0;
  available_wrap_ = used_wrap_ = true;
  in_use_ = 0;
  untold_ = 0;
  order_.clear();
}

bool VirtQueue::accepts(u16 entries) const {
  return entries != 0 && entries <= most_ &&
         (host_->rules().packed || std::has_single_bit(entries));
}

void VirtQueue::set_legacy_address(u64 address, u64 align) {
  const u64 available = address + ring::kDescriptorBytes * entries_;
  // Flags, index, entries and event index.
  const u64 end = available + 2 * (3 + u64{entries_});
  areas_ = {address, available, (end + align - 1) / align * align};
}

Result<> VirtQueue::check_loaded() const {
  const bool packed = host_->rules().packed;
  const u16 positions = packed ? entries_ : u16{0xffff};
  if (!accepts(entries_) || in_use_ > entries_ || order_.size() > in_use_ ||
      (packed && (next_available_ >= positions || next_used_ >= positions)))
    return rhea::fail("virtqueue {} has positions that it cannot have", number_);
  unsigned slots = 0;
  for (const Finished& one : order_) {
    if (one.slots == 0 || (!packed && one.slots != 1))
      return rhea::fail("virtqueue {} has a buffer of {} descriptors", number_, one.slots);
    slots += one.slots;
  }
  if (slots > in_use_) return rhea::fail("virtqueue {} has more buffers than were taken", number_);
  return {};
}

bool VirtQueue::fail(std::string_view why) {
  if (!broken_) {
    broken_ = true;
    host_->queue_broken(number_, why);
  }
  return false;
}

// As two numbers, each read as one: what another processor writes meanwhile is seen or not.
bool VirtQueue::fetch_descriptor(const Table& table, u32 number, Descriptor& descriptor) {
  const u64 at = table.address + ring::kDescriptorBytes * number;
  u64 rest = 0;
  host_->add_work(1);
  if (!fetch(at, descriptor.address) || !fetch(at + 8, rest)) return false;
  descriptor.length = static_cast<u32>(rest);
  const auto first = static_cast<u16>(rest >> 32), second = static_cast<u16>(rest >> 48);
  const bool packed = host_->rules().packed;
  descriptor.flags = packed ? second : first;
  descriptor.last = packed ? first : second;
  return true;
}

/// The device ignores the write flag of a descriptor that leads to a table (2.7.5.3.2).
bool VirtQueue::open_indirect(const Descriptor& descriptor, Table& table) {
  if (!host_->rules().indirect) return fail("an indirect table that was not negotiated");
  if ((descriptor.flags & ring::kNext) != 0) return fail("a descriptor follows an indirect table");
  if (descriptor.length == 0 || descriptor.length % ring::kDescriptorBytes != 0)
    return fail("an indirect table without whole descriptors");
  table = {.address = descriptor.address,
           .entries = static_cast<u32>(descriptor.length / ring::kDescriptorBytes)};
  return true;
}

bool VirtQueue::add_segment(VirtBuffer& buffer, const Descriptor& descriptor, unsigned& segments) {
  if (++segments > kMostSegments) return fail("a buffer of too many descriptors");
  const bool write = (descriptor.flags & ring::kWrite) != 0;
  if (!write && buffer.in_bytes != 0)
    return fail("a descriptor for the device to read behind one to write");
  if (descriptor.length != 0 && descriptor.address + (descriptor.length - 1) < descriptor.address)
    return fail("a descriptor beyond the end of memory");
  (write ? buffer.in : buffer.out).add(descriptor.address, descriptor.length);
  (write ? buffer.in_bytes : buffer.out_bytes) += descriptor.length;
  if (buffer.in_bytes + buffer.out_bytes > u64{1} << 32) return fail("a buffer of more than 4 GiB");
  return true;
}

Popped VirtQueue::pop(VirtBuffer& buffer) {
  if (broken_) return Popped::Broken;
  if (in_use_ >= entries_) return Popped::None;
  buffer.clear();
  return host_->rules().packed ? pop_packed(buffer) : pop_split(buffer);
}

void VirtQueue::take(const VirtBuffer& buffer) {
  in_use_ = static_cast<u16>(in_use_ + buffer.slots);
  if (host_->rules().in_order)
    order_.push_back({.id = buffer.id, .slots = buffer.slots, .written = 0, .done = false});
}

void VirtQueue::undo_pop(const VirtBuffer& buffer) {
  in_use_ = static_cast<u16>(in_use_ - std::min(in_use_, buffer.slots));
  if (!order_.empty()) order_.pop_back();
  if (!host_->rules().packed) {
    --next_available_;
    return;
  }
  if (next_available_ < buffer.slots) {
    next_available_ = static_cast<u16>(next_available_ + entries_);
    available_wrap_ = !available_wrap_;
  }
  next_available_ = static_cast<u16>(next_available_ - buffer.slots);
}

void VirtQueue::push(const VirtBuffer& buffer, u32 written) {
  const Finished finished{.id = buffer.id, .slots = buffer.slots, .written = written, .done = true};
  if (!host_->rules().in_order) return publish(finished);
  const auto same = [&](const Finished& one) { return !one.done && one.id == buffer.id; };
  if (const auto found = std::ranges::find_if(order_, same); found != order_.end())
    *found = finished;
  while (!order_.empty() && order_.front().done) {
    publish(order_.front());
    order_.erase(order_.begin());
  }
}

void VirtQueue::publish(const Finished& finished) {
  in_use_ = static_cast<u16>(in_use_ - std::min(in_use_, finished.slots));
  if (broken_) return;
  untold_ = std::min<u32>(untold_ + finished.slots, 0xffff);
  host_->rules().packed ? publish_packed(finished) : publish_split(finished);
}

void VirtQueue::end_pushes() {
  together_ = false;
  if (!broken_) host_->rules().packed ? show_packed() : show_split();
  first_flags_at_ = 0;
}

bool VirtQueue::wants_interrupt() {
  if (broken_) return false;
  const bool wanted = host_->rules().packed ? wants_interrupt_packed() : wants_interrupt_split();
  untold_ = 0;
  return wanted && !broken_;
}

bool VirtQueue::read(const VirtBuffer& buffer, u64 skip, std::span<u8> data) {
  return buffer.out.from_guest(host_->memory(), skip, data) == MemResult::Ok ||
         fail("a buffer where no memory is, or too short");
}

bool VirtQueue::write(const VirtBuffer& buffer, u64 skip, std::span<const u8> data) {
  return buffer.in.to_guest(host_->memory(), skip, data) == MemResult::Ok ||
         fail("a buffer where no memory is, or too short");
}

}  // namespace rhea::hw

namespace rhea {

void StateCodec<hw::VirtBuffer>::save(const hw::VirtBuffer& buffer, StateWriter& out) {
  out.number(buffer.id, 2);
  out.number(buffer.slots, 2);
  for (const ScatterList* list : {&buffer.out, &buffer.in}) {
    out.number(list->segments().size(), 4);
    for (const DmaSegment& segment : list->segments()) {
      out.number(segment.address, 8);
      out.number(segment.length, 8);
    }
  }
}

Result<> StateCodec<hw::VirtBuffer>::load(hw::VirtBuffer& buffer, StateReader& in,
                                          const StateField& field) {
  buffer.clear();
  buffer.id = static_cast<u16>(TRY(in.number(2)));
  buffer.slots = static_cast<u16>(TRY(in.number(2)));
  u64 segments = 0;
  for (const bool write : {false, true}) {
    const u64 count = TRY(in.number(4));
    segments += count;
    if (segments > hw::VirtQueue::kMostSegments)
      return fail("state field '{}' has a buffer of {} segments", field.name, segments);
    for (u64 n = 0; n < count; ++n) {
      const u64 address = TRY(in.number(8)), length = TRY(in.number(8));
      if (length == 0 || length > ~u32{0} || address + (length - 1) < address)
        return fail("state field '{}' has a segment of {} bytes", field.name, length);
      (write ? buffer.in : buffer.out).add(address, length);
      (write ? buffer.in_bytes : buffer.out_bytes) += length;
    }
  }
  return {};
}

}  // namespace rhea
