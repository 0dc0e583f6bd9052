// SPDX-License-Identifier: GPL-2.0-or-later
// What a processor remembers of one address space: TLBs, and what they were made from.
#pragma once

#include "target/x86/hashed_pages.h"
#include "target/x86/page_sources.h"
#include "target/x86/tlb.h"

#include <array>
#include <span>

namespace rhea::x86 {

/// Under which of these numbers code was found by its linear address is whether it may be found
/// there still. No number comes twice: a guest can use up four thousand million within minutes.
struct CodeEpochs {
  u64 now{1};     ///< in the running address space
  u64 global{2};  ///< on global pages, in all of them
  u64 issued{2};
  u64 next() { return ++issued; }
};

/// A walk of page tables that has been allowed, its marks set.
struct WalkedPage {
  struct Step {
    const u8* entry{};  ///< in the host's memory; null: on a device
    u64 value{};
  };
  std::span<const Step> steps;  ///< from the root
  u64 linear{};
  unsigned page_shift{};
  bool narrow{};   ///< entries of 4 bytes
  bool fetched{};  ///< for code
  bool global{};
};

/// The root of an address space: CR3, and with PAE paging the four pointers loaded with it.
struct SpaceRoot {
  u64 cr3{};
  std::array<u64, 4> pointers{};
  friend bool operator==(const SpaceRoot&, const SpaceRoot&) = default;
};

/// The invariant: what the tables say follows from `sources_` as they were recorded. So whoever has
/// found these unchanged in memory (verify) may use all of it as if just walked, whatever has been
/// written in between, and by whom.
class TlbSet {
 public:
  /// What all sets of a processor have in common.
  struct Shared {
    CodeEpochs epochs;
    u64 room{kMostEntries};  ///< for more TLB entries
    u64 changes{0};          ///< raised whenever entries go
  };
  /// Of all tables of a processor: 8 MiB.
  static constexpr u64 kMostEntries = 0x4'0000;

  explicit TlbSet(Shared& shared) : shared_(&shared), code_epoch_(shared.epochs.next()) {}

  const TlbView& view(Privilege as) const { return tlb_[static_cast<unsigned>(as)].view(); }
  bool put(Privilege as, u64 linear, u8* read, u8* write) {
    return tlb_[static_cast<unsigned>(as)].put(linear, read, write, shared_->room);
  }
  /// Before the page's entries are made. What was made from other entries than are there now goes.
  void record(const SpaceRoot& root, const WalkedPage& page);
  /// Drops what does not follow from memory any more.
  void verify();
  void clear();
  void drop_page(u64 linear);
  void drop_writes();
  void drop_writes_to(const u8* host_page);
  /// Translations stay, but not the tables: other rights.
  void drop_data();
  /// Code found by linear address is to be looked for anew; `global`: that of global pages, too.
  void void_code(bool global);
  u64 code_epoch() const { return code_epoch_; }

  /// Filled under this root, and of use for it later.
  bool is_of(const SpaceRoot& root) const { return !sources_.empty() && root_ == root; }
  const SpaceRoot& root() const { return root_; }
  bool empty() const { return sources_.empty(); }
  void visit(const std::function<void(const TlbEntry&, bool write)>& see) const {
    for (const Tlb& each : tlb_) each.visit(see);
  }

  // While it is not the running one: what has happened meanwhile.
  bool outdated{};         ///< everything in it is worthless
  bool writes_outdated{};  ///< ways to write
  bool unverified{};       ///< some invalidation may concern it
  u32 pkru{}, pkrs{};      ///< its rights
  u64 last_used{};

 private:
  bool record_all(const WalkedPage& page);
  bool record_step(const WalkedPage& page, std::size_t number);
  void drop_made_from(PageSource& source);

  Shared* shared_;
  SpaceRoot root_;
  u64 code_epoch_;
  std::array<Tlb, kPrivileges> tlb_;  ///< UserAligned's stay empty
  PageSources sources_;
  bool overflown_{};     ///< there are entries whose sources had no room
  HashedPages large_;    ///< large pages whose pieces may be in the tables
  HashedPages fetched_;  ///< pages that code was found on
};

}  // namespace rhea::x86
