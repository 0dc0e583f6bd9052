// SPDX-License-Identifier: GPL-2.0-or-later
#include "target/x86/tlb_set.h"

namespace rhea::x86 {

void TlbSet::record(const SpaceRoot& root, const WalkedPage& page) {
  if (!sources_.empty() && root_ != root) clear();
  root_ = root;
  if (!record_all(page)) {
    // A table has changed under us: nothing by way of it is known to be good, so begin anew. That
    // one walk meets one entry with two values, as others are changing it, may come once more.
    clear();
    root_ = root;
    if (!record_all(page)) overflown_ = true;
  }
  if (page.page_shift != 12) large_.add(page.linear, page.page_shift);
  if (page.fetched) fetched_.add(page.linear, page.page_shift);
}

bool TlbSet::record_all(const WalkedPage& page) {
  for (std::size_t i = 0; i < page.steps.size(); ++i)
    if (!record_step(page, i)) return false;
  return true;
}

// False: everything made so far is in doubt.
bool TlbSet::record_step(const WalkedPage& page, std::size_t number) {
  const WalkedPage::Step& step = page.steps[number];
  if (step.entry == nullptr) {
    overflown_ = true;
    return true;
  }
  const bool single = number + 1 == page.steps.size() && page.page_shift == 12;
  u64 flags = page.narrow ? PageSource::kNarrow : 0;
  if (single) flags |= PageSource::kPage;
  if (page.fetched) flags |= PageSource::kFetched | (page.global ? PageSource::kGlobal : 0);
  const PageSource made{.entry = step.entry,
                        .value = step.value,
                        .about = flags | (single ? page.linear & ~u64{0xfff} : 0)};
  PageSource* known = sources_.find(step.entry);
  if (known == nullptr) {
    overflown_ |= !sources_.add(made);
    return true;
  }
  if (!known->holds(step.value)) {
    if (!known->is(PageSource::kPage)) return false;
    drop_made_from(*known);
  }
  known->value = step.value;
  // One entry for several pages, or for a table as well.
  if (known->is(PageSource::kPage) && (!single || known->page() != made.page()))
    known->about &= ~PageSource::kPage;
  known->about |= flags & (PageSource::kFetched | PageSource::kGlobal);
  return true;
}

void TlbSet::verify() {
  unverified = false;
  ++shared_->changes;
  if (overflown_) return clear();
  bool table_changed = false, global_code = false;
  for (PageSource& source : sources_.all()) {
    const u64 now = source.load();
    if (source.holds(now)) [[likely]]
      continue;
    if (!source.is(PageSource::kPage)) {
      table_changed = true;
      global_code |= source.is(PageSource::kGlobal);
      continue;
    }
    drop_made_from(source);
    source.value = now;  // from which nothing has been made
  }
  if (!table_changed) return;
  // A space that is made where another one was has other user pages, but the same kernel.
  if (global_code) void_code(true);
  clear();
}

// Of a source of one page.
void TlbSet::drop_made_from(PageSource& source) {
  ++shared_->changes;
  for (Tlb& each : tlb_) each.drop_page(source.page());
  if (source.is(PageSource::kFetched)) void_code(source.is(PageSource::kGlobal));
  source.about &= ~(PageSource::kFetched | PageSource::kGlobal);
}

void TlbSet::clear() {
  ++shared_->changes;
  for (Tlb& each : tlb_) each.clear(shared_->room);
  sources_.clear();
  overflown_ = outdated = writes_outdated = unverified = false;
  large_.clear();
  void_code(false);
}

void TlbSet::void_code(bool global) {
  code_epoch_ = shared_->epochs.next();
  fetched_.clear();
  if (global) shared_->epochs.global = shared_->epochs.next();
}

void TlbSet::drop_page(u64 linear) {
  ++shared_->changes;
  for (Tlb& each : tlb_) {
    each.drop_page(linear);
    for (const unsigned shift : {21U, 22U, 30U})
      if (large_.has(linear, shift)) each.drop_range(linear, shift);
  }
  if (fetched_.has(linear)) void_code(false);
}

void TlbSet::drop_writes() {
  ++shared_->changes;
  for (Tlb& each : tlb_) each.drop_writes();
}

void TlbSet::drop_writes_to(const u8* host_page) {
  for (Tlb& each : tlb_) each.drop_writes_to(host_page);
}

void TlbSet::drop_data() {
  ++shared_->changes;
  for (Tlb& each : tlb_) each.clear(shared_->room);
}

}  // namespace rhea::x86
