// SPDX-License-Identifier: GPL-2.0-or-later
// Where a dump goes: a descriptor that may be slow, or never read.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/file_descriptor.h"
#include "rhea/util/types.h"

#include <span>
#include <stop_token>
#include <vector>

namespace rhea::dump {

/// Writes on a thread of its own. Never waits longer than a moment once it is to stop, whatever the
/// descriptor is.
class Sink {
 public:
  Sink(int fd, std::stop_token stop);

  /// All of it, through a buffer.
  Result<> write(std::span<const u8> data);
  Result<> zeros(u64 count);
  Result<> flush();
  /// Bytes handed to write() so far.
  u64 position() const { return position_; }

 private:
  Result<> write_out(std::span<const u8> data);

  int fd_;
  std::stop_token stop_;
  std::size_t piece_;  ///< what can be written after poll() without waiting
  std::vector<u8> buffer_;
  u64 position_{0};
};

/// Any plain structure as its bytes.
template <class T>
std::span<const u8> bytes_of(const T& value) {
  return {reinterpret_cast<const u8*>(&value), sizeof value};
}

}  // namespace rhea::dump
