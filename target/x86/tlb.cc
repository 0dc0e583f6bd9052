// SPDX-License-Identifier: GPL-2.0-or-later
#include "target/x86/tlb.h"

#include <algorithm>

namespace rhea::x86 {
namespace {

constexpr u64 kPageMask = ~u64{0xfff};

}  // namespace

void Tlb::set(Table& table, u64 page, u8* host) {
  table[page >> 12 & (table.size() - 1)] = {.page = page,
                                            .addend = reinterpret_cast<u64>(host) - page};
}

bool Tlb::put(u64 linear, u8* read, u8* write, u64& room) {
  const u64 page = linear & kPageMask;
  bool changed = false;
  if (read_.empty()) {
    resize(kFewest);
    room -= std::min<u64>(room, kFewest);
    changed = true;
  }
  const TlbEntry& old = read_[page >> 12 & (read_.size() - 1)];
  conflicts_ += old.page != TlbEntry::kInvalid && old.page != page;
  ++filled_;
  if (++puts_ >= read_.size()) changed |= grow(room);
  used_ = true;
  note_filled(static_cast<u16>(page >> 12 & (read_.size() - 1)));
  set(read_, page, read);
  if (write != nullptr) set(write_, page, write);
  return changed;
}

void Tlb::note_filled(u16 slot) {
  if (few_count_ > kFew || std::ranges::find(few(), slot) != few().end()) return;
  if (few_count_ < kFew) few_[few_count_] = slot;
  ++few_count_;
}

// When every other one that came has pushed another out.
bool Tlb::grow(u64& room) {
  const bool crowded = conflicts_ > puts_ / 2;
  puts_ = conflicts_ = 0;
  if (!crowded || read_.size() == kMost || room < read_.size()) return false;
  room -= read_.size();
  resize(read_.size() * 2);
  return true;
}

void Tlb::resize(std::size_t entries) {
  if (!read_.empty()) few_count_ = kFew + 1;  // they come to lie in other slots
  for (Table* table : {&read_, &write_}) {
    Table made(entries);
    for (const TlbEntry& entry : *table)
      if (entry.page != TlbEntry::kInvalid) made[entry.page >> 12 & (entries - 1)] = entry;
    *table = std::move(made);
  }
  update_view();
}

void Tlb::clear(u64& room) {
  if (!used_) return;
  if (read_.size() > kFewest && filled_ < read_.size() / 2) {
    room += read_.size() / 2;
    read_ = Table(read_.size() / 2);
    write_ = Table(read_.size());
    update_view();
  } else {
    each_filled([this](std::size_t slot) { read_[slot] = write_[slot] = {}; });
  }
  used_ = false;
  puts_ = conflicts_ = filled_ = few_count_ = 0;
}

void Tlb::drop_page(u64 linear) {
  if (!used_) return;
  for (Table* table : {&read_, &write_}) {
    TlbEntry& entry = (*table)[linear >> 12 & (table->size() - 1)];
    if (entry.page == (linear & kPageMask)) entry = {};
  }
}

void Tlb::drop_writes() {
  each_filled([this](std::size_t slot) { write_[slot] = {}; });
}

void Tlb::drop_writes_to(const u8* host_page) {
  each_filled([this, host_page](std::size_t slot) {
    TlbEntry& entry = write_[slot];
    if (entry.page + entry.addend == reinterpret_cast<u64>(host_page)) entry = {};
  });
}

void Tlb::drop_range(u64 linear, unsigned shift) {
  const auto drop = [&](std::size_t slot) {
    for (Table* const table : {&read_, &write_})
      if ((*table)[slot].page >> shift == linear >> shift) (*table)[slot] = {};
  };
  if (is_few()) return each_filled(drop);
  // Its pages lie one behind the other.
  const std::size_t pages = std::min(read_.size(), std::size_t{1} << (shift - 12));
  const std::size_t first = linear >> 12 & (read_.size() - 1) & ~(pages - 1);
  for (std::size_t slot = first; slot < first + pages; ++slot) drop(slot);
}

void Tlb::visit(const std::function<void(const TlbEntry&, bool write)>& see) const {
  each_filled([this, &see](std::size_t slot) {
    if (read_[slot].page != TlbEntry::kInvalid) see(read_[slot], false);
    if (write_[slot].page != TlbEntry::kInvalid) see(write_[slot], true);
  });
}

}  // namespace rhea::x86
