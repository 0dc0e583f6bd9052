// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/vfio/dma_table.h"

#include "rhea/hw/pci.h"

#include <fcntl.h>

#include <algorithm>

namespace rhea::hw::vfio {
namespace {

constexpr u32 kReadable = 1, kWritable = 2;
/// A PC has some twenty; a guest can have BARs cut its memory into more.
constexpr std::size_t kMostRanges = 512;
/// What is less is the board's, like the place for option ROMs: no driver has its buffers there.
constexpr u64 kLeastMemory = MiB;

// A server that could cut the file short could end us, by SIGBUS: a memory back end's memfd cannot
// be, other files can.
bool is_lasting(const RamBlock& block) {
  const int seals = ::fcntl(block.fd(), F_GET_SEALS);
  return seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
}

bool is_shared(const FlatRange& range) {
  return range.region->backed_by_ram() && is_lasting(*range.region->ram());
}

}  // namespace

// The regions themselves: while the board is built, no view shows its memory yet.
Result<> DmaTable::check(const Region& region, std::set<const Region*>& seen) {
  if (!seen.insert(&region).second) return {};
  if (region.kind() == RegionKind::Ram && region.ram()->size() >= kLeastMemory &&
      !is_lasting(*region.ram()) && dynamic_cast<const PciDevice*>(region.owner()) == nullptr)
    return fail(
        "its server cannot be given guest memory '{}': it is not shared (-object "
        "memory-backend-memfd,id=mem,size=SIZE,share=on -machine memory-backend=mem)",
        region.ram()->id());
  if (const Region* target = region.alias_target()) TRY(check(*target, seen));
  for (const Region* child : region.children()) TRY(check(*child, seen));
  return {};
}

Result<> DmaTable::check(const AddressSpace& space) {
  std::set<const Region*> seen;
  return check(space.root(), seen);
}

void DmaTable::join(Link& link, AddressSpace& space) {
  link_ = &link;
  space_ = &space;
  mirror_.init([this] { tell(); });
  space.add_listener(*this);
}

void DmaTable::leave() {
  if (space_ != nullptr) space_->remove_listener(*this);
  space_ = nullptr;
  link_ = nullptr;
  wanted_.clear();
  told_.clear();
}

void DmaTable::commit() {
  wanted_.clear();
  {
    const RcuGuard guard;
    for (const FlatRange& range : space_->view().ranges())
      if (is_shared(range) && range.readable_memory()) add(range);
  }
  if (wanted_ != told_) mirror_.changed();
}

// Whole pages only, and one range where two touch in the space and in the block.
void DmaTable::add(const FlatRange& range) {
  const u64 skip = -range.first & (kPageSize - 1);
  const u64 size = range.length();
  if (size < skip + kPageSize || (range.offset + skip) % kPageSize != 0) return;
  const Range next{.address = range.first + skip,
                   .size = (size - skip) & ~(kPageSize - 1),
                   .offset = range.offset + skip,
                   .block = range.region->ram(),
                   .writable = range.writable_memory()};
  if (!wanted_.empty()) {
    Range& last = wanted_.back();
    if (last.address + last.size == next.address && last.block == next.block &&
        last.offset + last.size == next.offset && last.writable == next.writable) {
      last.size += next.size;
      return;
    }
  }
  if (wanted_.size() < kMostRanges) wanted_.push_back(next);
}

void DmaTable::tell() {
  if (link_ == nullptr) return;
  const auto lacks = [](const std::vector<Range>& all, const Range& range) {
    return std::ranges::find(all, range) == all.end();
  };
  for (const Range& range : told_)
    if (lacks(wanted_, range)) unmap(range);
  for (const Range& range : wanted_)
    if (lacks(told_, range)) map(range);
  told_ = wanted_;
}

void DmaTable::map(const Range& range) {
  const DmaMap request{.flags = kReadable | (range.writable ? kWritable : 0),
                       .offset = range.offset,
                       .address = range.address,
                       .size = range.size};
  const int fd = range.block->fd();
  link_->post(Command::DmaMap, Body(request), std::span(&fd, 1),
              mirror_.answered([link = link_, address = range.address](const Message& reply) {
                if (reply.error != 0)
                  link->refused(fmt::format("does not take guest memory at {:#x}: {}", address,
                                            errno_text(static_cast<int>(reply.error))));
                return true;
              }));
}

void DmaTable::unmap(const Range& range) {
  const DmaUnmap request{.address = range.address, .size = range.size};
  link_->post(Command::DmaUnmap, Body(request), {},
              mirror_.answered([link = link_, address = range.address](const Message& reply) {
                if (reply.error != 0)
                  link->refused(fmt::format("keeps guest memory at {:#x}: {}", address,
                                            errno_text(static_cast<int>(reply.error))));
                return true;
              }));
}

}  // namespace rhea::hw::vfio
