// SPDX-License-Identifier: GPL-2.0-or-later
// Translating blocks, and leading jumps from one to another.
#include "accel/jit/translations.h"

#include "accel/jit/block_cache.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>
#include <utility>

namespace rhea::jit {
namespace {

namespace translating = x86::translating;
using translating::Assembler;

/// Only its own thread writes it.
void count(std::atomic<u64>& counter, u64 more = 1) {
  counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

/// Where a jump leads to.
const u8* target_of(const DirectJump& jump) {
  i32 distance = 0;
  std::memcpy(&distance, jump.displacement, sizeof distance);
  return jump.displacement + 4 + distance;
}

}  // namespace

Translations::Translations(x86::Cpu& cpu, CodeMemory& memory, std::size_t capacity)
    : cpu_(&cpu), layout_(cpu), buffer_(capacity, memory) {
  if (!buffer_) return;
  Assembler a(buffer_.room());
  const translating::RuntimeCode code = translating::emit_runtime(a, layout_);
  runtime_ = code.runtime;
  enter_ = reinterpret_cast<translating::Enter>(buffer_.executable(code.enter));
  runtime_size_ = (a.offset() + 15) & ~std::size_t{15};
  buffer_.take(runtime_size_);
  const std::size_t size = std::max(kLeastRegion, capacity / kRegions);
  for (std::size_t end = size; end <= capacity; end += size)
    regions_.emplace_back(end == size ? runtime_size_ : end - size, end, memory);
  buffer_.use(regions_.front().first, regions_.front().end);
}

std::size_t Translations::size() const {
  std::size_t sum = buffer_.size();
  for (const Region& region : regions_) sum += region.arena.size();
  return sum;
}

Translation* Translations::translate(Block& block, unsigned page_offset,
                                     const translating::BlockMode& mode) {
  if (!make(block, page_offset, mode)) {
    begin_next_region();
    if (!make(block, page_offset, mode)) return nullptr;
  }
  return keep(block, page_offset);
}

// At the beginning of the room.
bool Translations::make(const Block& block, unsigned page_offset,
                        const translating::BlockMode& mode) {
  if (buffer_.room().size() < kLeastRoom) return false;
  translating::Translator translator(buffer_.room(), layout_, runtime_, &block);
  return translator.run(block.insns, page_offset, mode, made_);
}

// What has been made, to be executed.
Translation* Translations::keep(Block& block, unsigned page_offset) {
  u8* const code = buffer_.room().data();
  buffer_.take(std::min((made_.size + std::size_t{15}) & ~std::size_t{15}, buffer_.room().size()));
  Region& region = regions_[now_];
  auto* const jumps = region.arena.array<DirectJump>(made_.sites.size());
  for (std::size_t n = 0; n < made_.sites.size(); ++n)
    new (&jumps[n]) DirectJump{.displacement = code + made_.sites[n].displacement,
                               .stub = code + made_.sites[n].stub,
                               .target = made_.sites[n].target};
  TranslatedPage& page = page_of(block.page);
  auto* const made = new (region.arena.array<Translation>(1))
      Translation{.entry = buffer_.executable(code + made_.entry),
                  .quick_entry = buffer_.executable(code + made_.quick_entry),
                  .way_out = buffer_.executable(code + made_.way_out),
                  .open = true,
                  .called = made_.called,
                  .start = page_offset,
                  .jumps = {jumps, made_.sites.size()},
                  .block = &block,
                  .page = &page,
                  .next_page = page_behind(block, page)};
  latest_ = {.code = buffer_.executable(code), .result = &made_};
  std::copy_n(code + made_.entry, made->first.size(), made->first.begin());
  page.open.push_back(made);
  region.blocks.push_back(made);
  region.guest_bytes += block.bytes;
  region.host_bytes += made_.size;
  count_blocks();
  return made;
}

// Those that there are now.
void Translations::count_blocks() {
  u64 blocks = 0, guest = 0, host = 0;
  for (const Region& region : regions_) {
    blocks += region.blocks.size();
    guest += region.guest_bytes;
    host += region.host_bytes;
  }
  counts_.blocks.store(blocks, std::memory_order_relaxed);
  counts_.guest_bytes.store(guest, std::memory_order_relaxed);
  counts_.host_bytes.store(host, std::memory_order_relaxed);
}

void Translations::begin_next_region() {
  now_ = (now_ + 1) % regions_.size();
  Region& region = regions_[now_];
  count(counts_.evicted, region.blocks.size());
  evict(region);
  buffer_.use(region.first, region.end);
}

// Nothing leads into it any more, and nobody remembers what lay in it.
void Translations::evict(Region& region) {
  if (region.blocks.empty()) return;
  std::unordered_set<TranslatedPage*> pages;
  for (const Translation* const each : region.blocks) {
    if (each->block->translation == each) each->block->translation = nullptr;
    pages.insert(each->page);
    for (const DirectJump& jump : each->jumps)
      if (jump.to != nullptr) pages.insert(jump.to);
  }
  for (TranslatedPage* const page : pages) forget_within(*page, region);
  jumps_.forget(buffer_.executable_at(region.first), buffer_.executable_at(region.end));
  region.blocks.clear();
  region.arena.clear();
  region.guest_bytes = region.host_bytes = 0;
  count_blocks();
}

void Translations::forget_within(TranslatedPage& page, const Region& region) {
  const u8* const first = buffer_.writable_at(region.first);
  const auto is_within = [first, size = region.end - region.first](const u8* written) {
    return static_cast<std::size_t>(written - first) < size;
  };
  std::erase_if(page.open, [&](const Translation* block) {
    return is_within(buffer_.writable(block->entry));
  });
  std::erase_if(page.linked, [&](DirectJump* jump) {
    if (is_within(jump->displacement)) return true;
    if (!is_within(target_of(*jump))) return false;
    unlink(*jump);
    return true;
  });
}

TranslatedPage* Translations::page_behind(const Block& block, TranslatedPage& page) {
  if (block.next_page == nullptr) return nullptr;
  TranslatedPage& next = page_of(*block.next_page);
  if (std::ranges::find(next.before, &page) == next.before.end()) next.before.push_back(&page);
  return &next;
}

TranslatedPage& Translations::page_of(const PageStamp& stamp) {
  const auto [entry, is_new] = pages_.try_emplace(stamp.code);
  TranslatedPage& page = entry->second;
  if (!is_new) return page;
  const auto known = std::ranges::find(marks_, stamp.written, &Mark::word);
  page.mark = static_cast<std::size_t>(known - marks_.begin());
  page.mark_bit = stamp.written_bit;
  if (known == marks_.end()) marks_.push_back({.word = stamp.written});
  marks_[page.mark].pages |= stamp.written_bit;
  return page;
}

void Translations::forget_mark(const TranslatedPage& page) {
  marks_[page.mark].seen &= ~page.mark_bit;
}

void Translations::revive(Translation& block) {
  forget_mark(*block.page);
  if (block.next_page != nullptr) forget_mark(*block.next_page);
  if (block.open) return;
  block.open = true;
  std::ranges::copy(block.first, buffer_.writable(block.entry));
  block.page->open.push_back(&block);
}

// Every loop has a jump that goes back: there the processor looks around.
void Translations::link(DirectJump& jump, Translation& to) {
  if (jump.to != nullptr) return;
  jump.to = to.page;
  to.page->linked.push_back(&jump);
  const bool back = to.next_page == nullptr && jump.displacement >= buffer_.writable(to.entry);
  Assembler::bind(jump.displacement, buffer_.writable(back ? to.entry : to.quick_entry));
}

void Translations::unlink(DirectJump& jump) {
  Assembler::bind(jump.displacement, jump.stub);
  jump.to = nullptr;
}

void Translations::shut(TranslatedPage& page) {
  shut_alone(page);
  for (TranslatedPage* const before : page.before) shut_alone(*before);
}

void Translations::shut_alone(TranslatedPage& page) {
  for (Translation* const block : page.open) {
    Assembler::write_jump(buffer_.writable(block->entry), buffer_.writable(block->way_out));
    block->open = false;
  }
  count(counts_.shut, page.open.size());
  page.open.clear();
  for (DirectJump* const jump : page.linked) unlink(*jump);
  page.linked.clear();
}

void Translations::shut(const CodePage& page) {
  if (const auto it = pages_.find(&page); it != pages_.end()) shut(it->second);
}

void Translations::shut_all() {
  for (auto& [code, page] : pages_) shut(page);
}

void Translations::shut_written() {
  u64 found = 0;
  for (Mark& mark : marks_) {
    const u64 set = mark.word->load(std::memory_order_acquire) & mark.pages;
    found |= mark.written = set & ~mark.seen;
    mark.seen = set;
  }
  if (found == 0) return;
  for (auto& [code, page] : pages_)
    if ((marks_[page.mark].written & page.mark_bit) != 0) shut(page);
}

void Translations::clear() {
  pages_.clear();
  marks_.clear();
  jumps_.clear();
  for (Region& region : regions_) {
    region.blocks.clear();
    region.arena.clear();
    region.guest_bytes = region.host_bytes = 0;
  }
  now_ = 0;
  buffer_.drop(runtime_size_);
  buffer_.use(regions_.front().first, regions_.front().end);
  count(counts_.clears);
  count_blocks();
}

}  // namespace rhea::jit
