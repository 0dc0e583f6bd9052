// SPDX-License-Identifier: GPL-2.0-or-later
// RAM blocks: which pages were written, for each client that asked.
#include "rhea/softmmu/ram_block.h"

#include <algorithm>
#include <bit>

namespace rhea {
namespace {

constexpr u64 kWordBits = 64;

struct Pages {
  u64 first;
  u64 end;
};

Pages pages_of(u64 size, u64 offset, u64 length) {
  if (length == 0 || offset >= size) return {0, 0};
  const u64 last = offset + std::min(length, size - offset) - 1;
  return {offset / kPageSize, last / kPageSize + 1};
}

/// Calls `visit(word, mask)` for every word of the bitmap that holds bits of the pages.
template <class Visit>
void for_each_word(Pages pages, Visit&& visit) {
  for (u64 page = pages.first; page < pages.end;) {
    const u64 bit = page % kWordBits;
    const u64 count = std::min(kWordBits - bit, pages.end - page);
    const u64 ones = count == kWordBits ? ~u64{0} : (u64{1} << count) - 1;
    visit(page / kWordBits, ones << bit);
    page += count;
  }
}

constexpr u64 words_for(u64 pages) { return (pages + kWordBits - 1) / kWordBits; }

}  // namespace

void RamBlock::mark_dirty(u64 offset, u64 length) {
  const unsigned logging = log_mask_.load(std::memory_order_relaxed);
  if (logging == 0) [[likely]]
    return;
  for (unsigned client = 0; client < kDirtyClients; ++client)
    if ((logging & (1u << client)) != 0)
      mark_dirty_for(static_cast<DirtyClient>(client), offset, length);
}

void RamBlock::mark_dirty_for(DirtyClient client, u64 offset, u64 length) {
  auto* const map = bitmap(client);
  if (map == nullptr) return;
  // The exchange orders the data written before it ahead of the bit, also when the bit is set
  // already: a client that clears the bit after that must see the data.
  for_each_word(pages_of(size_, offset, length),
                [&](u64 word, u64 mask) { map[word].fetch_or(mask); });
}

bool RamBlock::test_dirty(DirtyClient client, u64 offset, u64 length) const {
  auto* const map = bitmap(client);
  if (map == nullptr) return false;
  u64 found = 0;
  for_each_word(pages_of(size_, offset, length),
                [&](u64 word, u64 mask) { found |= map[word].load() & mask; });
  return found != 0;
}

bool RamBlock::test_and_clear_dirty(DirtyClient client, u64 offset, u64 length) {
  auto* const map = bitmap(client);
  if (map == nullptr) return false;
  u64 found = 0;
  for_each_word(pages_of(size_, offset, length), [&](u64 word, u64 mask) {
    if ((map[word].load(std::memory_order_relaxed) & mask) != 0)
      found |= map[word].fetch_and(~mask) & mask;
  });
  return found != 0;
}

void RamBlock::take_dirty(DirtyClient client, u64 first_page, std::span<u64> bits) {
  std::fill(bits.begin(), bits.end(), 0);
  auto* const map = bitmap(client);
  const u64 pages = size_ / kPageSize;
  if (map == nullptr || first_page >= pages) return;
  const u64 end = first_page + std::min(pages - first_page, bits.size() * kWordBits);
  for_each_word({first_page, end}, [&](u64 word, u64 mask) {
    if ((map[word].load(std::memory_order_relaxed) & mask) == 0) return;
    const u64 taken = map[word].fetch_and(~mask) & mask;
    // Bit 0 of the word is this far into the caller's bits; below 0 for a first word entered
    // midway.
    const u64 base = word * kWordBits;
    if (base < first_page) {
      bits[0] |= taken >> (first_page - base);
      return;
    }
    const u64 at = base - first_page;
    bits[at / kWordBits] |= taken << (at % kWordBits);
    if (at % kWordBits != 0 && at / kWordBits + 1 < bits.size())
      bits[at / kWordBits + 1] |= taken >> (kWordBits - at % kWordBits);
  });
}

void RamBlock::merge_dirty(DirtyClient client, u64 first_page, std::span<const u64> bitmap_in,
                           u64 pages) {
  auto* const map = bitmap(client);
  if (map == nullptr) return;
  const u64 total = size_ / kPageSize;
  if (first_page >= total) return;
  pages = std::min({pages, total - first_page, u64{bitmap_in.size()} * kWordBits});
  for (u64 word = 0; word < words_for(pages); ++word) {
    u64 bits = bitmap_in[word];
    if (pages - word * kWordBits < kWordBits) bits &= (u64{1} << (pages - word * kWordBits)) - 1;
    if (bits == 0) continue;
    const u64 page = first_page + word * kWordBits;
    map[page / kWordBits].fetch_or(bits << (page % kWordBits));
    if (page % kWordBits != 0 && bits >> (kWordBits - page % kWordBits) != 0)
      map[page / kWordBits + 1].fetch_or(bits >> (kWordBits - page % kWordBits));
  }
}

void RamBlock::set_logging(DirtyClient client, bool on) {
  const unsigned bit = 1u << static_cast<unsigned>(client);
  if (!on) {
    log_mask_.fetch_and(~bit);
    return;
  }
  if (logging(client)) return;
  auto& slot = dirty_[static_cast<unsigned>(client)];
  const u64 words = words_for(size_ / kPageSize);
  if (auto* const map = slot.load(std::memory_order_relaxed); map != nullptr)
    std::for_each(map, map + words, [](std::atomic<u64>& word) { word.store(0); });
  else
    slot.store(new std::atomic<u64>[words] {}, std::memory_order_release);
  log_mask_.fetch_or(bit);
}

}  // namespace rhea
