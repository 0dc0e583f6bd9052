// SPDX-License-Identifier: GPL-2.0-or-later
// Pages with decoded code.
#include "accel/jit/code_map.h"

#include "rhea/util/out_of_memory.h"
#include "rhea/util/rcu.h"

#include <sys/mman.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace rhea::jit {

u64 CodePage::lines(unsigned first, unsigned last) {
  constexpr unsigned shift = 7;  // 4096 bytes in 32 lines
  const u64 from = first >> shift, to = last >> shift;
  return ((u64{2} << to) - 1) & ~((u64{1} << from) - 1) & kLines;
}

bool CodePage::add_code(unsigned first, unsigned last) {
  u64 now = state_.load(std::memory_order_acquire);
  for (;;) {
    if ((now & kGuarded) == 0) return false;
    if ((now & kVoided) != 0) {
      std::this_thread::yield();
      now = state_.load(std::memory_order_acquire);
    } else if (state_.compare_exchange_weak(now, (now & ~kIdleStores) | lines(first, last))) {
      return true;
    }
  }
}

bool CodePage::stored(unsigned first, unsigned last) {
  // Orders the store itself before the look at the lines: either this sees the lines that a decoder
  // has announced, or the decoder sees the data.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const u64 hit = lines(first, last);
  u64 now = state_.load(std::memory_order_acquire);
  for (;;) {
    u64 next = now;
    if ((now & hit) != 0) {
      next = (now & ~(kLines | kIdleStores)) + kVoiding;
    } else if ((now & kVoided) != 0) {
      // Another thread has forgotten the lines, perhaps those hit here, and perhaps no more yet.
      generation_.fetch_add(1);
      return true;
    } else if ((now & kLines) != 0 || (now & kGuarded) == 0 || (now & kBeingWatched) != 0) {
      return false;
    } else if ((now & kIdleStores) < kMaxIdleStores * kIdleStore) {
      next += kIdleStore;
    } else {
      next = 0;
    }
    if (state_.compare_exchange_weak(now, next)) break;
  }
  if ((now & hit) == 0) return false;
  generation_.fetch_add(1);
  state_.fetch_sub(kVoiding);
  return true;
}

CodePages::CodePages(std::shared_ptr<RamBlock> ram, u64 id)
    : ram_(std::move(ram)),
      bytes_((ram_->size() + kPageSize - 1) / kPageSize * sizeof(CodePage)),
      id_(id) {
  // Zero pages until touched: most RAM never holds code.
  void* memory = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) out_of_memory();
  pages_ = static_cast<CodePage*>(memory);
  ram_->set_logging(DirtyClient::Code, true);
}

CodePages::~CodePages() {
  stop_logging();
  ::munmap(pages_, bytes_);
}

void CodePages::stop_logging() {
  if (std::exchange(logging_, false)) ram_->set_logging(DirtyClient::Code, false);
}

CodePages& CodeMap::of(const std::shared_ptr<RamBlock>& ram) {
  const std::lock_guard lock(mutex_);
  auto& pages = blocks_[ram.get()];
  if (!pages) pages = std::make_shared<CodePages>(ram, ++last_id_);
  return *pages;
}

bool CodeMap::forget_hidden(const std::function<bool(const RamBlock&)>& shown) {
  std::vector<std::shared_ptr<CodePages>> hidden;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(blocks_, [&](auto& entry) {
      if (shown(*entry.first)) return false;
      // At once, for the block may come back, and then has others.
      entry.second->stop_logging();
      hidden.push_back(std::move(entry.second));
      changes_.fetch_add(1);
      return true;
    });
  }
  // Without the lock, which readers take: retiring may wait for them.
  for (auto& pages : hidden) rcu_retire([gone = std::move(pages)]() mutable { gone.reset(); });
  return !hidden.empty();
}

bool CodeMap::known(u64 id) const {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(blocks_, [id](const auto& entry) { return entry.second->id() == id; });
}

std::size_t CodeMap::size() const {
  const std::lock_guard lock(mutex_);
  return blocks_.size();
}

}  // namespace rhea::jit
