// SPDX-License-Identifier: GPL-2.0-or-later
// Guest memory as KVM knows it: one slot for each page-aligned stretch of RAM or ROM in the flat
// view.
#pragma once

#include "accel/kvm/guest_memfd.h"
#include "rhea/softmmu/address_space.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rhea::kvm {

class Vm;

/// One stretch of guest-physical memory that KVM reaches without us.
struct Slot {
  u32 id{};
  u64 gpa{}, size{};
  u8* host{};
  bool readonly{};
  unsigned clients{};  ///< bit per DirtyClient that logs it
  std::shared_ptr<RamBlock> block;
  u64 block_offset{};
  std::vector<u64> seen;  ///< pages that the log has reported and that are not protected again yet
  bool in_guest_memfd{};

  u64 pages() const { return size / kPageSize; }
  u64 last() const { return gpa + size - 1; }
  bool same_memory(const Slot& o) const {
    return gpa == o.gpa && size == o.size && host == o.host && readonly == o.readonly;
  }
};

/// Follows the memory address space. Runs under the machine's lock. The parts of a range outside
/// whole pages, and ranges for which no slot is left, are reached through exits.
class MemorySlots final : public MemoryListener {
 public:
  explicit MemorySlots(Vm& vm);
  ~MemorySlots() override;
  MemorySlots(const MemorySlots&) = delete;
  MemorySlots& operator=(const MemorySlots&) = delete;

  void begin() override;
  void region_del(const FlatRange& range) override;
  void region_add(const FlatRange& range) override;
  void commit() override;
  void log_change(const FlatRange& range, unsigned old_clients, unsigned new_clients) override;
  void log_sync(const FlatRange& range) override;
  void log_clear(const FlatRange& range, u64 first, u64 last) override;

  /// For when the log has lost pages: every logged page counts as written, and is logged anew.
  void restart_log();

  /// nullptr when there is none of this number (any more).
  Slot* by_id(u32 id) const;
  const std::map<u64, std::unique_ptr<Slot>>& slots() const { return slots_; }
  u32 limit() const { return limit_; }
  /// "0000000000000000-000000000009ffff rw log pc.ram", one line a slot.
  std::string to_text() const;

 private:
  std::unique_ptr<Slot> wanted(const FlatRange& range) const;
  void create(std::unique_ptr<Slot> slot);
  void remove(Slot& slot);
  int tell_kernel(const Slot& slot, u64 size);
  template <class F>
  void for_each_in(u64 first, u64 last, F&& visit);

  Vm* vm_;
  GuestMemfds memfds_;
  bool region2_;
  bool readonly_offered_;
  u32 limit_;
  std::map<u64, std::unique_ptr<Slot>> slots_;  ///< by guest address
  std::vector<Slot*> by_id_;
  std::vector<std::pair<u64, u64>> going_;  ///< within begin/commit: ranges (both ends) that go
  std::vector<std::unique_ptr<Slot>> coming_;
};

}  // namespace rhea::kvm
