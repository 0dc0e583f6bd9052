// SPDX-License-Identifier: GPL-2.0-or-later
// Translating blocks, and leading jumps from one to another.
#include "accel/jit/translations.h"

#include "accel/jit/block_cache.h"

#include <algorithm>
#include <utility>

namespace rhea::jit {
namespace {

namespace translating = x86::translating;
using translating::Assembler;

/// Only its own thread writes it.
void count(std::atomic<u64>& counter, u64 more = 1) {
  counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

}  // namespace

Translations::Translations(x86::Cpu& cpu, CodeMemory& memory, std::size_t capacity)
    : cpu_(&cpu), layout_(cpu), buffer_(capacity, memory), arena_(memory) {
  if (!buffer_) return;
  Assembler a(buffer_.room());
  const translating::RuntimeCode code = translating::emit_runtime(a, layout_);
  runtime_ = code.runtime;
  enter_ = reinterpret_cast<translating::Enter>(buffer_.executable(code.enter));
  runtime_size_ = (a.offset() + 15) & ~std::size_t{15};
  buffer_.take(runtime_size_);
}

Translation* Translations::translate(const Block& block, unsigned page_offset,
                                     const translating::BlockMode& mode) {
  if (full()) return nullptr;
  translating::Translator translator(buffer_.room(), layout_, runtime_, &block);
  if (!translator.run(block.insns, page_offset, mode, made_)) return nullptr;
  u8* const code = buffer_.room().data();
  buffer_.take((made_.size + 15) & ~std::size_t{15});
  auto* const jumps = arena_.array<DirectJump>(made_.sites.size());
  for (std::size_t n = 0; n < made_.sites.size(); ++n)
    new (&jumps[n]) DirectJump{.displacement = code + made_.sites[n].displacement,
                               .stub = code + made_.sites[n].stub,
                               .target = made_.sites[n].target};
  TranslatedPage& page = page_of(block.page);
  auto* const made = new (arena_.array<Translation>(1))
      Translation{.entry = buffer_.executable(code + made_.entry),
                  .quick_entry = buffer_.executable(code + made_.quick_entry),
                  .way_out = buffer_.executable(code + made_.way_out),
                  .open = true,
                  .called = made_.called,
                  .start = page_offset,
                  .jumps = {jumps, made_.sites.size()},
                  .page = &page,
                  .next_page = page_behind(block, page)};
  latest_ = {.code = buffer_.executable(code), .result = &made_};
  std::copy_n(code + made_.entry, made->first.size(), made->first.begin());
  page.open.push_back(made);
  count(counts_.blocks);
  count(counts_.guest_bytes, block.bytes);
  count(counts_.host_bytes, made_.size);
  return made;
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
  if (jump.linked) return;
  jump.linked = true;
  to.page->linked.push_back(&jump);
  const bool back = to.next_page == nullptr && jump.displacement >= buffer_.writable(to.entry);
  Assembler::bind(jump.displacement, buffer_.writable(back ? to.entry : to.quick_entry));
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
  for (DirectJump* const jump : page.linked) {
    Assembler::bind(jump->displacement, jump->stub);
    jump->linked = false;
  }
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
  arena_.clear();
  buffer_.drop(runtime_size_);
  count(counts_.clears);
  for (std::atomic<u64>* const each : {&counts_.blocks, &counts_.guest_bytes, &counts_.host_bytes})
    each->store(0, std::memory_order_relaxed);
}

}  // namespace rhea::jit
