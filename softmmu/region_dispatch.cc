// SPDX-License-Identifier: GPL-2.0-or-later
// One access to a region: checks, lock domain, and the adaptation to the sizes that its handlers
// implement.
#include "rhea/qom/device.h"
#include "rhea/softmmu/region.h"
#include "rhea/util/lock.h"
#include "rhea/util/log.h"
#include "softmmu/device_faults.h"
#include "softmmu/dispatch_scope.h"
#include "softmmu/host_access.h"
#include "softmmu/trace_events.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <bit>

namespace rhea {
namespace {

MemResult refuse(Access& access, bool write, MemResult why) {
  if (!write) access.value = all_ones(access.size);
  return why;
}

bool accepts(const AccessSizes& sizes, u64 offset, unsigned size) {
  return softmmu::register_sized(size) && size >= sizes.min && size <= sizes.max &&
         (sizes.unaligned || offset % size == 0);
}

/// One call of a handler with a size that it implements.
MemResult call(const RegionOps& ops, void* opaque, Access& access, bool write) {
  if (write) return ops.write != nullptr ? ops.write(opaque, access) : MemResult::Refused;
  if (ops.read == nullptr) return refuse(access, write, MemResult::Refused);
  const MemResult result = ops.read(opaque, access);
  access.value =
      result == MemResult::Ok ? access.value & all_ones(access.size) : all_ones(access.size);
  return result;
}

constexpr u64 shift_left(u64 value, unsigned bytes) {
  return bytes >= 8 ? 0 : value << (8 * bytes);
}
constexpr u64 shift_right(u64 value, unsigned bytes) {
  return bytes >= 8 ? 0 : value >> (8 * bytes);
}

}  // namespace

MemResult Region::dispatch(Access& access, bool write) const {
  if (DispatchScope::refuses(owner_)) {
    log_guest("memory", "region {}: access at offset {:#x} from inside its device is refused",
              name_, access.offset);
    return refuse(access, write, MemResult::Reentrant);
  }
  if (ram_ &&
      (write ? kind_ == RegionKind::Ram && !readonly_ : kind_ != RegionKind::RomDevice || romd_)) {
    if (access.size > 8 || access.offset >= size_ || access.size > size_ - access.offset)
      return refuse(access, write, MemResult::Refused);
    if (!write) {
      access.value = softmmu::load_host(host() + access.offset, access.size);
      return MemResult::Ok;
    }
    softmmu::store_host(host() + access.offset, access.value, access.size);
    ram_->mark_dirty(access.offset, access.size);
    return MemResult::Ok;
  }
  if ((kind_ != RegionKind::Mmio && kind_ != RegionKind::RomDevice) ||
      !accepts(ops_.valid, access.offset, access.size)) [[unlikely]] {
    log_guest("memory", "region {}: {} of {} bytes at offset {:#x} is refused", name_,
              write ? "write" : "read", access.size, access.offset);
    return refuse(access, write, MemResult::Refused);
  }
  LockDomain* const domain = lock_domain();
  if (DispatchScope::keeps_from(domain)) [[unlikely]] {
    log_guest("memory",
              "region {}: access at offset {:#x} by a device with a lock of its own is refused",
              name_, access.offset);
    return refuse(access, write, MemResult::Refused);
  }
  const DispatchScope scope(owner_);
  const DomainGuard lock(domain);
  if (DeviceFaults* faults = FaultTable::find(owner_)) [[unlikely]]
    if (faults->access_fails()) return refuse(access, write, MemResult::Ok);
  if (access.offset >= size_ || access.size > size_ - access.offset)
    return refuse(access, write, MemResult::Refused);
  if (write) {
    access.value &= all_ones(access.size);
    softmmu::memory_region_write(owner_, name_, access.offset, access.size, access.value);
    if (!eventfds_.empty() && signal_eventfd(access)) return MemResult::Ok;
  }
  const MemResult result = accepts(ops_.impl, access.offset, access.size)
                               ? call(ops_, opaque_, access, write)
                               : dispatch_split(access, write);
  if (!write) softmmu::memory_region_read(owner_, name_, access.offset, access.size, access.value);
  return result;
}

/// From the front, the widest aligned pieces that the handler implements. A piece narrower than any
/// of those becomes an access to the unit around it: a read takes its bytes out of the unit's, a
/// write sends the unit with its bytes in their place and zeroes beside them (no read comes before
/// it).
MemResult Region::dispatch_split(Access& access, bool write) const {
  MemResult worst = MemResult::Ok;
  u64 gathered = 0;
  for (unsigned done = 0; done < access.size;) {
    const u64 at = access.offset + done;
    unsigned size = std::min<unsigned>(std::bit_floor(access.size - done), ops_.impl.max);
    while (!ops_.impl.unaligned && at % size != 0) size /= 2;
    unsigned lead = 0;  // bytes of the unit before the piece
    unsigned used = size;
    if (size < ops_.impl.min) {
      size = ops_.impl.min;
      lead = ops_.impl.unaligned ? 0 : static_cast<unsigned>(at % size);
      used = std::min(size - lead, access.size - done);
    }
    Access unit{.offset = at - lead, .size = size, .value = 0, .attrs = access.attrs};
    if (write) unit.value = shift_left(shift_right(access.value, done) & all_ones(used), lead);
    worst = std::max(worst, call(ops_, opaque_, unit, write));
    gathered |= shift_left(shift_right(unit.value, lead) & all_ones(used), done);
    done += used;
  }
  if (!write) access.value = worst == MemResult::Ok ? gathered : all_ones(access.size);
  return worst;
}

/// Where the accelerator leaves the guest for the write after all, or a device makes it.
bool Region::signal_eventfd(const Access& access) const {
  const auto hit = std::find_if(eventfds_.begin(), eventfds_.end(), [&](const IoEventFd& e) {
    return e.offset == access.offset && (e.size == 0 || e.size == access.size) &&
           (!e.match || (e.value & all_ones(access.size)) == access.value);
  });
  if (hit == eventfds_.end()) return false;
  // One that can count no further is signalled as it is; nobody waits for its reader.
  pollfd room{.fd = hit->fd, .events = POLLOUT, .revents = 0};
  if (::poll(&room, 1, 0) == 0) return true;
  return ::eventfd_write(hit->fd, 1) == 0;
}

}  // namespace rhea
