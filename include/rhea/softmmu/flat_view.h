// SPDX-License-Identifier: GPL-2.0-or-later
// The rendered memory map: sorted, disjoint ranges. Immutable once published.
#pragma once

#include "rhea/softmmu/region.h"

#include <memory>
#include <string>
#include <vector>

namespace rhea {

/// A stretch of an address space that shows one region. [first, last], both inclusive.
struct FlatRange {
  u64 first{};
  u64 last{};
  Region* region{};
  u64 offset{};            ///< of `first` within the region
  bool readonly{};         ///< ROM, or RAM seen through something read-only
  bool romd{};             ///< ROM device in read mode
  unsigned log_clients{};  ///< bit per DirtyClient

  u64 length() const { return last - first + 1; }  ///< 0 stands for 2^64
  /// Plain memory for a reader (and, unless readonly or romd, for a writer).
  bool readable_memory() const {
    return region->kind() != RegionKind::RomDevice ? region->backed_by_ram() : romd;
  }
  bool writable_memory() const {
    return region->backed_by_ram() && !readonly && region->kind() != RegionKind::RomDevice;
  }
  u8* host(u64 address) const { return region->host() + offset + (address - first); }
  friend bool operator==(const FlatRange&, const FlatRange&) = default;
};

class FlatView {
 public:
  FlatView(std::vector<FlatRange> ranges, bool port_space);

  const std::vector<FlatRange>& ranges() const { return ranges_; }
  /// The range that holds `address`, or nullptr. O(1) in a port space, O(log n) else. Lock-free.
  const FlatRange* find(u64 address) const;
  /// One line a range, as `info mtree -f` prints them.
  std::string to_text() const;

 private:
  std::vector<FlatRange> ranges_;
  std::vector<u16> port_index_;  ///< port space: range number + 1 of each port, 0 for none
  // The RAM that the view shows stays mapped while a reader holds the view.
  std::vector<std::shared_ptr<RamBlock>> keep_alive_;
};

/// Renders what `root` shows. Exposed for tests.
std::vector<FlatRange> render(const Region& root);

}  // namespace rhea
