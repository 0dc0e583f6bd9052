// SPDX-License-Identifier: GPL-2.0-or-later
// From flat ranges to KVM_SET_USER_MEMORY_REGION.
#include "accel/kvm/memory_slots.h"

#include "accel/kvm/trace_events.h"
#include "accel/kvm/vm.h"

#include <algorithm>

namespace rhea::kvm {
namespace {

constexpr u32 kOldLimit = 32;  // what kernels offered that do not say

u64 page_up(u64 address) { return (address + kPageSize - 1) & ~(kPageSize - 1); }

}  // namespace

MemorySlots::MemorySlots(Vm& vm)
    : vm_(&vm),
      memfds_(vm, vm.options().guest_memfd),
      region2_(vm.extension(KVM_CAP_USER_MEMORY2) != 0),
      readonly_offered_(vm.extension(KVM_CAP_READONLY_MEM) != 0) {
  const int offered = vm.extension(KVM_CAP_NR_MEMSLOTS);
  limit_ = offered > 0 ? static_cast<u32>(offered) : kOldLimit;
}

MemorySlots::~MemorySlots() = default;

// The slot a range asks for; null when it has no whole page of memory, or must be reached through
// exits.
std::unique_ptr<Slot> MemorySlots::wanted(const FlatRange& range) const {
  if (!range.readable_memory()) return nullptr;
  const bool readonly = !range.writable_memory();
  if (readonly && !readonly_offered_) return nullptr;
  const u64 first = page_up(range.first);
  const u64 end = (range.last + 1) & ~(kPageSize - 1);  // 0 at the very end of the space
  if (first < range.first || end - first == 0 || (end != 0 && end <= first)) return nullptr;
  u8* host = range.host(first);
  if (reinterpret_cast<u64>(host) % kPageSize != 0) return nullptr;
  auto slot = std::make_unique<Slot>();
  slot->gpa = first;
  slot->size = end - first;
  slot->host = host;
  slot->readonly = readonly;
  slot->clients = range.log_clients;
  slot->block = range.region->ram();
  slot->block_offset = static_cast<u64>(host - slot->block->host());
  return slot;
}

void MemorySlots::begin() {
  going_.clear();
  coming_.clear();
}

void MemorySlots::region_del(const FlatRange& range) {
  going_.emplace_back(range.first, range.last);
}

void MemorySlots::region_add(const FlatRange& range) {
  if (auto slot = wanted(range)) coming_.push_back(std::move(slot));
}

void MemorySlots::commit() {
  std::vector<Slot*> leaving;
  for (const auto& [first, last] : going_) {
    const auto it = slots_.find(page_up(first));
    if (it == slots_.end() || it->first < first || it->second->last() > last) continue;
    Slot& old = *it->second;
    // What goes and comes back the same was cut only elsewhere.
    const auto same =
        std::ranges::find_if(coming_, [&old](const auto& s) { return s->same_memory(old); });
    if (same == coming_.end()) {
      leaving.push_back(&old);
      continue;
    }
    FlatRange range{.first = old.gpa, .last = old.last()};
    log_change(range, old.clients, (*same)->clients);
    coming_.erase(same);
  }
  going_.clear();
  if (leaving.empty()) {
    for (auto& slot : coming_) create(std::move(slot));
  } else {
    // Between removal and creation code would vanish under a vCPU that runs it.
    const GuestGate::Closure closure(vm_->gate());
    for (Slot* slot : leaving) remove(*slot);
    for (auto& slot : coming_) create(std::move(slot));
  }
  coming_.clear();
}

void MemorySlots::create(std::unique_ptr<Slot> slot) {
  const auto free = std::ranges::find(by_id_, nullptr);
  slot->id = static_cast<u32>(free - by_id_.begin());
  if (slot->id >= limit_) {
    vm_->warn_once(
        "slots",
        fmt::format("this host's KVM offers only {} memory slots: guest memory from {:#x} on is "
                    "reached through exits, slowly",
                    limit_, slot->gpa));
    return;
  }
  slot->in_guest_memfd = !slot->readonly && slot->clients == 0 && memfds_.fd_for(slot->block) >= 0;
  int result = tell_kernel(*slot, slot->size);
  if (result < 0 && slot->in_guest_memfd) {
    // Each page of a guest_memfd can be in one slot only; a second view of it is ordinary memory.
    slot->in_guest_memfd = false;
    result = tell_kernel(*slot, slot->size);
  }
  if (result < 0) {
    vm_->warn_once(fmt::format("slot {:x}", slot->gpa),
                   fmt::format("KVM refuses guest memory {:#x}..{:#x} of '{}' ({}): it is reached "
                               "through exits, slowly",
                               slot->gpa, slot->last(), slot->block->id(), errno_text(-result)));
    return;
  }
  if (free == by_id_.end())
    by_id_.push_back(slot.get());
  else
    *free = slot.get();
  slots_.insert_or_assign(slot->gpa, std::move(slot));
}

void MemorySlots::remove(Slot& slot) {
  if (slot.clients != 0) vm_->dirty_log().sync(slot);
  tell_kernel(slot, 0);
  by_id_[slot.id] = nullptr;
  slots_.erase(slot.gpa);
}

// A size of 0 removes the slot.
int MemorySlots::tell_kernel(const Slot& slot, u64 size) {
  const u32 flags = size == 0 ? 0
                              : (slot.readonly ? u32{KVM_MEM_READONLY} : 0) |
                                    (slot.clients != 0 ? u32{KVM_MEM_LOG_DIRTY_PAGES} : 0) |
                                    (slot.in_guest_memfd ? u32{KVM_MEM_GUEST_MEMFD} : 0);
  int result = 0;
  if (region2_) {
    kvm_userspace_memory_region2 region{};
    region.slot = slot.id;
    region.flags = flags;
    region.guest_phys_addr = slot.gpa;
    region.memory_size = size;
    region.userspace_addr = reinterpret_cast<u64>(slot.host);
    if (slot.in_guest_memfd && size != 0) {
      region.guest_memfd = static_cast<u32>(memfds_.fd_for(slot.block));
      region.guest_memfd_offset = slot.block_offset;
    }
    result = call(vm_->fd(), KVM_SET_USER_MEMORY_REGION2, &region);
  } else {
    kvm_userspace_memory_region region{};
    region.slot = slot.id;
    region.flags = flags;
    region.guest_phys_addr = slot.gpa;
    region.memory_size = size;
    region.userspace_addr = reinterpret_cast<u64>(slot.host);
    result = call(vm_->fd(), KVM_SET_USER_MEMORY_REGION, &region);
  }
  kvm_set_user_memory(slot.id, slot.gpa, size, flags, result);
  return result;
}

template <class F>
void MemorySlots::for_each_in(u64 first, u64 last, F&& visit) {
  auto it = slots_.upper_bound(first);
  if (it != slots_.begin()) --it;
  for (; it != slots_.end() && it->first <= last; ++it)
    if (it->second->last() >= first) visit(*it->second);
}

void MemorySlots::log_change(const FlatRange& range, unsigned, unsigned new_clients) {
  for_each_in(range.first, range.last, [&](Slot& slot) {
    if (slot.clients == new_clients) return;
    if (slot.clients != 0) vm_->dirty_log().sync(slot);
    const bool flips = (slot.clients != 0) != (new_clients != 0);
    slot.clients = new_clients;
    if (!flips) return;
    slot.seen.clear();
    if (slot.in_guest_memfd) {
      // Such a slot can neither log nor change: make it an ordinary one of the same pages.
      const GuestGate::Closure closure(vm_->gate());
      tell_kernel(slot, 0);
      slot.in_guest_memfd = false;
      tell_kernel(slot, slot.size);
      return;
    }
    if (const int result = tell_kernel(slot, slot.size); result < 0)
      vm_->warn_once("log", fmt::format("KVM cannot log writes to {:#x}..{:#x}: {}", slot.gpa,
                                        slot.last(), errno_text(-result)));
  });
}

void MemorySlots::log_sync(const FlatRange& range) {
  vm_->coalesced().drain();
  for_each_in(range.first, range.last, [this](Slot& slot) {
    if (slot.clients != 0) vm_->dirty_log().sync(slot);
  });
}

void MemorySlots::log_clear(const FlatRange&, u64 first, u64 last) {
  for_each_in(first, last, [&](Slot& slot) {
    if (slot.clients != 0)
      vm_->dirty_log().protect(slot, std::max(first, slot.gpa), std::min(last, slot.last()));
  });
}

void MemorySlots::restart_log() {
  const GuestGate::Closure closure(vm_->gate());
  for (const auto& [gpa, slot] : slots_) {
    if (slot->clients == 0) continue;
    // Switching the log off and on protects every page again.
    const unsigned clients = std::exchange(slot->clients, 0);
    tell_kernel(*slot, slot->size);
    slot->clients = clients;
    tell_kernel(*slot, slot->size);
    slot->block->mark_dirty(slot->block_offset, slot->size);
  }
}

Slot* MemorySlots::by_id(u32 id) const { return id < by_id_.size() ? by_id_[id] : nullptr; }

std::string MemorySlots::to_text() const {
  std::string text;
  for (const auto& [gpa, slot] : slots_)
    text += fmt::format("{:016x}-{:016x} {}{}{} {}\n", gpa, slot->last(),
                        slot->readonly ? "ro" : "rw", slot->clients != 0 ? " log" : "",
                        slot->in_guest_memfd ? " guest-memfd" : "", slot->block->id());
  return text;
}

}  // namespace rhea::kvm
