// SPDX-License-Identifier: GPL-2.0-or-later
// Decoded code of one processor: blocks by the host page they were decoded from, and a jump cache
// by linear address in front of them.
#pragma once

#include "accel/jit/code_map.h"
#include "accel/jit/code_memory.h"
#include "accel/jit/code_mode.h"
#include "target/x86/cpuid.h"
#include "target/x86/decode/decode.h"
#include "target/x86/insn.h"
#include "target/x86/tlb_set.h"

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rhea::jit {

struct PageBlocks;
struct Translation;

/// Where a block led before: the next one, if it is at this address under this epoch.
struct Link {
  u64 linear{};
  struct Block* block{};
  u64 when{};  ///< epoch (see CodeEpochs) and mode
};

/// A page as it was when code of it was decoded.
struct PageStamp {
  const CodePage* code{};
  u64 generation{};
  const std::atomic<u64>* written{};  ///< by devices, bit `written_bit`
  u64 written_bit{};

  /// Whether no code of it has been written over. In this order: the mark of a device's store goes
  /// after the generation has been raised.
  bool current() const {
    return (written->load(std::memory_order_acquire) & written_bit) == 0 &&
           code->generation() == generation;
  }
};

/// Instructions that are executed one behind the other, all of one page, or a single one that lies
/// on two. They lie in the cache's arena, as do the bytes.
struct Block {
  std::span<const x86::Insn> insns;
  std::span<const u8> code_bytes;  ///< what it was decoded from
  unsigned bytes{};
  PageStamp page;
  PageStamp* next_page{};       ///< of an instruction on two
  bool logged{};                ///< by -d in_asm
  std::array<Link, 2> links{};  ///< the latest first
  Translation* translation{};   ///< of these bytes
  unsigned runs{};              ///< before it is translated

  /// Whether nothing has been written over it.
  bool current() const { return page.current() && (next_page == nullptr || next_page->current()); }
};

/// What one processor has decoded of one page.
struct PageBlocks {
  CodePages* pages{};
  u64 id{};  ///< of these CodePages
  CodePage* code{};
  u64 offset{};                                   ///< of the page in its RAM block
  std::pmr::unordered_map<u32, Block*> blocks{};  ///< by offset in the page and mode
  /// Instructions that begin here and end on another page, likewise.
  std::pmr::map<std::pair<u32, const PageBlocks*>, Block*> crossing{};
};

/// A page that code is on, and where it lies in the host's memory.
struct CodeAt {
  PageBlocks* blocks{};
  const u8* host{};
};

/// Not thread-safe: each processor has its own.
class BlockCache {
 public:
  static constexpr unsigned kMaxInsns = 48;           ///< of a block
  static constexpr unsigned kMaxConditional = 4;      ///< jumps in it that need not be taken
  static constexpr std::size_t kCapacity = 24 * MiB;  ///< before all is dropped

  /// `epochs` say whether code may be where it was by its linear address.
  BlockCache(const x86::CpuModel& model, const x86::CodeEpochs& epochs, CodeMemory& memory);

  /// The block at a linear address, reached from `from` (may be null), if it is known and good.
  /// `everywhere` becomes whether in all address spaces.
  Block* find(Block* from, u64 linear, const CodeMode& mode, bool& everywhere) {
    const u64 here = when(epochs_->now, mode), anywhere = when(epochs_->global, mode);
    const auto leads = [=](const Link& link) {
      return link.linear == linear && (link.when == here || link.when == anywhere) &&
             link.block->current();
    };
    if (from != nullptr) [[likely]]
      for (const Link& link : from->links)
        if (leads(link)) [[likely]] {
          everywhere = link.when == anywhere;
          return link.block;
        }
    for (const unsigned way : {0U, 1U}) {
      const Link& jump = jumps_[slot(linear, mode) ^ way];
      if (!leads(jump)) continue;
      if (from != nullptr) connect(*from, jump);
      everywhere = jump.when == anywhere;
      return jump.block;
    }
    return nullptr;
  }
  Block* find(Block* from, u64 linear, const CodeMode& mode) {
    bool everywhere = false;
    return find(from, linear, mode, everywhere);
  }
  /// `epoch`: one of CodeEpochs, under which the page was looked up.
  void remember(Block* from, u64 linear, const CodeMode& mode, u64 epoch, Block& block) {
    const Link jump{.linear = linear, .block = &block, .when = when(epoch, mode)};
    const unsigned at = slot(linear, mode);
    jumps_[at ^ 1] = jumps_[at];
    jumps_[at] = jump;
    if (from != nullptr) connect(*from, jump);
  }

  /// The page's blocks; made when new.
  PageBlocks& page(const u8* host_page, CodePages& pages, u64 offset);
  /// The block at `at` of the page, decoded if need be; null when the instruction there runs over
  /// the page's end, or the page is not watched any more.
  Block* block(PageBlocks& page, const u8* host_page, unsigned at, const CodeMode& mode);
  /// The same if it has been decoded, and nothing has been written over it; else null.
  static Block* known(const PageBlocks& page, unsigned at, const CodeMode& mode) {
    const auto found = page.blocks.find(at << CodeMode::kBits | mode.key());
    return found != page.blocks.end() && found->second->current() ? found->second : nullptr;
  }
  /// Whether the instruction at `at` of a page runs over its end.
  bool runs_over(const u8* host_page, unsigned at, const CodeMode& mode);
  /// The instruction that begins at `at` of the first page and ends on the second; null: what lies
  /// there is none, or a page is not watched any more.
  Block* crossing(const CodeAt& first, const CodeAt& second, unsigned at, const CodeMode& mode);
  /// Drops what was decoded from memory that `known` does not know any more. Between blocks, before
  /// anything else under a new RcuGuard.
  void forget(const std::function<bool(u64)>& known);
  /// How often blocks or pages have gone, and with them what was found before.
  u64 drops() const { return drops_; }
  bool full() const { return size() > kCapacity; }
  /// Of all that it remembers, in bytes; from any thread.
  std::size_t size() const { return arena_.size(); }
  void clear();
  /// How often everything was dropped.
  u64 clears() const { return clears_; }
  /// Who hears of pages whose code is found to have changed.
  void set_on_change(std::function<void(const CodePage&)> told) { on_change_ = std::move(told); }

 private:
  static constexpr unsigned kJumps = 8192;
  static u64 when(u64 epoch, const CodeMode& mode) { return epoch << CodeMode::kBits | mode.key(); }
  static unsigned slot(u64 linear, const CodeMode& mode) {
    return static_cast<unsigned>((linear ^ linear >> 13 ^ mode.key() << 3) % kJumps);
  }
  static void connect(Block& from, const Link& link) {
    from.links[1] = from.links[0];
    from.links[0] = link;
  }
  static bool renew(Block& block, PageBlocks& page, const u8* host, unsigned at);
  /// Likewise of one on two pages.
  static bool renew_crossing(Block& block, const CodeAt& first, const CodeAt& second, unsigned at);
  void notice_writes(PageBlocks& page);
  /// Into `decoded_`; how many bytes they are.
  unsigned decode(std::span<const u8> code, const CodeMode& mode, unsigned most = kMaxInsns);
  template <class T>
  std::span<const T> keep(std::span<const T> old, std::span<const T> made);

  const x86::CpuModel* model_;
  const x86::CodeEpochs* epochs_;
  u64 drops_{0};
  std::array<Link, kJumps> jumps_{};
  std::vector<x86::Insn> decoded_;
  u64 clears_{};
  std::function<void(const CodePage&)> on_change_ = [](const CodePage&) {};
  CodeArena arena_;
  std::optional<std::pmr::unordered_map<const u8*, PageBlocks*>> pages_;  ///< in the arena
};

}  // namespace rhea::jit
