// SPDX-License-Identifier: GPL-2.0-or-later
// The address spaces that a processor remembers, so that it can go back to one.
#pragma once

#include "target/x86/tlb_set.h"

#include <memory>

namespace rhea::x86 {

/// One set runs. A load of CR3 goes to the set of that root, if there is one, after comparing what
/// it was made from with what page tables say now; so it needs to know of nobody's stores. Who
/// changes the tables asks view() again.
class TlbSets {
 public:
  static constexpr unsigned kMost = 16;

  TlbSets();

  const TlbView& view(Privilege as) const { return running_->view(as); }
  const CodeEpochs& epochs() const { return shared_.epochs; }
  u64 changes() const { return shared_.changes; }

  /// See TlbSet.
  void record(const SpaceRoot& root, const WalkedPage& page);
  bool put(Privilege as, u64 linear, u8* read, u8* write) {
    return running_->put(as, linear, read, write);
  }

  struct Load {
    SpaceRoot root;
    bool keep{};         ///< what was invalidated is invalid, all else may stay as it was
    u32 pkru{}, pkrs{};  ///< the rights now
  };
  /// CR3 has been loaded.
  void load(const Load& load);
  /// The running space has changed in memory, and perhaps others; `global`: so have global pages.
  void invalidate(bool global);
  /// INVLPG.
  void invalidate_page(u64 linear);
  /// Another space than the running one may have changed.
  void invalidate_others();
  /// What is remembered of all spaces goes: everything may be different.
  void forget();
  /// A page comes to be watched by its linear address.
  void forget_page(u64 linear);
  void drop_data() { running_->drop_data(); }
  /// All ways to write; those to one page of the host's.
  void drop_writes();
  void drop_writes_to(const u8* host_page);
  /// No code may be found by linear address any more, in no space.
  void void_code();

  /// Where a page of physical memory that holds page tables is on the host; null: not known.
  const u8* table_page(u64 page) const {
    const TablePage& known = table_pages_[page >> 12 & (kTablePages - 1)];
    return known.page == page ? known.host : nullptr;
  }
  void remember_table_page(u64 page, const u8* host) {
    table_pages_[page >> 12 & (kTablePages - 1)] = {.page = page, .host = host};
  }

  /// Every entry that may be used, now or later.
  void visit(const std::function<void(const TlbEntry&, bool write)>& see) const;
  /// Those of the running space.
  void visit_running(const std::function<void(const TlbEntry&, bool write)>& see) const {
    running_->visit(see);
  }
  std::size_t count() const { return sets_.size(); }

 private:
  struct TablePage {
    u64 page{TlbEntry::kInvalid};
    const u8* host{};
  };
  static constexpr unsigned kTablePages = 128;

  TlbSet* find(const SpaceRoot& root) const;
  TlbSet& unused();
  void void_global_code();
  void settle() { shared_.epochs.now = running_->code_epoch(); }

  TlbSet::Shared shared_;
  std::vector<std::unique_ptr<TlbSet>> sets_;
  TlbSet* running_;
  u64 loads_{};
  std::array<TablePage, kTablePages> table_pages_{};
  HashedPages global_code_;  ///< pages that it was found on
};

}  // namespace rhea::x86
