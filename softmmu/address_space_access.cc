// SPDX-License-Identifier: GPL-2.0-or-later
// Address spaces: accesses of every length, to memory and to devices.
#include "rhea/softmmu/address_space.h"
#include "rhea/util/lock.h"
#include "softmmu/host_access.h"
#include "softmmu/trace_events.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

namespace rhea {

// How an access finds its handler, while the map may change and the handler's device may go.
//
// A reader looks the address up under an RcuGuard, so neither the view nor any region named by it
// is freed meanwhile. But it may have to wait for the handler's lock domain, and whoever destroys a
// region does so with the machine's lock held and waits for all guards: a reader that waited for
// that lock inside a guard would deadlock with it. So the guard ends first. What keeps the region
// alive after that depends on its domain.
//
// The machine's domain: graphs change only under that very lock. Once it is held, nothing is
// destroyed any more; if the map's generation is what it was before the look-up, no view was
// published in between, and the region found is still there. Otherwise the address is looked up
// again, now with the lock held. (Views are stored before the generation is raised, so an unchanged
// generation cannot hide a changed view.)
//
// A domain of the region's own, or none: the machine's lock is not involved, so the reader pins the
// region before the guard ends. What the handler posted for the machine's lock is done when both
// the domain and the pin are let go of. The destroyer unpublishes the region, waits for the guards
// (whoever found the region has then pinned it), then for the pins. Those it can wait for, since
// handlers in such domains must not wait for the machine's lock (see Region::set_lock_domain).
//
// Drivers go to the same register again and again, so each thread remembers the last range of the
// machine's domain that it found, and for which generation: what is true under the lock then is
// true again.
//
// A caller that holds a guard of its own around an access to a device must hold the device's lock
// domain already.

class RegionPin {
 public:
  RegionPin() = default;
  ~RegionPin() { release(); }
  RegionPin(const RegionPin&) = delete;
  RegionPin& operator=(const RegionPin&) = delete;

  void pin(const Region& region) {
    release();
    region_ = &region;
    region.pins_.fetch_add(1, std::memory_order_acquire);
  }
  void release() {
    if (region_ != nullptr) region_->pins_.fetch_sub(1, std::memory_order_release);
    region_ = nullptr;
  }

 private:
  const Region* region_{};
};

namespace {

/// More IOMMUs in a row than any machine has.
constexpr unsigned kMaxHops = 8;

/// A domain that this access has locked.
class HeldDomain {
 public:
  HeldDomain() = default;
  ~HeldDomain() { release(); }
  HeldDomain(const HeldDomain&) = delete;
  HeldDomain& operator=(const HeldDomain&) = delete;

  void acquire(LockDomain& domain) {
    release();
    domain.lock();
    domain_ = &domain;
  }
  void release() {
    if (domain_ != nullptr) domain_->unlock();
    domain_ = nullptr;
  }

 private:
  LockDomain* domain_{};
};

/// A range of a device in the map's default domain.
struct RecentDevice {
  u64 generation{};  ///< 0: none
  const AddressSpace* space{};
  u64 first{}, last{};
  u64 offset{};  ///< of `first` in the region
  const Region* region{};

  bool covers(const AddressSpace& where, u64 address, unsigned size) const {
    return space == &where && address >= first && address <= last && last - address >= size - 1 &&
           softmmu::register_sized(size);
  }
};
constinit thread_local RecentDevice t_recent;

void remember(const AddressSpace& space, u64 generation, const FlatRange& range) {
  t_recent = {.generation = generation,
              .space = &space,
              .first = range.first,
              .last = range.last,
              .offset = range.offset,
              .region = range.region};
}

MemResult worse(MemResult a, MemResult b) { return std::max(a, b); }

/// The widest access a device is offered at `offset` when `length` bytes remain.
unsigned device_piece(const Region& region, u64 offset, u64 length) {
  const AccessSizes& valid = region.ops().valid;
  u64 size = std::bit_floor(std::min<u64>(length, valid.max));
  while (!valid.unaligned && offset % size != 0) size /= 2;
  return static_cast<unsigned>(size);
}

}  // namespace

/// What an address is after all IOMMUs. Good under the guard it was found under.
struct AddressSpace::Resolved {
  MemResult status{MemResult::Unassigned};  ///< Refused: an IOMMU said no
  const FlatRange* range{};                 ///< null unless status is Ok
  u64 address{};                            ///< in the space of `range`
  u64 reach{};                              ///< how many bytes after the first one go the same way

