// SPDX-License-Identifier: GPL-2.0-or-later
#include "target/x86/tlb_sets.h"

#include <algorithm>

namespace rhea::x86 {

TlbSets::TlbSets() : running_(sets_.emplace_back(std::make_unique<TlbSet>(shared_)).get()) {
  settle();
}

void TlbSets::record(const SpaceRoot& root, const WalkedPage& page) {
  running_->record(root, page);
  if (page.fetched && page.global) global_code_.add(page.linear, page.page_shift);
  settle();
}

TlbSet* TlbSets::find(const SpaceRoot& root) const {
  const auto it = std::ranges::find_if(
      sets_, [&root](const auto& set) { return !set->outdated && set->is_of(root); });
  return it != sets_.end() ? it->get() : nullptr;
}

// The running one where it holds nothing, a new one, or whichever was left longest ago.
TlbSet& TlbSets::unused() {
  if (running_->empty()) return *running_;
  const auto worthless =
      std::ranges::find_if(sets_, [](const auto& set) { return set->outdated || set->empty(); });
  if (worthless != sets_.end()) return **worthless;
  if (sets_.size() < kMost) return *sets_.emplace_back(std::make_unique<TlbSet>(shared_));
  return **std::ranges::min_element(sets_, {}, [](const auto& set) { return set->last_used; });
}

void TlbSets::load(const Load& load) {
  ++shared_.changes;
  // Of one process context identifier, whatever the root.
  constexpr u64 kContext = 0xfff;
  if (!load.keep)
    for (const auto& set : sets_)
      set->unverified |= ((set->root().cr3 ^ load.root.cr3) & kContext) == 0;
  running_->last_used = ++loads_;
  running_->pkru = load.pkru;
  running_->pkrs = load.pkrs;
  if (TlbSet* known = find(load.root)) {
    if (known->writes_outdated) known->drop_writes();
    known->writes_outdated = false;
    if (known->pkru != load.pkru || known->pkrs != load.pkrs) known->drop_data();
    if (!load.keep || known->unverified) known->verify();
    running_ = known;
  } else {
    running_ = &unused();
    running_->clear();
  }
  settle();
}

void TlbSets::invalidate(bool global) {
  running_->verify();
  invalidate_others();
  if (global) void_global_code();
  settle();
}

void TlbSets::invalidate_page(u64 linear) {
  running_->drop_page(linear);
  invalidate_others();  // the page may be global
  if (global_code_.has(linear)) void_global_code();
  settle();
}

void TlbSets::void_global_code() {
  shared_.epochs.global = shared_.epochs.next();
  global_code_.clear();
}

void TlbSets::invalidate_others() {
  for (const auto& set : sets_) set->unverified |= set.get() != running_;
}

void TlbSets::forget() {
  for (const auto& set : sets_) set->outdated = true;
  running_->clear();
  table_pages_.fill({});
  void_global_code();
  settle();
}

void TlbSets::forget_page(u64 linear) {
  for (const auto& set : sets_) set->outdated |= set.get() != running_;
  running_->drop_page(linear);
  settle();
}

void TlbSets::drop_writes() {
  for (const auto& set : sets_) set->writes_outdated |= set.get() != running_;
  running_->drop_writes();
}

void TlbSets::drop_writes_to(const u8* host_page) {
  for (const auto& set : sets_) set->writes_outdated |= set.get() != running_;
  running_->drop_writes_to(host_page);
}

void TlbSets::void_code() {
  for (const auto& set : sets_) set->void_code(true);
  settle();
}

void TlbSets::visit(const std::function<void(const TlbEntry&, bool write)>& see) const {
  for (const auto& set : sets_) {
    if (set->outdated) continue;
    set->visit([&](const TlbEntry& entry, bool write) {
      if (!write || !set->writes_outdated) see(entry, write);
    });
  }
}

}  // namespace rhea::x86
