// SPDX-License-Identifier: GPL-2.0-or-later
// Decoding code into blocks.
#include "accel/jit/block_cache.h"

#include "target/x86/interp/bind.h"
#include "target/x86/interp/step.h"
#include "target/x86/isa/row.h"
#include "target/x86/translate/translator.h"

#include <algorithm>
#include <cstring>

namespace rhea::jit {
namespace {

using x86::DecodeStatus;
using x86::Insn;

bool ends_block(const Insn& insn) {
  return x86::is_undefined(insn) || x86::isa::rows()[insn.row].is(x86::isa::EndsBlock);
}

/// A jump forwards that is not taken leads on in the block; one backwards is usually taken.
bool leads_on(const Insn& insn) {
  return x86::translating::is_conditional(insn) && static_cast<i64>(insn.imm) >= 0;
}

/// Whether the instruction wants registers loaded that what comes before it does not: who leaves
/// the block before it shall not be refused for them.
bool wants_more(const Insn& insn, std::span<const Insn> before) {
  const u8 wanted = x86::translating::residence_of({&insn, 1});
  return wanted != 0 && (wanted & ~x86::translating::residence_of(before)) != 0;
}

PageStamp stamp(const PageBlocks& page, u64 generation) {
  RamBlock& ram = *page.pages->ram();
  return {.code = page.code,
          .generation = generation,
          .written = &ram.dirty_word(DirtyClient::Code, page.offset / kPageSize),
          .written_bit = u64{1} << (page.offset / kPageSize % 64)};
}

/// The bytes from `at` of one page into the next, as many as an instruction may have.
std::array<u8, x86::kLongestInsn> bytes_across(const CodeAt& first, const CodeAt& second,
                                               unsigned at) {
  std::array<u8, x86::kLongestInsn> bytes;
  const unsigned here = kPageSize - at;
  std::memcpy(bytes.data(), first.host + at, here);
  std::memcpy(bytes.data() + here, second.host, bytes.size() - here);
  return bytes;
}

bool add_code_across(const CodeAt& first, const CodeAt& second, unsigned at, unsigned bytes) {
  const bool added = first.blocks->code->add_code(at, kPageSize - 1) &&
                     second.blocks->code->add_code(0, at + bytes - kPageSize - 1);
  // A store from here on is noticed; one before is seen by looking again.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return added;
}

}  // namespace

BlockCache::BlockCache(const x86::CpuModel& model, const x86::CodeEpochs& epochs,
                       CodeMemory& memory)
    : model_(&model), epochs_(&epochs), arena_(memory) {
  decoded_.reserve(kMaxInsns);
  pages_.emplace(&arena_);
}

PageBlocks& BlockCache::page(const u8* host_page, CodePages& pages, u64 offset) {
  auto it = pages_->find(host_page);
  if (it != pages_->end() && (it->second->pages != &pages || it->second->offset != offset)) {
    clear();  // other memory has come to lie there
    it = pages_->end();
  }
  if (it != pages_->end()) return *it->second;
  auto* made = new (arena_.array<PageBlocks>(1))
      PageBlocks{.pages = &pages,
                 .id = pages.id(),
                 .code = &pages.at(offset),
                 .offset = offset,
                 .blocks = std::pmr::unordered_map<u32, Block*>(&arena_),
                 .crossing = decltype(PageBlocks::crossing)(&arena_)};
  pages_->emplace(host_page, made);
  return *made;
}

// Devices' stores.
void BlockCache::notice_writes(PageBlocks& page) {
  RamBlock& ram = *page.pages->ram();
  if (!ram.test_dirty(DirtyClient::Code, page.offset, kPageSize)) return;
  // Before the mark goes, so that nobody finds neither.
  page.code->invalidate(
      [&] { ram.test_and_clear_dirty(DirtyClient::Code, page.offset, kPageSize); });
  on_change_(*page.code);
}

Block* BlockCache::block(PageBlocks& page, const u8* host_page, unsigned at, const CodeMode& mode) {
  notice_writes(page);
  const u32 key = at << CodeMode::kBits | mode.key();
  const auto known = page.blocks.find(key);
  if (known != page.blocks.end() &&
      (known->second->current() || renew(*known->second, page, host_page + at, at)))
    return known->second;
  constexpr unsigned most = kMaxInsns * x86::kLongestInsn;
  const std::size_t left = std::min<std::size_t>(most, kPageSize - at);
  std::array<u8, most> code;
  unsigned bytes = 0;
  u64 generation = 0;
  do {
    generation = page.code->generation();
    std::memcpy(code.data(), host_page + at, left);
    bytes = decode({code.data(), left}, mode);
    if (decoded_.empty()) return nullptr;
    if (!page.code->add_code(at, at + bytes - 1)) return nullptr;
    // A store from here on is noticed; one before is seen by looking again.
    std::atomic_thread_fence(std::memory_order_seq_cst);
  } while (std::memcmp(code.data(), host_page + at, bytes) != 0);
  // Jumps may still point at an old block there, so that one is filled anew and never freed.
  if (known != page.blocks.end()) on_change_(*page.code);
  Block* block = known != page.blocks.end() ? known->second : new (arena_.array<Block>(1)) Block;
  *block = {.insns = keep<Insn>(block->insns, decoded_),
            .code_bytes = keep<u8>(block->code_bytes, {code.data(), bytes}),
            .bytes = bytes,
            .page = stamp(page, generation),
            .next_page = nullptr,
            .logged = false,
            .links = {},
            .translation = nullptr,
            .runs = 0};
  if (known == page.blocks.end()) page.blocks.emplace(key, block);
  return block;
}

bool BlockCache::runs_over(const u8* host_page, unsigned at, const CodeMode& mode) {
  decode({host_page + at, kPageSize - at}, mode, 1);
  return decoded_.empty();
}

Block* BlockCache::crossing(const CodeAt& first, const CodeAt& second, unsigned at,
                            const CodeMode& mode) {
  notice_writes(*first.blocks);
  notice_writes(*second.blocks);
  auto& all = first.blocks->crossing;
  const auto key =
      std::pair<u32, const PageBlocks*>(at << CodeMode::kBits | mode.key(), second.blocks);
  const auto known = all.find(key);
  if (known != all.end() &&
      (known->second->current() || renew_crossing(*known->second, first, second, at)))
    return known->second;
  std::array<u8, x86::kLongestInsn> code;
  unsigned bytes = 0;
  u64 generation = 0, next_generation = 0;
  do {
    generation = first.blocks->code->generation();
    next_generation = second.blocks->code->generation();
    code = bytes_across(first, second, at);
    bytes = decode(code, mode, 1);
    if (decoded_.empty() || x86::is_undefined(decoded_.front()) || at + bytes <= kPageSize ||
        !add_code_across(first, second, at, bytes))
      return nullptr;
  } while (bytes_across(first, second, at) != code);
  if (known != all.end()) on_change_(*first.blocks->code);
  Block* const block = known != all.end() ? known->second : new (arena_.array<Block>(1)) Block;
  auto* const next =
      block->next_page != nullptr ? block->next_page : new (arena_.array<PageStamp>(1)) PageStamp;
  *next = stamp(*second.blocks, next_generation);
  *block = {.insns = keep<Insn>(block->insns, decoded_),
            .code_bytes = keep<u8>(block->code_bytes, {code.data(), bytes}),
            .bytes = bytes,
            .page = stamp(*first.blocks, generation),
            .next_page = next,
            .logged = false,
            .links = {},
            .translation = nullptr,
            .runs = 0};
  if (known == all.end()) all.emplace(key, block);
  return block;
}

// Where the old ones were, if there is room: code that changes for ever is to fill nothing.
template <class T>
std::span<const T> BlockCache::keep(std::span<const T> old, std::span<const T> made) {
  T* const to =
      made.size() <= old.size() ? const_cast<T*>(old.data()) : arena_.array<T>(made.size());
  std::uninitialized_copy(made.begin(), made.end(), to);
  return {to, made.size()};
}

// Most stores to a page with code hit data beside it: where the block's own bytes have stayed, so
// may the block.
bool BlockCache::renew(Block& block, PageBlocks& page, const u8* host, unsigned at) {
  const u64 generation = page.code->generation();
  if (!page.code->add_code(at, at + block.bytes - 1)) return false;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (std::memcmp(block.code_bytes.data(), host, block.bytes) != 0) return false;
  block.page.generation = generation;
  return true;
}

bool BlockCache::renew_crossing(Block& block, const CodeAt& first, const CodeAt& second,
                                unsigned at) {
  const u64 generation = first.blocks->code->generation();
  const u64 next_generation = second.blocks->code->generation();
  if (!add_code_across(first, second, at, block.bytes)) return false;
  const auto bytes = bytes_across(first, second, at);
  if (std::memcmp(block.code_bytes.data(), bytes.data(), block.bytes) != 0) return false;
  block.page.generation = generation;
  block.next_page->generation = next_generation;
  return true;
}

unsigned BlockCache::decode(std::span<const u8> code, const CodeMode& mode, unsigned most) {
  decoded_.clear();
  unsigned bytes = 0, conditional = 0;
  const x86::DecodeMode how{.code_bits = mode.code_bits(),
                            .real_or_v86 = mode.real_or_v86(),
                            .features = &model_->features,
                            .amd = model_->is_amd()};
  while (decoded_.size() < most && !code.empty()) {
    Insn insn;
    const DecodeStatus status = x86::decode(code, how, insn);
    if (status == DecodeStatus::NeedMore) break;
    if (status == DecodeStatus::Ok)
      x86::interp::bind(insn);
    else
      x86::set_decode_fault(insn, status);
    if (conditional != 0 && wants_more(insn, decoded_)) break;
    decoded_.push_back(insn);
    bytes += insn.length;
    if (status != DecodeStatus::Ok || ends_block(insn)) break;
    if (x86::translating::is_conditional(insn) &&
        (!leads_on(insn) || ++conditional > kMaxConditional))
      break;
    code = code.subspan(insn.length);
  }
  return bytes;
}

void BlockCache::forget(const std::function<bool(u64)>& known) {
  std::erase_if(*pages_, [&](const auto& entry) { return !known(entry.second->id); });
  for (const auto& [host, page] : *pages_) {
    std::erase_if(page->crossing,
                  [&](const auto& entry) { return !known(entry.first.second->id); });
    for (const auto& [key, block] : page->blocks) block->links = {};
    for (const auto& [key, block] : page->crossing) block->links = {};
  }
  jumps_.fill({});
  ++drops_;
}

void BlockCache::clear() {
  ++clears_;
  pages_.reset();
  arena_.clear();
  pages_.emplace(&arena_);
  jumps_.fill({});
  ++drops_;
}

}  // namespace rhea::jit
