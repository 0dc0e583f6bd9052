// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/vfio/identity.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>

namespace rhea::hw::vfio {
namespace {

using Time = std::chrono::steady_clock::time_point;

constexpr u32 kFlagReset = VFIO_DEVICE_FLAGS_RESET, kFlagPci = VFIO_DEVICE_FLAGS_PCI;
constexpr u64 kMostRegion = u64{1} << 40, kMostMapped = 4 * GiB;
constexpr u32 kRegionInfoRoom = 4096;
constexpr u32 kConfigRegion = VFIO_PCI_CONFIG_REGION_INDEX;
constexpr std::size_t kMostAreas = 64;
constexpr u32 kMostIoFds = 64;

struct Region {
  vfio_region_info info{};
  Message reply;
};

Result<Region> inquire_region(Link& link, u32 index, Time limit) {
  vfio_region_info request{};
  request.argsz = kRegionInfoRoom;
  request.index = index;
  Message reply = TRY(link.inquire(Command::RegionInfo, Body(request), sizeof(request), limit));
  return Region{.info = *reply.read<vfio_region_info>(), .reply = std::move(reply)};
}

// A server that could cut the file short would end us by SIGBUS: a memory file that it has sealed,
// or lets us seal, or no mapping. All can be done by messages, too.
bool is_lasting(int fd, u64 size) {
  ::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
  const int seals = ::fcntl(fd, F_GET_SEALS);
  struct stat status{};
  return seals >= 0 && (seals & F_SEAL_SHRINK) != 0 && ::fstat(fd, &status) == 0 &&
         static_cast<u64>(status.st_size) >= size;
}

// The areas of the capability list; all of the region without one.
std::vector<ServerBar::Area> areas_of(const Region& region) {
  if ((region.info.flags & VFIO_REGION_INFO_FLAG_CAPS) == 0) return {{0, region.info.size}};
  std::vector<ServerBar::Area> areas;
  std::size_t at = region.info.cap_offset;
  for (std::size_t left = kMostAreas; at != 0 && left != 0; --left) {
    const auto header = region.reply.read<vfio_info_cap_header>(at);
    if (!header) break;
    if (header->id == VFIO_REGION_INFO_CAP_SPARSE_MMAP) {
      const auto count = region.reply.read<u32>(at + sizeof(vfio_info_cap_header));
      std::size_t next = at + sizeof(vfio_region_info_cap_sparse_mmap);
      for (u32 n = 0; n < std::min<u32>(count.value_or(0), kMostAreas); ++n) {
        const auto area = region.reply.read<vfio_region_sparse_mmap_area>(next);
        if (area) areas.push_back({area->offset, area->size});
        next += sizeof(vfio_region_sparse_mmap_area);
      }
    }
    at = header->next;
  }
  return areas;
}

bool is_part(const ServerBar::Area& area, u64 size) {
  return area.size != 0 && area.offset % kPageSize == 0 && area.size % kPageSize == 0 &&
         area.offset < size && area.size <= size - area.offset;
}

void take_memory(ServerBar& bar, Region& region) {
  const vfio_region_info& info = region.info;
  if ((info.flags & VFIO_REGION_INFO_FLAG_MMAP) == 0 || region.reply.descriptors.empty() ||
      bar.kind == BarKind::Io || !bar.readable || !bar.writable || info.size > kMostMapped ||
      info.offset > kMostMapped || info.offset % kPageSize != 0 ||
      !is_lasting(region.reply.descriptors[0].get(), info.offset + info.size))
    return;
  bar.areas = areas_of(region);
  std::erase_if(bar.areas, [&](const ServerBar::Area& area) { return !is_part(area, info.size); });
  bar.memory = std::move(region.reply.descriptors[0]);
  bar.memory_offset = info.offset;
}

// Anything else would be written to as if it were one, and might wait.
bool is_eventfd(const FileDescriptor& file) {
  std::array<char, 64> target{};
  const std::string link = fmt::format("/proc/self/fd/{}", file.get());
  return ::readlink(link.c_str(), target.data(), target.size() - 1) > 0 &&
         std::string_view(target.data()) == "anon_inode:[eventfd]";
}

bool is_event(const IoFd& part, const ServerBar& bar, std::size_t descriptors) {
  const bool size_is_one = part.size == 0 || (std::has_single_bit(part.size) && part.size <= 8);
  const u32 flags = part.flags & ~(bar.kind == BarKind::Io ? kIoFdPorts : 0);
  return part.type == 0 && (flags & ~kIoFdMatches) == 0 && size_is_one &&
         part.descriptor < descriptors && part.offset < bar.size &&
         part.size <= bar.size - part.offset && (part.size != 0 || flags == 0);
}

// A server need not know of this. What does not fit is done by messages, as without.
void inquire_events(Link& link, ServerBar& bar, u32 index, Time limit) {
  const RegionIoFds request{
      .argsz = static_cast<u32>(sizeof(RegionIoFds) + kMostIoFds * sizeof(IoFd)), .index = index};
  auto reply = link.inquire(Command::RegionIoFds, Body(request), sizeof(request), limit);
  if (!reply) return;
  const auto head = *reply->read<RegionIoFds>();
  if (head.count == 0 || head.count > kMostIoFds) return;
  const std::size_t step = (reply->body.size() - sizeof(head)) / head.count;
  if (step < sizeof(IoFd) || !std::ranges::all_of(reply->descriptors, &is_eventfd)) return;
  bar.event_files = std::move(reply->descriptors);
  for (u32 n = 0; n < head.count; ++n) {
    const auto part = reply->read<IoFd>(sizeof(head) + n * step);
    if (!part || !is_event(*part, bar, bar.event_files.size())) continue;
    bar.events.push_back({.offset = part->offset,
                          .size = static_cast<u8>(part->size),
                          .match = (part->flags & kIoFdMatches) != 0,
                          .value = part->match,
                          .fd = bar.event_files[part->descriptor].get()});
  }
}

BarKind kind_of(u32 bar) {
  if ((bar & 1) != 0) return BarKind::Io;
  const bool prefetchable = (bar & 8) != 0;
  if ((bar & 6) == 4) return prefetchable ? BarKind::MemoryPrefetch64 : BarKind::Memory64;
  return prefetchable ? BarKind::MemoryPrefetch32 : BarKind::Memory32;
}

bool is_wide(const ServerBar& bar) {
  return bar.size != 0 && (bar.kind == BarKind::Memory64 || bar.kind == BarKind::MemoryPrefetch64);
}

Result<> inquire_bar(Link& link, Identity& identity, u32 n, Time limit) {
  if (n > 0 && is_wide(identity.bars[n - 1])) return {};
  Region region = TRY(inquire_region(link, n, limit));
  ServerBar& bar = identity.bars[n];
  u32 low = 0;
  std::memcpy(&low, identity.config.data() + pci::kBar0 + 4 * n, sizeof low);
  bar.size = region.info.size;
  bar.kind = kind_of(low);
  bar.readable = (region.info.flags & VFIO_REGION_INFO_FLAG_READ) != 0;
  bar.writable = (region.info.flags & VFIO_REGION_INFO_FLAG_WRITE) != 0;
  if (bar.size > kMostRegion)
    return fail("its server says that BAR {} has {} bytes, the most is {}", n, bar.size,
                kMostRegion);
  if (is_wide(bar) && n == 5) return fail("its server says that BAR 5 has 64 bits");
  if (bar.size == 0) return {};
  take_memory(bar, region);
  if (bar.writable) inquire_events(link, bar, n, limit);
  return {};
}

Result<> read_config(Link& link, Identity& identity, Time limit) {
  const u32 step = std::min<u32>(link.most_transfer(), 64);
  for (u32 at = 0; at < identity.config.size(); at += step) {
    const RegionAccess request{
        .offset = at,
        .region = kConfigRegion,
        .count = std::min<u32>(step, static_cast<u32>(identity.config.size()) - at)};
    const Message reply = TRY(
        link.inquire(Command::RegionRead, Body(request), sizeof(request) + request.count, limit));
    std::memcpy(identity.config.data() + at, reply.body.data() + sizeof(request), request.count);
  }
  return {};
}

Result<> inquire_interrupts(Link& link, Identity& identity, u32 kinds, Time limit) {
  for (u32 kind = 0; kind < std::min<u32>(kinds, 3); ++kind) {
    vfio_irq_info request{};
    request.argsz = sizeof request;
    request.index = kind;
    const Message reply =
        TRY(link.inquire(Command::IrqInfo, Body(request), sizeof(request), limit));
    const auto info = *reply.read<vfio_irq_info>();
    if ((info.flags & VFIO_IRQ_INFO_EVENTFD) == 0) continue;
    identity.interrupts.of[kind] = info.count;
    if (kind == VFIO_PCI_INTX_IRQ_INDEX)
      identity.interrupts.masks_itself = (info.flags & VFIO_IRQ_INFO_AUTOMASKED) != 0;
  }
  return {};
}

PciIdentity header_of(const std::array<u8, PciDevice::kConfigSize>& config) {
  const auto word = [&](unsigned at) { return static_cast<u16>(config[at] | config[at + 1] << 8); };
  return {.vendor = word(pci::kVendorId),
          .device = word(pci::kDeviceId),
          .klass = static_cast<u32>(config[pci::kClass] << 16 | config[pci::kSubclass] << 8 |
                                    config[pci::kProgIf]),
          .revision = config[pci::kRevision],
          .subsystem_vendor = word(pci::kSubsystemVendorId),
          .subsystem = word(pci::kSubsystemId)};
}

}  // namespace

Result<Identity> inquire_identity(Link& link, Time limit) {
  Identity identity;
  const Message reply =
      TRY(link.inquire(Command::DeviceInfo, Body(DeviceInfo{}), sizeof(DeviceInfo), limit));
  const auto info = *reply.read<DeviceInfo>();
  if ((info.flags & kFlagPci) == 0 || info.regions <= kConfigRegion)
    return fail("its server's device is no PCI device");
  identity.can_reset = (info.flags & kFlagReset) != 0;
  TRY(read_config(link, identity, limit));
  if ((identity.config[pci::kHeaderType] & 0x7f) != 0)
    return fail("its server's device is a bridge");
  identity.pci = header_of(identity.config);
  for (u32 n = 0; n < identity.bars.size(); ++n) TRY(inquire_bar(link, identity, n, limit));
  TRY(inquire_interrupts(link, identity, info.irqs, limit));
  return identity;
}

}  // namespace rhea::hw::vfio
