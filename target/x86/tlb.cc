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
  set(read_, page, read);
  if (write != nullptr) set(write_, page, write);
  return changed;
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
    std::ranges::fill(read_, TlbEntry{});
    std::ranges::fill(write_, TlbEntry{});
  }
  used_ = false;
  puts_ = conflicts_ = filled_ = 0;
}

void Tlb::drop_page(u64 linear) {
  if (!used_) return;
  for (Table* table : {&read_, &write_}) {
    TlbEntry& entry = (*table)[linear >> 12 & (table->size() - 1)];
    if (entry.page == (linear & kPageMask)) entry = {};
  }
}

void Tlb::drop_writes() {
  if (used_) std::ranges::fill(write_, TlbEntry{});
}

void Tlb::drop_writes_to(const u8* host_page) {
  if (!used_) return;
  for (TlbEntry& entry : write_)
    if (entry.page + entry.addend == reinterpret_cast<u64>(host_page)) entry = {};
}

void Tlb::drop_range(u64 linear, unsigned shift) {
  if (!used_) return;
  for (Table* table : {&read_, &write_})
    for (TlbEntry& entry : *table)
      if (entry.page >> shift == linear >> shift) entry = {};
}

void Tlb::visit(const std::function<void(const TlbEntry&, bool write)>& see) const {
  for (const Table* table : {&read_, &write_})
    for (const TlbEntry& entry : *table)
      if (entry.page != TlbEntry::kInvalid) see(entry, table == &write_);
}

}  // namespace rhea::x86
