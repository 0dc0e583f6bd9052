// SPDX-License-Identifier: GPL-2.0-or-later
// The entries of page tables that TLB entries were made from, as they were then.
#pragma once

#include "rhea/util/types.h"

#include <span>
#include <vector>

namespace rhea::x86 {

/// One entry of a paging structure in the host's memory.
struct PageSource {
  /// In what `about` says beside the page's address.
  static constexpr u64 kNarrow = 1;   ///< 4 bytes, not 8
  static constexpr u64 kPage = 2;     ///< maps one 4 KiB page, the one in `about`, and nothing else
  static constexpr u64 kFetched = 4;  ///< code was found by way of it
  static constexpr u64 kGlobal = 8;   ///< and may be under all address spaces

  const u8* entry{};
  u64 value{};
  u64 about{};

  bool is(u64 flag) const { return (about & flag) != 0; }
  u64 page() const { return about & ~u64{0xfff}; }
  /// As it stands in memory, where other processors may be writing it.
  u64 load() const {
    if (is(kNarrow)) return __atomic_load_n(reinterpret_cast<const u32*>(entry), __ATOMIC_RELAXED);
    return __atomic_load_n(reinterpret_cast<const u64*>(entry), __ATOMIC_RELAXED);
  }
  /// Whether what was made from this entry may stay when it is `now`: accessed and dirty bits may
  /// have been set, nothing else.
  bool holds(u64 now) const {
    constexpr u64 kMarks = 0x60;
    return ((now ^ value) & ~(now & kMarks)) == 0;
  }
};

/// A set of them, by where they are. Bounded; with room for none it takes no memory.
class PageSources {
 public:
  static constexpr unsigned kMost = 2048;

  PageSource* find(const u8* entry) {
    if (all_.empty()) return nullptr;
    for (unsigned at = hash(entry);; at = (at + 1) % kSlots) {
      const unsigned number = slots_[at];
      if (number == 0) return nullptr;
      if (all_[number - 1].entry == entry) return &all_[number - 1];
    }
  }
  /// One that is not there; false: there is no room.
  bool add(const PageSource& made);
  void clear();
  std::span<PageSource> all() { return all_; }
  bool empty() const { return all_.empty(); }

 private:
  static constexpr unsigned kSlotBits = 12, kSlots = 1U << kSlotBits;
  static unsigned hash(const u8* entry) {
    return static_cast<unsigned>((reinterpret_cast<u64>(entry) >> 2) * 0x9e37'79b9'7f4a'7c15 >>
                                 (64 - kSlotBits));
  }

  std::vector<PageSource> all_;
  std::vector<u16> slots_;  ///< number in `all_` + 1
};

}  // namespace rhea::x86
