// SPDX-License-Identifier: GPL-2.0-or-later
// The entropy device (OASIS Virtual I/O Device 1.2, 5.4), however it is reached.
#pragma once

#include "crypto/rng.h"
#include "hw/virtio/virtio_core.h"
#include "rhea/softmmu/clock.h"

#include <array>

namespace rhea::hw {

/// One queue, of buffers to be filled with random bytes: of each as much as there is at once, at
/// least one byte. In `period` milliseconds no more than `max-bytes`.
class VirtioRng : public VirtioFunction {
 public:
  template <class Self>
  static void declare(Schema<Self>& s) {
    s.link("rng", &VirtioRng::rng_).help("where the numbers come from (-object rng-…)");
    s.property("max-bytes", &VirtioRng::most_bytes_, kNoLimit).help("bytes in a period, at most");
    s.property("period", &VirtioRng::period_ms_, u32{1 << 16}).help("milliseconds");
    s.state("quota", &VirtioRng::quota_);
    s.state("period-timer", &VirtioRng::period_);
  }

  VirtioKind kind() const final;
  Result<> start(Device& owner, VirtioCore& core) final;
  void serve(u16 number) final;
  void reset() final;

 protected:
  VirtioRng() = default;
  ~VirtioRng() = default;

 private:
  static constexpr u64 kNoLimit = ~u64{0} >> 1;
  static constexpr u16 kEntries = 8;
  static constexpr std::size_t kMostAtOnce = 4 * KiB;

  Result<> find_source(Device& owner);
  bool fill_one();
  void begin_period();

  VirtioCore* core_{};
  RngBackend* rng_{};
  RngBackend* source_{};  ///< rng_, or one of its own
  u64 most_bytes_{};
  u32 period_ms_{};
  u64 quota_{0};  ///< bytes left in this period
  Timer period_;
  DomainEntry entry_;
  VirtBuffer buffer_;
  std::array<u8, kMostAtOnce> bytes_{};
};

}  // namespace rhea::hw
