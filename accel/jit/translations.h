// SPDX-License-Identifier: GPL-2.0-or-later
// What a processor has translated: blocks' host code, and the jumps between them.
#pragma once

#include "accel/jit/code_buffer.h"
#include "accel/jit/code_memory.h"
#include "accel/jit/jump_tables.h"
#include "target/x86/cpu.h"
#include "target/x86/translate/runtime.h"

#include <deque>
#include <span>
#include <unordered_map>
#include <vector>

namespace rhea::jit {

class CodePage;
struct Block;
struct PageStamp;
struct Translation;
struct TranslatedPage;

/// A jump in a block's code that may be led to another block of its page.
struct DirectJump {
  u8* displacement{};  ///< writable, as is `stub`
  u8* stub{};
  u16 target{};          ///< offset in the page
  TranslatedPage* to{};  ///< while it leads to a block of that page
};

/// A block that may not be entered any more, but by way of Translations::revive(), leads out of
/// translated code at its entry: whoever knows that finds it shut.
struct Translation {
  const u8* entry{};  ///< looks around first
  const u8* quick_entry{};
  const u8* way_out{};                                   ///< leaves, as at the entry
  std::array<u8, x86::translating::kJumpBytes> first{};  ///< of the code at the entry
  bool open{};
  u64 called{};      ///< instructions, by their number: executed by their functions each time
  unsigned start{};  ///< of the block, offset in its page
  std::span<DirectJump> jumps;
  Block* block{};  ///< that was translated; may have become another since
  TranslatedPage* page{};
  /// Of an instruction on two: which page follows depends on the address space, so that it is
  /// entered by jumps through `quick_entry` alone, where its address is looked up.
  TranslatedPage* next_page{};
};

/// What leads to blocks of a page.
struct TranslatedPage {
  std::vector<Translation*> open;
  std::vector<DirectJump*> linked;  ///< all within the page
  /// Pages with instructions that end on this one: are shut with it.
  std::vector<TranslatedPage*> before;
  std::size_t mark{};  ///< Mark of the page, and its bit there
  u64 mark_bit{};
};

/// What has been done so far. Written by one thread, read by any.
struct TranslationCounts {
  std::atomic<u64> blocks{0};       ///< that there are now
  std::atomic<u64> guest_bytes{0};  ///< in them
  std::atomic<u64> host_bytes{0};   ///< of their code
  std::atomic<u64> clears{0};       ///< of everything
  std::atomic<u64> evicted{0};      ///< blocks that have made room for others
  std::atomic<u64> shut{0};         ///< blocks whose page has changed
};

/// The buffer is filled region by region; when the last is full, the first is emptied, and so on
/// around. Not thread-safe: each processor has its own.
class Translations {
 public:
  /// Bytes of code of a processor, unless `tb-size` says otherwise, and what it may say.
  static constexpr std::size_t kUsualCapacity = 16 * MiB, kMostCapacity = 1 * GiB;

  Translations(x86::Cpu& cpu, CodeMemory& memory, std::size_t capacity = kUsualCapacity);

  /// False: the host has no memory for code, and nothing is ever translated.
  explicit operator bool() const { return static_cast<bool>(buffer_) && enter_ != nullptr; }
  /// Outside of translated code: may empty a region. Null: the block is too long.
  Translation* translate(Block& block, unsigned page_offset,
                         const x86::translating::BlockMode& mode);
  x86::translating::Left enter(const Translation& block) {
    return enter_(x86::translating::state_of(*cpu_), block.entry);
  }
  /// What translate() has made last: offsets from `code`, which is where it is executed.
  struct Made {
    const u8* code{};
    const x86::translating::Translator::Result* result{};
  };
  Made latest() const { return latest_; }
  /// The block, which is as it lies in memory, is about to be entered.
  void revive(Translation& block);
  /// Leads a jump to a block from now on.
  void link(DirectJump& jump, Translation& to);
  /// The page's code may have changed: nothing leads to its blocks any more.
  void shut(const CodePage& page);
  void shut_all();
  /// Shuts the pages that a device has written to since their blocks were entered.
  void shut_written();
  JumpTables& jumps() { return jumps_; }
  /// Everything is forgotten.
  void clear();
  /// In bytes; from any thread.
  std::size_t size() const;
  const TranslationCounts& counts() const { return counts_; }
  std::size_t capacity() const { return buffer_.capacity(); }

 private:
  static constexpr std::size_t kRegions = 16;
  /// What the longest block may need, and what the shortest may not.
  static constexpr std::size_t kLeastRegion = 64 * KiB, kLeastRoom = 4 * KiB;
  /// A part of the buffer.
  struct Region {
    Region(std::size_t from, std::size_t to, CodeMemory& memory)
        : first(from), end(to), arena(memory) {}
    std::size_t first, end;
    CodeArena arena;  ///< of what its blocks are remembered by
    std::vector<Translation*> blocks;
    u64 guest_bytes{}, host_bytes{};
  };
  /// Where devices mark pages that they write to.
  struct Mark {
    const std::atomic<u64>* word{};
    u64 pages{};    ///< those with translated blocks
    u64 seen{};     ///< marked, and noticed
    u64 written{};  ///< newly, as of the last look
  };

  bool make(const Block& block, unsigned page_offset, const x86::translating::BlockMode& mode);
  Translation* keep(Block& block, unsigned page_offset);
  void count_blocks();
  void begin_next_region();
  void evict(Region& region);
  void forget_within(TranslatedPage& page, const Region& region);
  static void unlink(DirectJump& jump);
  TranslatedPage& page_of(const PageStamp& stamp);
  TranslatedPage* page_behind(const Block& block, TranslatedPage& page);
  void forget_mark(const TranslatedPage& page);
  void shut(TranslatedPage& page);
  void shut_alone(TranslatedPage& page);

  x86::Cpu* cpu_;
  x86::translating::StateLayout layout_;
  CodeBuffer buffer_;
  std::deque<Region> regions_;
  std::size_t now_{0};  ///< the region that is filled
  x86::translating::Runtime runtime_;
  x86::translating::Enter enter_{};
  std::size_t runtime_size_{0};
  x86::translating::Translator::Result made_;
  Made latest_;
  JumpTables jumps_;
  TranslationCounts counts_;
  std::unordered_map<const CodePage*, TranslatedPage> pages_;
  std::vector<Mark> marks_;
};

}  // namespace rhea::jit
