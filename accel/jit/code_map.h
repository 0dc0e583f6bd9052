// SPDX-License-Identifier: GPL-2.0-or-later
// Which pages of guest RAM hold decoded code, and whether they have been written since.
//
// A page with code is watched: no processor makes a TLB entry to write it any more, and once those
// that there were are gone every store ends in stored(), which raises the page's generation if it
// hits code. Only then is code read from it. Blocks remember the generation under which they were
// decoded and are worthless under another. Stores of devices (DMA) mark the
// block's DirtyClient::Code bits instead, which are looked at together with the generation.
//
// Whose code is voided is forgotten, so that data beside it costs nothing until there is code
// again. That and the new generation are two steps: between them the page counts as being voided.
#pragma once

#include "rhea/softmmu/ram_block.h"

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace rhea::jit {

/// One page, shared by all processors. Lines are 128 bytes.
class CodePage {
 public:
  /// No TLB entry may be made to write it.
  bool watched() const { return (state_.load(std::memory_order_acquire) & kWatched) != 0; }
  /// Nor is there one: every store comes by stored().
  bool guarded() const { return (state_.load(std::memory_order_acquire) & kGuarded) != 0; }
  u64 generation() const { return generation_.load(std::memory_order_acquire); }
  /// Code is about to be read from these bytes of the page. False: it is not guarded (any more).
  bool add_code(unsigned first, unsigned last);
  /// Watches the page, and guards it when `drop_entries` has returned: no processor has an entry
  /// from before.
  template <class DropEntries>
  void watch(DropEntries drop_entries) {
    state_.fetch_add(kWatching);
    state_.fetch_or(kWatched);
    drop_entries();
    state_.fetch_or(kGuarded);
    state_.fetch_sub(kWatching);
  }
  /// After a store to the page. True if it hit code. A page that is written often and holds no code
  /// any more is not watched any longer.
  bool stored(unsigned first, unsigned last);
  /// Everything decoded from the page is void, and nothing new comes before `forget`, which drops
  /// other marks of what was written, has returned.
  template <class Forget>
  void invalidate(Forget forget) {
    state_.fetch_add(kVoiding);
    state_.fetch_and(~(kLines | kIdleStores));
    generation_.fetch_add(1);
    forget();
    state_.fetch_sub(kVoiding);
  }

 private:
  static constexpr u64 kWatched = u64{1} << 63, kGuarded = u64{1} << 62;
  static constexpr u64 kLines = 0xffff'ffff;
  static constexpr u64 kIdleStore = u64{1} << 32;
  static constexpr u64 kIdleStores = u64{0xff} << 32;
  static constexpr u64 kMaxIdleStores = 32;
  // How many threads are about it.
  static constexpr u64 kVoiding = u64{1} << 40, kVoided = u64{0x7ff} << 40;
  static constexpr u64 kWatching = u64{1} << 51, kBeingWatched = u64{0x7ff} << 51;
  static u64 lines(unsigned first, unsigned last);

  std::atomic<u64> state_{0};
  std::atomic<u64> generation_{0};
};

/// The pages of one RAM block.
class CodePages : public std::enable_shared_from_this<CodePages> {
 public:
  /// `id` is of this object alone, for those who may look after it has gone.
  explicit CodePages(std::shared_ptr<RamBlock> ram, u64 id = 0);
  ~CodePages();
  CodePages(const CodePages&) = delete;
  CodePages& operator=(const CodePages&) = delete;

  const std::shared_ptr<RamBlock>& ram() const { return ram_; }
  CodePage& at(u64 offset) const { return pages_[offset / kPageSize]; }
  u64 id() const { return id_; }
  /// Devices' stores are marked no more.
  void stop_logging();

 private:
  std::shared_ptr<RamBlock> ram_;
  CodePage* pages_;
  u64 bytes_;
  u64 id_;
  bool logging_{true};
};

/// Of a machine. Thread-safe.
class CodeMap {
 public:
  CodePages& of(const std::shared_ptr<RamBlock>& ram);
  /// Forgets the blocks that are not `shown` any more; whether there were any. They go when every
  /// RcuGuard of now has gone; who has anything of theirs asks changes() in each new guard, and
  /// known() of what it has. Until then of() may be asked for them once more.
  bool forget_hidden(const std::function<bool(const RamBlock&)>& shown);
  u64 changes() const { return changes_.load(std::memory_order_acquire); }
  bool known(u64 id) const;
  std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<const RamBlock*, std::shared_ptr<CodePages>> blocks_;
  std::atomic<u64> changes_{0};
  u64 last_id_{0};
};

}  // namespace rhea::jit
