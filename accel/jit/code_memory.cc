// SPDX-License-Identifier: GPL-2.0-or-later
#include "accel/jit/code_memory.h"

#include <sys/mman.h>

#include <memory>
#include <new>

namespace rhea::jit {

u8* CodeArena::map(std::size_t size) {
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  chunks_.push_back({.start = static_cast<u8*>(memory), .size = size});
  memory_->size_.fetch_add(size, std::memory_order_relaxed);
  size_.fetch_add(size, std::memory_order_relaxed);
  return chunks_.back().start;
}

void* CodeArena::do_allocate(std::size_t size, std::size_t alignment) {
  if (size > kChunk / 4) return map(size);  // a large hash table
  void* at = next_;
  if (std::align(alignment, size, at, left_) == nullptr) {
    at = map(kChunk);
    left_ = kChunk;
  }
  next_ = static_cast<u8*>(at) + size;
  left_ -= size;
  return at;
}

void CodeArena::clear() {
  for (const Chunk& chunk : chunks_) ::munmap(chunk.start, chunk.size);
  chunks_.clear();
  memory_->size_.fetch_sub(size(), std::memory_order_relaxed);
  size_.store(0, std::memory_order_relaxed);
  next_ = nullptr;
  left_ = 0;
}

}  // namespace rhea::jit
