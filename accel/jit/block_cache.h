// SPDX-License-Identifier: GPL-2.0-or-later
// Decoded code of one processor: blocks by the host page they were decoded from, and a jump cache
// by linear address in front of them.
#pragma once

#include "accel/jit/code_map.h"
#include "target/x86/decode/decode.h"
#include "target/x86/insn.h"

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

namespace rhea::jit {

/// What code means depends on this, beside its bytes.
struct CodeMode {
  u8 code_bits{16};
  bool real_or_v86{true};
  bool user{false};  ///< CPL 3: another processor may not fetch here
  u32 key() const {
    return (code_bits == 64 ? 2U : code_bits == 32 ? 1U : 0U) | (real_or_v86 ? 4U : 0U) |
           (user ? 8U : 0U);
  }
  friend bool operator==(const CodeMode&, const CodeMode&) = default;
};

struct PageBlocks;

/// Instructions that are executed one behind the other, all of one page.
struct Block {
  std::vector<x86::Insn> insns;
  unsigned bytes{};
  PageBlocks* page{};
  u32 generation{};
};

/// What one processor has decoded of one page.
struct PageBlocks {
  CodePages* pages{};
  CodePage* code{};
  u64 offset{};  ///< of the page in its RAM block
  const std::atomic<u64>* written{};  ///< by devices, bit `written_bit`
  u64 written_bit{};
  std::unordered_map<u32, std::unique_ptr<Block>> blocks;  ///< by offset in the page and mode
};

/// Not thread-safe: each processor has its own.
class BlockCache {
 public:
  static constexpr unsigned kMaxInsns = 48;     ///< of a block
  static constexpr std::size_t kCapacity = 400'000;  ///< instructions, before all is dropped

  explicit BlockCache(const x86::FeatureSet& features) : features_(&features) {}

  /// The block at a linear address if it is known and still good.
  Block* find(u64 linear, const CodeMode& mode) {
    Jump& jump = jumps_[slot(linear, mode)];
    if (jump.linear != linear || jump.key != mode.key() || jump.epoch != epoch_) [[unlikely]]
      return nullptr;
    return current(*jump.block) ? jump.block : nullptr;
  }
  void remember(u64 linear, const CodeMode& mode, Block& block) {
    jumps_[slot(linear, mode)] = {
        .linear = linear, .block = &block, .key = mode.key(), .epoch = epoch_};
  }
  /// The linear addresses mean something else now.
  void forget_addresses() { ++epoch_; }

  /// The page's blocks; made when new.
  PageBlocks& page(const u8* host_page, CodePages& pages, u64 offset);
  /// The block at `at` of the page, decoded if need be; null when the instruction there runs over
  /// the page's end. The page is watched.
  Block* block(PageBlocks& page, const u8* host_page, unsigned at, const CodeMode& mode);
  /// Whether nothing has been written over it.
  static bool current(const Block& block) {
    return block.page->code->generation() == block.generation &&
           (block.page->written->load(std::memory_order_acquire) & block.page->written_bit) == 0;
  }
  bool full() const { return insns_ > kCapacity; }
  void clear();

 private:
  struct Jump {
    u64 linear{};
    Block* block{};
    u32 key{};
    u32 epoch{};
  };
  static constexpr unsigned kJumps = 8192;
  static unsigned slot(u64 linear, const CodeMode& mode) {
    return static_cast<unsigned>((linear ^ linear >> 13 ^ mode.key() << 3) % kJumps);
  }
  std::unique_ptr<Block> decode(std::span<const u8> code, const CodeMode& mode) const;

  const x86::FeatureSet* features_;
  u32 epoch_{1};
  std::size_t insns_{0};
  std::array<Jump, kJumps> jumps_{};
  std::unordered_map<const u8*, std::unique_ptr<PageBlocks>> pages_;
};

/// An instruction that cannot be executed as decoded: it raises what the decoder found.
void set_decode_fault(x86::Insn& insn, x86::DecodeStatus status);

}  // namespace rhea::jit
