// SPDX-License-Identifier: GPL-2.0-or-later
// Host memory behind guest RAM and ROM, with a dirty bitmap per client.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/file_descriptor.h"
#include "rhea/util/types.h"

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <string>

namespace rhea {

/// Who wants to know of writes. One bitmap each, so that clients do not clear each other's bits.
enum class DirtyClient : u8 { Display, Migration, Code };
inline constexpr unsigned kDirtyClients = 3;
inline constexpr u64 kPageSize = 4096;

enum class RamBacking : u8 {
  Anonymous,  ///< private anonymous memory
  Memfd,      ///< shareable with other processes (vhost, snapshots by fork)
  File,       ///< mem-path
  Huge,       ///< memfd with huge pages; fails when the host has none reserved
};

struct RamOptions {
  RamBacking backing{RamBacking::Anonymous};
  std::string path{};    ///< File: the file, created when missing
  bool share{false};     ///< File: write through to the file
  bool prealloc{false};  ///< touch every page now
};

/// Thread-safe: marking and testing dirty bits is lock-free from any thread.
class RamBlock {
 public:
  /// `id` names the block in snapshots and in the monitor, e.g. "pc.ram". Size in bytes, rounded up
  /// to pages.
  static Result<std::unique_ptr<RamBlock>> create(std::string id, u64 size,
                                                  const RamOptions& options);
  ~RamBlock();
  RamBlock(const RamBlock&) = delete;
  RamBlock& operator=(const RamBlock&) = delete;

  const std::string& id() const { return id_; }
  u64 size() const { return size_; }
  u8* host() const { return host_; }
  std::span<u8> bytes() const { return {host_, size_}; }
  /// -1 for anonymous memory.
  int fd() const { return fd_.get(); }

  /// A write of `length` bytes happened: tells every client that is logging.
  void mark_dirty(u64 offset, u64 length);
  void mark_dirty_for(DirtyClient client, u64 offset, u64 length);
  bool test_dirty(DirtyClient client, u64 offset, u64 length) const;
  /// Clears the bits of the range and returns whether any was set.
  bool test_and_clear_dirty(DirtyClient client, u64 offset, u64 length);
  /// Bit n = page n of the range from `first_page`; `bits` words of 64 pages, taken and cleared.
  void take_dirty(DirtyClient client, u64 first_page, std::span<u64> bits);
  /// Sets the bits of `bitmap` (as KVM delivers it), the first bit being page `first_page`.
  void merge_dirty(DirtyClient client, u64 first_page, std::span<const u64> bitmap, u64 pages);
  /// The word that holds a page's bit, page 64 * n being bit 0 of word n; the client is logging.
  const std::atomic<u64>& dirty_word(DirtyClient client, u64 page) const {
    return bitmap(client)[page / 64];
  }
  /// Whether any client logs this block at all (a fast path for writers).
  bool logging(DirtyClient client) const {
    return (log_mask_.load(std::memory_order_relaxed) & (1u << static_cast<unsigned>(client))) != 0;
  }
  /// Logging starts with a clean bitmap. Not to be called for one client by two threads at once.
  void set_logging(DirtyClient client, bool on);

 private:
  RamBlock() = default;
  Result<> map(const RamOptions& options);
  std::atomic<u64>* bitmap(DirtyClient client) const {
    return dirty_[static_cast<unsigned>(client)].load(std::memory_order_acquire);
  }

  std::string id_;
  u64 size_{};
  u8* host_{};
  FileDescriptor fd_;
  std::atomic<unsigned> log_mask_{0};
  /// Allocated when a client's logging is first switched on, and kept: writers look at them without
  /// a lock.
  std::array<std::atomic<std::atomic<u64>*>, kDirtyClients> dirty_{};
};

}  // namespace rhea
