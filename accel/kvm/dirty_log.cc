// SPDX-License-Identifier: GPL-2.0-or-later
// Fetching, clearing and harvesting dirty pages.
#include "accel/kvm/dirty_log.h"

#include "accel/kvm/trace_events.h"
#include "accel/kvm/vm.h"

#include <bit>

namespace rhea::kvm {
namespace {

constexpr u32 kPageSizeOfRing = 4096;

template <class F>
void for_each_client(unsigned clients, const F& visit) {
  for (unsigned client = 0; client < kDirtyClients; ++client)
    if ((clients >> client & 1) != 0) visit(static_cast<DirtyClient>(client));
}

}  // namespace

Result<> DirtyLog::set_up(u32 ring_entries) {
  if (ring_entries == 0) {
    const int offered = vm_->extension(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2);
    if ((offered & KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE) == 0) return {};
    TRY(vm_->enable_capability(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
                               KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE));
    way_ = Way::Manual;
    return {};
  }
  const bool ordered = vm_->extension(KVM_CAP_DIRTY_LOG_RING_ACQ_REL) != 0;
  const int capability = ordered ? KVM_CAP_DIRTY_LOG_RING_ACQ_REL : KVM_CAP_DIRTY_LOG_RING;
  const auto most = static_cast<u32>(vm_->extension(capability)) / u32{sizeof(kvm_dirty_gfn)};
  const u32 least = kPageSizeOfRing / u32{sizeof(kvm_dirty_gfn)};
  if (!std::has_single_bit(ring_entries))
    return fail("dirty-ring-size={} is not a power of two", ring_entries);
  if (most == 0) return fail("dirty-ring-size={}: this host's KVM has no dirty ring", ring_entries);
  if (ring_entries < least || ring_entries > most)
    return fail("dirty-ring-size={} is out of range for this host's KVM ({} to {})", ring_entries,
                least, most);
  TRY(vm_->enable_capability(static_cast<u32>(capability), ring_entries * sizeof(kvm_dirty_gfn)));
  ring_entries_ = ring_entries;
  way_ = Way::Ring;
  return {};
}

std::string DirtyLog::describe() const {
  switch (way_) {
    case Way::Ring: return fmt::format("rings of {} entries", ring_entries_);
    case Way::Manual: return "bitmap, protected by hand";
    case Way::Fetch: break;
  }
  return "bitmap, protected when fetched";
}

void DirtyLog::sync(Slot& slot) {
  if (way_ != Way::Ring) return fetch(slot);
  // A processor may keep page numbers to itself until it leaves the guest.
  const GuestGate::Closure closure(vm_->gate());
  harvest();
}

void DirtyLog::fetch(Slot& slot) {
  std::vector<u64> bitmap((slot.pages() + 63) / 64);
  kvm_dirty_log request{};
  request.slot = slot.id;
  request.dirty_bitmap = bitmap.data();
  const int result = call(vm_->fd(), KVM_GET_DIRTY_LOG, &request);
  kvm_get_dirty_log_call(slot.id, result);
  if (result < 0) return;
  for_each_client(slot.clients, [&](DirtyClient client) {
    slot.block->merge_dirty(client, slot.block_offset / kPageSize, bitmap, slot.pages());
  });
  if (way_ != Way::Manual) return;
  slot.seen.resize(bitmap.size());
  for (std::size_t i = 0; i < bitmap.size(); ++i) slot.seen[i] |= bitmap[i];
}

void DirtyLog::protect(Slot& slot, u64 first, u64 last) {
  if (way_ != Way::Manual || slot.seen.empty()) return;
  const u64 first_page = (first - slot.gpa) / kPageSize;
  const u64 end_page = (last - slot.gpa) / kPageSize + 1;
  // The kernel wants whole words. Of them only pages are cleared that were asked for and that the
  // log has reported: what was written since stays dirty.
  const u64 first_word = first_page / 64;
  std::vector<u64> bitmap((end_page + 63) / 64 - first_word);
  u64 any = 0;
  for (u64 i = 0; i < bitmap.size(); ++i) {
    u64 mask = ~u64{0};
    const u64 word_page = (first_word + i) * 64;
    if (first_page > word_page) mask &= ~u64{0} << (first_page - word_page);
    if (end_page < word_page + 64) mask &= ~u64{0} >> (word_page + 64 - end_page);
    bitmap[i] = slot.seen[first_word + i] & mask;
    slot.seen[first_word + i] &= ~mask;
    any |= bitmap[i];
  }
  if (any == 0) return;
  kvm_clear_dirty_log request{};
  request.slot = slot.id;
  request.first_page = first_word * 64;
  request.num_pages =
      static_cast<u32>(std::min<u64>(bitmap.size() * 64, slot.pages() - first_word * 64));
  request.dirty_bitmap = bitmap.data();
  const int result = call(vm_->fd(), KVM_CLEAR_DIRTY_LOG, &request);
  kvm_clear_dirty_log_call(slot.id, request.first_page, request.num_pages, result);
}

void DirtyLog::harvest() {
  const DomainGuard guard(&vm_->machine().lock());
  u32 count = 0;
  bool overrun = false;
  for (Ring& ring : rings_) {
    const u32 taken = harvest_ring(ring);
    overrun |= taken >= ring.entries.size();
    count += taken;
  }
  if (count > 0) call(vm_->fd(), KVM_RESET_DIRTY_RINGS);
  kvm_dirty_ring_harvest(count);
  if (!overrun) return;
  // KVM leaves the guest before a ring is full, but a KVM that emulates long stretches of guest
  // code looks too late.
  vm_->warn_once("ring",
                 "this host's KVM overruns its dirty rings: all logged memory counts as written");
  vm_->slots().restart_log();
}

u32 DirtyLog::harvest_ring(Ring& ring) {
  u32 count = 0;
  for (; count < ring.entries.size(); ++count) {
    kvm_dirty_gfn& entry = ring.entries[ring.next % ring.entries.size()];
    const std::atomic_ref flags(entry.flags);
    if ((flags.load(std::memory_order_acquire) & KVM_DIRTY_GFN_F_DIRTY) == 0) break;
    const Slot* slot = vm_->slots().by_id(entry.slot & 0xffff);
    if (slot != nullptr && entry.offset < slot->pages())
      for_each_client(slot->clients, [&](DirtyClient client) {
        slot->block->mark_dirty_for(client, slot->block_offset + entry.offset * kPageSize,
                                    kPageSize);
      });
    flags.store(KVM_DIRTY_GFN_F_RESET, std::memory_order_release);
    ++ring.next;
  }
  return count;
}

}  // namespace rhea::kvm
