// SPDX-License-Identifier: GPL-2.0-or-later
// Memory for translated code: written through one mapping, executed through another, so that no
// page is both at one address.
#pragma once

#include "accel/jit/code_memory.h"
#include "rhea/util/types.h"

#include <span>

namespace rhea::jit {

/// Not thread-safe.
class CodeBuffer {
 public:
  /// Of so many bytes, of which those that are used count in `memory`.
  CodeBuffer(std::size_t capacity, CodeMemory& memory);
  ~CodeBuffer();
  CodeBuffer(const CodeBuffer&) = delete;
  CodeBuffer& operator=(const CodeBuffer&) = delete;

  /// False: the host gave none.
  explicit operator bool() const { return writable_ != nullptr && executable_ != nullptr; }
  /// What has not been taken yet of the part in use: at first, all of it.
  std::span<u8> room() const { return {writable_ + used_, end_ - used_}; }
  /// The first `size` bytes of room() have become code.
  void take(std::size_t size);
  /// The bytes from `first` to `end` are the part in use, and free again.
  void use(std::size_t first, std::size_t end) {
    used_ = first;
    end_ = end;
  }
  /// All but the first `kept` bytes is free again, and the part in use.
  void drop(std::size_t kept);
  std::size_t capacity() const { return capacity_; }
  /// What counts: what has ever been taken, in whole pieces. From any thread.
  std::size_t size() const { return counted_.load(std::memory_order_relaxed); }

  const u8* executable(const u8* written) const { return executable_ + (written - writable_); }
  /// Where byte `at` of the buffer is written, and executed.
  u8* writable_at(std::size_t at) const { return writable_ + at; }
  const u8* executable_at(std::size_t at) const { return executable_ + at; }
  u8* writable(const u8* executed) const { return writable_ + (executed - executable_); }

 private:
  static constexpr std::size_t kPiece = 256 * KiB;
  static std::size_t whole_pieces(std::size_t size) {
    return (size + kPiece - 1) / kPiece * kPiece;
  }
  void count(std::size_t pieces);

  std::size_t capacity_;
  CodeMemory* memory_;
  int file_{-1};
  u8* writable_{};
  u8* executable_{};
  std::size_t used_{0}, end_, most_used_{0};
  std::atomic<std::size_t> counted_{0};
};

}  // namespace rhea::jit
