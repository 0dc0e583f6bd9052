// SPDX-License-Identifier: GPL-2.0-or-later
// Address spaces: publishing views and telling listeners what changed.
#include "rhea/softmmu/address_space.h"

#include "softmmu/map_link.h"
#include "softmmu/trace_events.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace rhea {

/// What a view makes listeners hear of besides ranges, sorted by address.
struct AddressSpace::Published {
  struct EventFd {
    u64 address;
    IoEventFd eventfd;
    friend bool operator==(const EventFd&, const EventFd&) = default;
    friend bool operator<(const EventFd& a, const EventFd& b) {
      const auto key = [](const EventFd& e) {
        return std::tuple(e.address, e.eventfd.size, e.eventfd.match, e.eventfd.value, e.eventfd.fd,
                          e.eventfd.offset);
      };
      return key(a) < key(b);
    }
  };
  struct Coalesced {
    u64 address;
    u64 size;
    friend auto operator<=>(const Coalesced&, const Coalesced&) = default;
  };

  std::vector<EventFd> eventfds;
  std::vector<Coalesced> coalesced;
  friend bool operator==(const Published&, const Published&) = default;

  explicit Published(const std::vector<FlatRange>& ranges) {
    for (const FlatRange& range : ranges) collect(range);
    std::sort(eventfds.begin(), eventfds.end());
    std::sort(coalesced.begin(), coalesced.end());
    coalesced.erase(std::unique(coalesced.begin(), coalesced.end()), coalesced.end());
  }

 private:
  void collect(const FlatRange& range) {
    const u64 last = range.offset + (range.last - range.first);
    for (const IoEventFd& eventfd : range.region->eventfds()) {
      const u64 reach = eventfd.size == 0 ? 0 : eventfd.size - 1u;
      if (eventfd.offset < range.offset || eventfd.offset > last || reach > last - eventfd.offset)
        continue;
      eventfds.push_back({range.first + (eventfd.offset - range.offset), eventfd});
    }
    for (const CoalescedRange& part : range.region->coalesced()) {
      if (part.size == 0) continue;
      const u64 begin = std::max(part.offset, range.offset);
      const u64 reach = std::min(part.size - 1, ~part.offset);
      const u64 end = std::min(part.offset + reach, last);
      if (begin <= end)
        coalesced.push_back({range.first + (begin - range.offset), end - begin + 1});
    }
  }
};

namespace {

/// The same but for who logs it.
bool same_range(const FlatRange& a, const FlatRange& b) {
  return a.first == b.first && a.last == b.last && a.region == b.region && a.offset == b.offset &&
         a.readonly == b.readonly && a.romd == b.romd;
}

/// The range of a sorted list that is the same as `range`, or nullptr.
const FlatRange* find_same(const std::vector<FlatRange>& ranges, const FlatRange& range) {
  const auto it = std::lower_bound(ranges.begin(), ranges.end(), range.first,
                                   [](const FlatRange& r, u64 first) { return r.first < first; });
  return it != ranges.end() && same_range(*it, range) ? &*it : nullptr;
}

/// Calls `f` with each element of `a` that is not in `b`; both sorted.
template <class T, class F>
void for_each_missing(const std::vector<T>& a, const std::vector<T>& b, const F& f) {
  for (const T& element : a)
    if (!std::binary_search(b.begin(), b.end(), element)) f(element);
}

}  // namespace

AddressSpace::AddressSpace(MemoryMap& map, std::string name, Region& root, bool port_space)
    : map_(&map), name_(std::move(name)), root_(&root), port_space_(port_space) {
  root.connect(map.link_);
  view_.store(new FlatView({}, port_space), std::memory_order_release);
  published_ = std::make_unique<Published>(std::vector<FlatRange>{});
  map.spaces_.push_back(this);
  publish();
}

AddressSpace::~AddressSpace() {
  std::erase(map_->spaces_, this);
  // Another space may come to lie at this address.
  map_->generation_.store(next_generation(), std::memory_order_release);
  rcu_retire([view = view_.load(std::memory_order_relaxed)] { delete view; });
}

