// SPDX-License-Identifier: GPL-2.0-or-later
// Decoding code into blocks.
#include "accel/jit/block_cache.h"

#include "target/x86/interp/bind.h"
#include "target/x86/interp/step.h"
#include "target/x86/isa/row.h"

#include <algorithm>
#include <cstring>

namespace rhea::jit {
namespace {

using x86::DecodeStatus;
using x86::Insn;

bool ends_block(const Insn& insn) {
  return x86::is_undefined(insn) || x86::isa::rows()[insn.row].is(x86::isa::EndsBlock);
}

}  // namespace

PageBlocks& BlockCache::page(const u8* host_page, CodePages& pages, u64 offset) {
  auto it = pages_.find(host_page);
  if (it != pages_.end() && (it->second->pages != &pages || it->second->offset != offset)) {
    clear();  // other memory has come to lie there
    it = pages_.end();
  }
  if (it != pages_.end()) return *it->second;
  auto& made = pages_[host_page];
  made = std::make_unique<PageBlocks>();
  made->pages = &pages;
  made->id = pages.id();
  made->code = &pages.at(offset);
  made->offset = offset;
  insns_ += kPageCost;
  return *made;
}

Block* BlockCache::block(PageBlocks& page, const u8* host_page, unsigned at, const CodeMode& mode) {
  RamBlock& ram = *page.pages->ram();
  // Before the mark goes, so that nobody finds neither.
  if (ram.test_dirty(DirtyClient::Code, page.offset, kPageSize))
    page.code->invalidate(
        [&] { ram.test_and_clear_dirty(DirtyClient::Code, page.offset, kPageSize); });
  const u32 key = at << 4 | mode.key();
  const auto known = page.blocks.find(key);
  if (known != page.blocks.end() &&
      (known->second->current() || renew(*known->second, page, host_page + at, at)))
    return known->second.get();
  constexpr unsigned most = kMaxInsns * x86::kLongestInsn;
  const std::size_t left = std::min<std::size_t>(most, kPageSize - at);
  std::array<u8, most> code;
  std::unique_ptr<Block> made;
  u64 generation = 0;
  do {
    generation = page.code->generation();
    std::memcpy(code.data(), host_page + at, left);
    made = decode({code.data(), left}, mode);
    if (made->insns.empty()) return nullptr;
    if (!page.code->add_code(at, at + made->bytes - 1)) return nullptr;
    // A store from here on is noticed; one before is seen by looking again.
    std::atomic_thread_fence(std::memory_order_seq_cst);
  } while (std::memcmp(code.data(), host_page + at, made->bytes) != 0);
  made->code_bytes.assign(code.begin(), code.begin() + made->bytes);
  made->generation = generation;
  made->code = page.code;
  made->written = &ram.dirty_word(DirtyClient::Code, page.offset / kPageSize);
  made->written_bit = u64{1} << (page.offset / kPageSize % 64);
  insns_ += made->insns.size() + kBlockCost;
  // Jumps may still point at an old block there, so that one is filled anew and never freed.
  if (known == page.blocks.end())
    return page.blocks.emplace(key, std::move(made)).first->second.get();
  *known->second = std::move(*made);
  return known->second.get();
}

// Most stores to a page with code hit data beside it: where the block's own bytes have stayed, so
// may the block.
bool BlockCache::renew(Block& block, PageBlocks& page, const u8* host, unsigned at) {
  const u64 generation = page.code->generation();
  if (!page.code->add_code(at, at + block.bytes - 1)) return false;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (std::memcmp(block.code_bytes.data(), host, block.bytes) != 0) return false;
  block.generation = generation;
  return true;
}

std::unique_ptr<Block> BlockCache::decode(std::span<const u8> code, const CodeMode& mode) const {
  auto block = std::make_unique<Block>();
  const x86::DecodeMode how{.code_bits = mode.code_bits(),
                            .real_or_v86 = mode.real_or_v86(),
                            .features = &model_->features,
                            .amd = model_->is_amd()};
  while (block->insns.size() < kMaxInsns && !code.empty()) {
    Insn insn;
    const DecodeStatus status = x86::decode(code, how, insn);
    if (status == DecodeStatus::NeedMore) break;
    if (status == DecodeStatus::Ok)
      x86::interp::bind(insn);
    else
      x86::set_decode_fault(insn, status);
    block->insns.push_back(insn);
    block->bytes += insn.length;
    if (status != DecodeStatus::Ok || ends_block(insn)) break;
    code = code.subspan(insn.length);
  }
  block->insns.shrink_to_fit();
  return block;
}

void BlockCache::forget(const std::function<bool(u64)>& known) {
  std::erase_if(pages_, [&](const auto& entry) { return !known(entry.second->id); });
  ++*epoch_;  // links and jumps may lead there
}

void BlockCache::clear() {
  pages_.clear();
  insns_ = 0;
  ++*epoch_;
}

}  // namespace rhea::jit
