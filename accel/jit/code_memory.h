// SPDX-License-Identifier: GPL-2.0-or-later
// Memory for decoded code: an arena for each processor, and how much there is of them in a machine.
#pragma once

#include "rhea/util/types.h"

#include <atomic>
#include <memory_resource>
#include <vector>

namespace rhea::jit {

/// What the processors of a machine have decoded, in bytes. Thread-safe.
class CodeMemory {
 public:
  /// Of a machine, however many processors it has.
  static constexpr std::size_t kMost = 96 * MiB;

  explicit CodeMemory(std::size_t most = kMost) : most_(most) {}
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }
  std::size_t most() const { return most_.load(std::memory_order_relaxed); }
  bool over() const { return size() > most(); }
  void set_most(std::size_t most) { most_.store(most, std::memory_order_relaxed); }
  void add(i64 bytes) {
    size_.fetch_add(static_cast<std::size_t>(bytes), std::memory_order_relaxed);
  }

 private:
  friend class CodeArena;
  std::atomic<std::size_t> most_, size_{0};
};

/// Gives memory piece by piece and takes it back all at once; what is freed before stays where it
/// is. Straight from the host and to it: memory that one thread has freed in the C library's heap
/// is of no use to the others. One thread allocates; any may ask for the size.
class CodeArena final : public std::pmr::memory_resource {
 public:
  explicit CodeArena(CodeMemory& memory) : memory_(&memory) {}
  ~CodeArena() override { clear(); }
  CodeArena(const CodeArena&) = delete;
  CodeArena& operator=(const CodeArena&) = delete;

  /// Everything that lies in it is gone.
  void clear();
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

  template <class T>
  T* array(std::size_t count) {
    return static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
  }

 private:
  static constexpr std::size_t kChunk = 256 * KiB;
  struct Chunk {
    u8* start;
    std::size_t size;
  };
  void* do_allocate(std::size_t size, std::size_t alignment) override;
  void do_deallocate(void*, std::size_t, std::size_t) override {}
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    return this == &other;
  }
  u8* map(std::size_t size);

  CodeMemory* memory_;
  std::vector<Chunk> chunks_;
  u8* next_{};
  std::size_t left_{};
  std::atomic<std::size_t> size_{0};
};

}  // namespace rhea::jit
