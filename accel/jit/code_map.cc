// SPDX-License-Identifier: GPL-2.0-or-later
// Pages with decoded code.
#include "accel/jit/code_map.h"

#include "rhea/util/out_of_memory.h"

#include <sys/mman.h>

#include <thread>

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

CodePages::CodePages(std::shared_ptr<RamBlock> ram)
    : ram_(std::move(ram)), bytes_((ram_->size() + kPageSize - 1) / kPageSize * sizeof(CodePage)) {
  // Zero pages until touched: most RAM never holds code.
  void* memory = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) out_of_memory();
  pages_ = static_cast<CodePage*>(memory);
  ram_->set_logging(DirtyClient::Code, true);
}

CodePages::~CodePages() {
  ram_->set_logging(DirtyClient::Code, false);
  ::munmap(pages_, bytes_);
}

CodePages& CodeMap::of(const std::shared_ptr<RamBlock>& ram) {
  const std::lock_guard lock(mutex_);
  auto& pages = blocks_[ram.get()];
  if (!pages) pages = std::make_unique<CodePages>(ram);
  return *pages;
}

}  // namespace rhea::jit
