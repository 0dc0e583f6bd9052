// SPDX-License-Identifier: GPL-2.0-or-later
// Rendering: from the graph of regions to the sorted, disjoint ranges of a flat view.
#include "rhea/softmmu/flat_view.h"
#include "rhea/util/log.h"

#include <algorithm>

namespace rhea {
namespace {

// Addresses are signed and wider than 64 bits here: the start of an alias's target may lie below 0,
// and the end of a region may be 2^64.
__extension__ using Address = __int128;

// A graph that goes deeper, or needs more steps, has been built to hurt; it is rendered as far as
// these reach.
constexpr unsigned kMaxDepth = 1024;
constexpr unsigned kMaxVisits = 1u << 16;

struct Window {
  Address begin;
  Address end;
  bool empty() const { return begin >= end; }
};

/// What a region inherits from those around it.
struct Inherited {
  bool readonly{false};
  unsigned log_clients{0};
};

class Renderer {
 public:
  /// Shows `region` with its offset 0 at `origin`, as far as `window` lets see.
  void show(Region& region, Address origin, Window window, Inherited inherited);
  std::vector<FlatRange> take();

 private:
  void show_target(const Region& alias, Address origin, Window window, Inherited inherited);
  void fill(Region& region, Address origin, Window window, Inherited inherited);
  bool covered(Window window) const;
  std::vector<FlatRange>::const_iterator first_reaching(Address address) const {
    return std::partition_point(ranges_.begin(), ranges_.end(),
                                [&](const FlatRange& r) { return Address{r.last} < address; });
  }

  std::vector<FlatRange> ranges_;    // sorted, disjoint
  std::vector<const Region*> path_;  // from the root to the region being shown
  unsigned visits_{0};
};

void Renderer::show(Region& region, Address origin, Window window, Inherited inherited) {
  if (!region.enabled()) return;
  if (path_.size() >= kMaxDepth || ++visits_ > kMaxVisits) {
    if (visits_ <= kMaxVisits + 1)
      log_guest("memory", "the tree around region {} is too large to render", region.name());
    return;
  }
  window.begin = std::max(window.begin, origin);
  window.end = std::min(window.end, origin + static_cast<Address>(region.size()));
  // Whoever comes first has the higher priority, so what is covered stays as it is.
  if (window.empty() || covered(window)) return;
  inherited.readonly = inherited.readonly || region.readonly();
  inherited.log_clients |= region.log_clients();

  path_.push_back(&region);
  for (Region* child : region.children())
    show(*child, origin + Address{child->address()}, window, inherited);
  if (region.kind() == RegionKind::Alias)
    show_target(region, origin, window, inherited);
  else if (region.kind() != RegionKind::Container)
    fill(region, origin, window, inherited);
  path_.pop_back();
}

/// A target that is being shown already contains this alias: it is shown no second time inside
/// itself.
void Renderer::show_target(const Region& alias, Address origin, Window window,
                           Inherited inherited) {
  Region* const target = alias.alias_target();
  if (target == nullptr || std::find(path_.begin(), path_.end(), target) != path_.end()) return;
  show(*target, origin - Address{alias.alias_offset()}, window, inherited);
}

bool Renderer::covered(Window window) const {
  for (auto it = first_reaching(window.begin);
       it != ranges_.end() && Address{it->first} <= window.begin; ++it) {
    window.begin = Address{it->last} + 1;
    if (window.empty()) return true;
  }
  return false;
}

/// Puts a leaf into what is still free of the window.
void Renderer::fill(Region& region, Address origin, Window window, Inherited inherited) {
  FlatRange range{.region = &region,
                  .readonly = inherited.readonly || region.kind() == RegionKind::Rom,
                  .romd = region.kind() == RegionKind::RomDevice && region.romd_mode(),
                  .log_clients = region.backed_by_ram() ? inherited.log_clients : 0};
  auto it = ranges_.begin() + (first_reaching(window.begin) - ranges_.cbegin());
  while (!window.empty()) {
    const Address gap_end =
        it == ranges_.end() ? window.end : std::min(window.end, Address{it->first});
    if (window.begin < gap_end) {
      range.first = static_cast<u64>(window.begin);
      range.last = static_cast<u64>(gap_end - 1);
      range.offset = static_cast<u64>(window.begin - origin);
      it = ranges_.insert(it, range) + 1;
    }
    if (it == ranges_.end()) return;
    window.begin = Address{it->last} + 1;
    ++it;
  }
}

bool continues(const FlatRange& a, const FlatRange& b) {
  return a.region == b.region && a.last + 1 == b.first && a.offset + a.length() == b.offset &&
         a.readonly == b.readonly && a.romd == b.romd && a.log_clients == b.log_clients;
}

std::vector<FlatRange> Renderer::take() {
  std::vector<FlatRange> merged;
  merged.reserve(ranges_.size());
  for (const FlatRange& range : ranges_) {
    if (!merged.empty() && continues(merged.back(), range))
      merged.back().last = range.last;
    else
      merged.push_back(range);
  }
  return merged;
}

}  // namespace

std::vector<FlatRange> render(const Region& root) {
  Renderer renderer;
  // A root may itself be a leaf, and ranges name regions that listeners may change.
  renderer.show(const_cast<Region&>(root), 0, {0, static_cast<Address>(Region::kWholeSpace)}, {});
  return renderer.take();
}

}  // namespace rhea
