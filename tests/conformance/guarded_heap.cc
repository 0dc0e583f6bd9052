// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/conformance/guarded_heap.h"

#include "tests/conformance/watch.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

namespace rhea::test::guarded_heap {
namespace {

std::atomic<u8> pattern_now{0xa5};
std::atomic<u64> allocated{0};
std::atomic<std::size_t> largest{0};

}  // namespace

void fill_with(u8 pattern) { pattern_now = pattern; }
u64 allocated_bytes() { return allocated; }
Limit::Limit(std::size_t bytes) { largest = bytes; }
Limit::~Limit() { largest = 0; }

}  // namespace rhea::test::guarded_heap

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
namespace rhea::test::guarded_heap {
namespace {

/// Before each block; behind it stands a fence of kFence.
struct alignas(16) Header {
  std::size_t bytes;
  u64 magic;
};
constexpr u64 kMagic = 0x7263'6f6c'6221'dead;
constexpr std::size_t kFenceBytes = 16;
constexpr u8 kFence = 0xfe, kGone = 0xdd;
// The first bytes of a large block, and all of a small one: most of a large one is never looked at.
constexpr std::size_t kMostFilled = 64 * 1024;

[[noreturn]] void end(const std::string& what) {
  const std::string line = fmt::format("{}: {}\n", Watch::now(), what);
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  ::_exit(1);
}

void* take(std::size_t bytes) {
  if (const std::size_t most = largest; most != 0 && bytes > most) {
    largest = 0;
    end(fmt::format("asks for {} bytes of memory at once", bytes));
  }
  void* place = std::malloc(sizeof(Header) + bytes + kFenceBytes);
  if (place == nullptr) throw std::bad_alloc();
  auto* header = new (place) Header{.bytes = bytes, .magic = kMagic};
  auto* data = reinterpret_cast<u8*>(header + 1);
  std::memset(data, pattern_now, std::min(bytes, kMostFilled));
  std::memset(data + bytes, kFence, kFenceBytes);
  allocated += bytes;
  return data;
}

void give_back(void* data) {
  if (data == nullptr) return;
  auto* header = static_cast<Header*>(data) - 1;
  if (header->magic != kMagic) {
    largest = 0;
    end("a block of memory is freed twice, or something was written before it");
  }
  const auto* fence = static_cast<u8*>(data) + header->bytes;
  if (std::any_of(fence, fence + kFenceBytes, [](u8 byte) { return byte != kFence; })) {
    largest = 0;
    end(fmt::format("something was written beyond the end of {} bytes of memory", header->bytes));
  }
  allocated -= header->bytes;
  header->magic = 0;
  std::memset(data, kGone, std::min(header->bytes, kMostFilled));
  std::free(header);
}

}  // namespace
}  // namespace rhea::test::guarded_heap

// NOLINTBEGIN(misc-new-delete-overloads): those with an alignment stay the library's
void* operator new(std::size_t bytes) { return rhea::test::guarded_heap::take(bytes); }
void* operator new[](std::size_t bytes) { return rhea::test::guarded_heap::take(bytes); }
void operator delete(void* data) noexcept { rhea::test::guarded_heap::give_back(data); }
void operator delete[](void* data) noexcept { rhea::test::guarded_heap::give_back(data); }
void operator delete(void* data, std::size_t) noexcept {
  rhea::test::guarded_heap::give_back(data);
}
void operator delete[](void* data, std::size_t) noexcept {
  rhea::test::guarded_heap::give_back(data);
}
// NOLINTEND(misc-new-delete-overloads)
#endif
