// SPDX-License-Identifier: GPL-2.0-or-later
// A back end in memory: output is kept in a ring that the monitor reads.
#pragma once

#include "rhea/chardev/chardev.h"

#include <mutex>
#include <string>
#include <vector>

namespace rhea::chardev {

/// Keeps the last `size` bytes written.
class RingChardev final : public Chardev {
 public:
  static constexpr std::string_view kName = "chardev-ringbuf";

  void resize(std::size_t size) { ring_.assign(size, 0); }
  Result<> attach(FrontEnd front_end) override;
  std::size_t write(std::span<const u8> data) override;
  std::string filename() const override { return "ringbuf"; }
  /// Takes at most `limit` bytes out, oldest first.
  std::string take(std::size_t limit);
  /// Puts bytes in as if the front end had written them (ringbuf-write).
  void put(std::span<const u8> data);

 private:
  std::mutex mutex_;
  std::vector<u8> ring_ = std::vector<u8>(64 * KiB);
  std::size_t first_{0};
  std::size_t count_{0};
};

}  // namespace rhea::chardev