  const Region& region() const { return *range->region; }
  u64 offset() const { return range->offset + (address - range->first); }
  bool memory(bool write) const {
    return status == MemResult::Ok && (write ? range->writable_memory() : range->readable_memory());
  }
  /// Memory's part of an access.
  void move(Access& access, bool write) const {
    u8* const host = range->host(address);
    if (!write) {
      access.value = softmmu::load_host(host, access.size);
    } else {
      softmmu::store_host(host, access.value, access.size);
      region().ram()->mark_dirty(offset(), access.size);
    }
  }
};

AddressSpace::Resolved AddressSpace::resolve(u64 address, bool write, MemAttrs attrs) const {
  Resolved found{.reach = std::numeric_limits<u64>::max()};
  const AddressSpace* space = this;
  for (unsigned hop = 0; hop <= kMaxHops; ++hop) {
    const FlatView& view = space->view();
    const FlatRange* const range = view.find(address);
    found.address = address;
    if (range == nullptr) {
      const auto next = std::partition_point(view.ranges().begin(), view.ranges().end(),
                                             [&](const FlatRange& r) { return r.first < address; });
      found.reach =
          std::min(found.reach, next != view.ranges().end() ? next->first - address - 1 : ~address);
      found.status = MemResult::Unassigned;
      return found;
    }
    found.reach = std::min(found.reach, range->last - address);
    if (range->region->kind() != RegionKind::Iommu) {
      found.status = MemResult::Ok;
      found.range = range;
      return found;
    }
    const u64 offset = range->offset + (address - range->first);
    const IommuTranslation to = range->region->translate(offset, write, attrs);
    found.reach = std::min(found.reach, to.mask - (offset & to.mask));
    if (to.target == nullptr || !(write ? to.writable : to.readable)) break;
    address = (to.address & ~to.mask) | (offset & to.mask);
    space = to.target;
  }
  found.status = MemResult::Refused;
  return found;
}

MemResult AddressSpace::access(u64 address, Access& access, bool write) const {
  PostScope posts;
  RegionPin pin;
  HeldDomain held;
  const auto unchanged = [this] {
    return map_->generation_.load(std::memory_order_acquire) == t_recent.generation;
  };
  const bool in_device = LockDomain::held_of_device() != nullptr;
  if (!in_device && t_recent.covers(*this, address, access.size) && unchanged()) {
    LockDomain* const domain = map_->default_domain_;
    if (!domain->held_by_me()) held.acquire(*domain);
    if (unchanged()) {
      access.offset = t_recent.offset + (address - t_recent.first);
      return t_recent.region->dispatch(access, write);
    }
    held.release();
  }
  for (;;) {
    const u64 generation = map_->generation_.load(std::memory_order_acquire);
    const Region* region{};
    LockDomain* domain{};
    {
      const RcuGuard guard;
      const Resolved found = resolve(address, write, access.attrs);
      if (found.reach < access.size - 1u) break;
      if (found.status != MemResult::Ok) {
        if (!write) access.value = all_ones(access.size);
        softmmu::memory_unassigned(name_, address, access.size, write);
        return found.status;
      }
      if (found.memory(write)) {
        found.move(access, write);
        return MemResult::Ok;
      }
      if (found.region().kind() == RegionKind::Ram || found.region().kind() == RegionKind::Rom)
        return MemResult::Refused;
      if (!softmmu::register_sized(access.size)) break;
      region = &found.region();
      access.offset = found.offset();
      domain = region->lock_domain();
      if (in_device || domain == nullptr || domain != map_->default_domain_)
        pin.pin(*region);
      else if (found.range == view().find(address))  // no IOMMU between
        remember(*this, generation, *found.range);
    }
    // In a device's domain nothing is waited for: dispatch() refuses what it may not reach.
    if (in_device || domain == nullptr || domain->held_by_me())
      return region->dispatch(access, write);
    if (domain != map_->default_domain_) posts.engage();
    held.acquire(*domain);
    if (map_->generation_.load(std::memory_order_acquire) == generation)
      return region->dispatch(access, write);
    if (domain != map_->default_domain_) {
      held.release();
      pin.release();
    }
  }
  held.release();
  return access_halves(address, access, write);
}

/// An access across the end of a range: its parts go their own ways, as on a bus.
MemResult AddressSpace::access_halves(u64 address, Access& access, bool write) const {
  const unsigned low_size = std::bit_ceil(access.size) / 2;
  Access low{.size = low_size, .value = access.value & all_ones(low_size), .attrs = access.attrs};
  Access high{.size = access.size - low_size,
              .value = access.value >> (8 * low_size),
              .attrs = access.attrs};
  const MemResult first = this->access(address, low, write);
  const MemResult second = this->access(address + low_size, high, write);
  if (!write) access.value = low.value | high.value << (8 * low_size);
  return worse(first, second);
}

u64 AddressSpace::load(u64 address, unsigned size, MemAttrs attrs, MemResult* result) const {
  RHEA_ASSERT(size >= 1 && size <= 8);
  Access one{.size = size, .attrs = attrs};
  const MemResult status = access(address, one, false);
  if (result != nullptr) *result = status;
  return one.value;
}

void AddressSpace::store(u64 address, u64 value, unsigned size, MemAttrs attrs,
                         MemResult* result) const {
  RHEA_ASSERT(size >= 1 && size <= 8);
  Access one{.size = size, .value = value, .attrs = attrs};
  const MemResult status = access(address, one, true);
  if (result != nullptr) *result = status;
}

// Transfers. Each type says which memory it reaches, how a part of it moves, and what a device or
// nothing does.

namespace {

struct ReadTransfer {
  static constexpr bool kWrite = false;
  u8* to;
  void memory(u64 done, u8* host, u64 length) const {
    softmmu::copy_from_host(to + done, host, length);
  }
  void none(u64 done, u64 length) const { std::memset(to + done, 0xff, length); }
  u64 device_value(u64, unsigned) const { return 0; }
  void device_done(u64 done, const Access& access) const {
    std::memcpy(to + done, &access.value, access.size);
  }
};

struct WriteTransfer {
  static constexpr bool kWrite = true;
  const u8* from;
  void memory(u64 done, u8* host, u64 length) const {
    softmmu::copy_to_host(host, from + done, length);
  }
  void none(u64, u64) const {}
  u64 device_value(u64 done, unsigned size) const {
    u64 value = 0;
    std::memcpy(&value, from + done, size);
    return value;
  }
  void device_done(u64, const Access&) const {}
};

struct FillTransfer {
  static constexpr bool kWrite = true;
  u8 byte;
  void memory(u64, u8* host, u64 length) const { std::memset(host, byte, length); }
  void none(u64, u64) const {}
  u64 device_value(u64, unsigned size) const { return all_ones(size) / 0xff * byte; }
  void device_done(u64, const Access&) const {}
};

}  // namespace

template <class Transfer>
MemResult AddressSpace::for_each_piece(u64 address, u64 length, MemAttrs attrs,
                                       Transfer& transfer) const {
  constexpr bool write = Transfer::kWrite;
  MemResult worst = MemResult::Ok;
  for (u64 done = 0; done < length;) {
    Access one{.attrs = attrs};
    u64 piece = 0;
    {
      const RcuGuard guard;
      const Resolved found = resolve(address + done, write, attrs);
      piece = std::min(length - done - 1, found.reach) + 1;
      if (found.memory(write)) {
        transfer.memory(done, found.range->host(found.address), piece);
        if (write) found.region().ram()->mark_dirty(found.offset(), piece);
      } else if (found.status != MemResult::Ok || found.region().ops().valid.max == 0 ||
                 found.region().kind() == RegionKind::Ram ||
                 found.region().kind() == RegionKind::Rom) {
        transfer.none(done, piece);
        worst = worse(worst, found.status == MemResult::Ok ? MemResult::Refused : found.status);
      } else {
        one.size = device_piece(found.region(), found.offset(), piece);
      }
    }
    if (one.size != 0) {
      piece = one.size;
      one.value = transfer.device_value(done, one.size);
      worst = worse(worst, access(address + done, one, write));
      transfer.device_done(done, one);
    }
    done += piece;
  }
  return worst;
}

MemResult AddressSpace::read(u64 address, std::span<u8> data, MemAttrs attrs) const {
  ReadTransfer transfer{data.data()};
  return for_each_piece(address, data.size(), attrs, transfer);
}

MemResult AddressSpace::write(u64 address, std::span<const u8> data, MemAttrs attrs) const {
  WriteTransfer transfer{data.data()};
  return for_each_piece(address, data.size(), attrs, transfer);
}

MemResult AddressSpace::fill(u64 address, u8 value, u64 length, MemAttrs attrs) const {
  FillTransfer transfer{value};
  return for_each_piece(address, length, attrs, transfer);
}

MemResult AddressSpace::write_rom(u64 address, std::span<const u8> data) const {
  MemResult worst = MemResult::Ok;
  for (u64 done = 0; done < data.size();) {
    const RcuGuard guard;
    const Resolved found = resolve(address + done, true, {.debug = true});
    const u64 piece = std::min<u64>(data.size() - done - 1, found.reach) + 1;
    if (found.status != MemResult::Ok || !found.region().backed_by_ram()) {
      worst = worse(worst, found.status == MemResult::Ok ? MemResult::Refused : found.status);
    } else {
      softmmu::copy_to_host(found.range->host(found.address), data.data() + done, piece);
      found.region().ram()->mark_dirty(found.offset(), piece);
    }
    done += piece;
  }
  return worst;
}

std::optional<HostSpan> AddressSpace::map_direct(u64 address, u64 length, bool write) const {
  const RcuGuard guard;
  const Resolved found = resolve(address, write, {});
  if (length == 0 || !found.memory(write)) return std::nullopt;
  return HostSpan{found.range->host(found.address), std::min(length - 1, found.reach) + 1};
}

void AddressSpace::mark_dirty(u64 address, u64 length) const {
  const RcuGuard guard;
  for (u64 done = 0; done < length;) {
    const Resolved found = resolve(address + done, true, {});
    const u64 piece = std::min(length - done - 1, found.reach) + 1;
    if (found.status == MemResult::Ok && found.region().backed_by_ram())
      found.region().ram()->mark_dirty(found.offset(), piece);
    done += piece;
  }
}

}  // namespace rhea
