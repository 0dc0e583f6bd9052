// SPDX-License-Identifier: GPL-2.0-or-later
// Flat views: look-up and text.
#include "rhea/softmmu/flat_view.h"

#include "softmmu/range_text.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace rhea {
namespace {

constexpr u64 kPorts = 64 * KiB;

}  // namespace

FlatView::FlatView(std::vector<FlatRange> ranges, bool port_space) : ranges_(std::move(ranges)) {
  for (const FlatRange& range : ranges_)
    if (range.region->ram()) keep_alive_.push_back(range.region->ram());
  std::sort(keep_alive_.begin(), keep_alive_.end());
  keep_alive_.erase(std::unique(keep_alive_.begin(), keep_alive_.end()), keep_alive_.end());

  // More ranges than an entry can count are found by searching.
  if (!port_space || ranges_.size() >= std::numeric_limits<u16>::max()) return;
  port_index_.resize(kPorts);
  for (std::size_t i = 0; i < ranges_.size() && ranges_[i].first < kPorts; ++i)
    std::fill(port_index_.begin() + static_cast<std::ptrdiff_t>(ranges_[i].first),
              port_index_.begin() +
                  static_cast<std::ptrdiff_t>(std::min(ranges_[i].last, kPorts - 1) + 1),
              static_cast<u16>(i + 1));
}

const FlatRange* FlatView::find(u64 address) const {
  if (address < port_index_.size()) {
    const u16 entry = port_index_[address];
    return entry == 0 ? nullptr : &ranges_[entry - 1u];
  }
  const auto it = std::partition_point(ranges_.begin(), ranges_.end(),
                                       [&](const FlatRange& r) { return r.last < address; });
  return it != ranges_.end() && it->first <= address ? &*it : nullptr;
}

std::string FlatView::to_text() const {
  std::string text;
  for (const FlatRange& range : ranges_) text += softmmu::range_text(range);
  return text;
}

}  // namespace rhea