void AddressSpace::publish() {
  const FlatView* const old = view_.load(std::memory_order_relaxed);
  auto ranges = render(*root_);
  auto published = std::make_unique<Published>(ranges);
  const bool same_ranges = ranges == old->ranges();
  if (same_ranges && *published == *published_) return;

  for (const auto& [listener, priority] : listeners_) listener->begin();
  tell_removals(*old, ranges, *published);
  const FlatView* now = old;
  if (!same_ranges) {
    for (const FlatRange& range : ranges) range.region->ever_visible_ = true;
    softmmu::memory_view_published(name_, ranges.size());
    now = new FlatView(std::move(ranges), port_space_);
    view_.store(now, std::memory_order_release);
    map_->generation_.store(next_generation(), std::memory_order_release);
  }
  tell_additions(*old, *now, *published);
  for (const auto& [listener, priority] : listeners_) listener->commit();
  published_ = std::move(published);
  if (now != old) rcu_retire([old] { delete old; });
}

void AddressSpace::tell_removals(const FlatView& old, const std::vector<FlatRange>& next,
                                 const Published& published) {
  for (auto it = listeners_.rbegin(); it != listeners_.rend(); ++it) {
    MemoryListener& listener = *it->listener;
    for_each_missing(published_->eventfds, published.eventfds,
                     [&](const auto& e) { listener.eventfd_del(e.address, e.eventfd); });
    for_each_missing(published_->coalesced, published.coalesced,
                     [&](const auto& c) { listener.coalesced_del(c.address, c.size); });
    for (auto range = old.ranges().rbegin(); range != old.ranges().rend(); ++range)
      if (find_same(next, *range) == nullptr) listener.region_del(*range);
  }
}

void AddressSpace::tell_additions(const FlatView& old, const FlatView& now,
                                  const Published& published) {
  for (const auto& [listener, priority] : listeners_) {
    for (const FlatRange& range : now.ranges()) {
      const FlatRange* const before = find_same(old.ranges(), range);
      if (before == nullptr) {
        listener->region_add(range);
        continue;
      }
      listener->region_nop(range);
      if (before->log_clients != range.log_clients)
        listener->log_change(range, before->log_clients, range.log_clients);
    }
    for_each_missing(published.eventfds, published_->eventfds,
                     [&](const auto& e) { listener->eventfd_add(e.address, e.eventfd); });
    for_each_missing(published.coalesced, published_->coalesced,
                     [&](const auto& c) { listener->coalesced_add(c.address, c.size); });
  }
}

void AddressSpace::add_listener(MemoryListener& listener, int priority) {
  const auto at = std::find_if(listeners_.begin(), listeners_.end(),
                               [&](const Listening& other) { return other.priority > priority; });
  listeners_.insert(at, {&listener, priority});
  listener.begin();
  for (const FlatRange& range : view().ranges()) listener.region_add(range);
  for (const auto& e : published_->eventfds) listener.eventfd_add(e.address, e.eventfd);
  for (const auto& c : published_->coalesced) listener.coalesced_add(c.address, c.size);
  listener.commit();
}

void AddressSpace::remove_listener(MemoryListener& listener) {
  std::erase_if(listeners_, [&](const Listening& l) { return l.listener == &listener; });
}

void AddressSpace::sync_dirty(u64 first, u64 last) {
  for (const FlatRange& range : view().ranges()) {
    if (range.log_clients == 0 || range.last < first || range.first > last) continue;
    for (const auto& [listener, priority] : listeners_) listener->log_sync(range);
  }
}

std::vector<u64> AddressSpace::take_dirty(const Region& ram_region, DirtyClient client,
                                          u64 first_page, u64 pages) {
  const auto& block = ram_region.ram();
  if (!block || first_page >= block->size() / kPageSize) return {};
  pages = std::min(pages, block->size() / kPageSize - first_page);
  std::vector<u64> bits((pages + 63) / 64);
  if (pages == 0) return bits;
  block->take_dirty(client, first_page, bits);
  if (pages % 64 != 0) {
    // The last word took more pages than were asked for.
    const u64 wanted = (u64{1} << pages % 64) - 1;
    const u64 excess = bits.back() & ~wanted;
    block->merge_dirty(client, first_page + (bits.size() - 1) * 64, {&excess, 1}, 64);
    bits.back() &= wanted;
  }
  const u64 begin = first_page * kPageSize;
  const u64 end = begin + pages * kPageSize - 1;
  for (const FlatRange& range : view().ranges()) {
    const u64 range_end = range.offset + (range.last - range.first);
    if (range.region->ram() != block || range_end < begin || range.offset > end) continue;
    const u64 first = range.first + (std::max(begin, range.offset) - range.offset);
    const u64 last = range.first + (std::min(end, range_end) - range.offset);
    for (const auto& [listener, priority] : listeners_) listener->log_clear(range, first, last);
  }
  return bits;
}

}  // namespace rhea
