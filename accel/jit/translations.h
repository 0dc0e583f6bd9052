// SPDX-License-Identifier: GPL-2.0-or-later
// What a processor has translated: blocks' host code, and the jumps between them.
#pragma once

#include "accel/jit/code_buffer.h"
#include "accel/jit/code_memory.h"
#include "target/x86/cpu.h"
#include "target/x86/translate/runtime.h"

#include <array>
#include <span>
#include <vector>

namespace rhea::jit {

struct Block;
struct Translation;

/// A jump in a block's code that may be led to another block of its page.
struct DirectJump {
  u8* displacement{};  ///< writable, as is `stub`
  u8* stub{};
  u16 target{};  ///< offset in the page
  bool linked{};
};

struct Translation {
  const u8* entry{};  ///< looks around first
  const u8* quick_entry{};
  unsigned start{};  ///< of the block, offset in its page
  std::span<DirectJump> jumps;
  std::size_t mark{};  ///< Mark of its page, and the page's bit there
  u64 mark_bit{};
};

/// Not thread-safe: each processor has its own.
class Translations {
 public:
  static constexpr std::size_t kCapacity = 16 * MiB;

  Translations(x86::Cpu& cpu, CodeMemory& memory);

  /// False: the host has no memory for code, and nothing is ever translated.
  explicit operator bool() const { return static_cast<bool>(buffer_) && enter_ != nullptr; }
  /// Null: no room.
  Translation* translate(const Block& block, unsigned page_offset,
                         const x86::translating::BlockMode& mode);
  x86::translating::Left enter(const Translation& block) {
    return enter_(x86::translating::state_of(*cpu_), block.entry);
  }
  /// Leads a jump to a block from now on.
  void link(DirectJump& jump, Translation& to);
  /// Code may have changed: nothing leads from block to block any more.
  void unlink_all();
  /// The jump table for code of this kind, empty if the last one had another or if linear addresses
  /// may mean something else by now.
  x86::JumpTable& jumps(u32 mode_key, bool user, const x86::CodeEpochs& epochs);
  /// Whether a device has written to a page that blocks have been entered in since.
  bool written();
  /// The block, which is as it lies in memory, is about to be entered.
  void about_to_enter(const Translation& block) { marks_[block.mark].seen &= ~block.mark_bit; }
  /// Everything is forgotten.
  void clear();
  bool full() const { return buffer_.room().size() < kLeast; }
  /// In bytes; from any thread.
  std::size_t size() const { return arena_.size() + buffer_.size(); }

 private:
  /// What a block may need.
  static constexpr std::size_t kLeast = 64 * KiB;
  struct Jumps {
    x86::JumpTable table;
    u32 mode_key{};
    u64 epoch{}, global_epoch{};
  };
  /// Where devices mark pages that they write to.
  struct Mark {
    const std::atomic<u64>* word{};
    u64 pages{};  ///< those with translated blocks
    u64 seen{};   ///< marked, and noticed
  };

  x86::Cpu* cpu_;
  x86::translating::StateLayout layout_;
  CodeBuffer buffer_;
  CodeArena arena_;
  x86::translating::Runtime runtime_;
  x86::translating::Enter enter_{};
  std::size_t runtime_size_{0};
  x86::translating::Translator::Result made_;
  std::array<Jumps, 2> jumps_{};
  std::vector<DirectJump*> linked_;
  std::vector<Mark> marks_;
};

}  // namespace rhea::jit
