// SPDX-License-Identifier: GPL-2.0-or-later
// Memory for host code: written through one mapping, executed through another.
#pragma once

#include "rhea/util/types.h"

#include <span>

namespace rhea::x86::interp {

/// Grows only. Pages take up memory when they are written first. Not thread-safe.
class NativeCode {
 public:
  explicit NativeCode(size_t capacity);
  ~NativeCode();
  NativeCode(const NativeCode&) = delete;
  NativeCode& operator=(const NativeCode&) = delete;

  /// Where the copy of `code` can be called; nullptr when there is no room left.
  const void* add(std::span<const u8> code);
  size_t used() const { return used_; }

 private:
  size_t capacity_;
  size_t used_{};
  u8* writable_{};
  u8* executable_{};
};

}  // namespace rhea::x86::interp
