// SPDX-License-Identifier: GPL-2.0-or-later
// Accesses of a software processor to the machine's address spaces.
#include "accel/machine_bus.h"

namespace rhea::accel {
namespace {

constexpr u64 kOffset = kPageSize - 1;

bool logged(const RamBlock& ram) {
  return ram.logging(DirtyClient::Display) || ram.logging(DirtyClient::Migration);
}

}  // namespace

const FlatRange* MachineBus::range_of(u64 page) {
  const FlatRange* range = memory().view().find(page);
  if (range == nullptr || range->first > page || range->last < page + kOffset) return nullptr;
  return range->readable_memory() ? range : nullptr;
}

x86::HostPage MachineBus::page(u64 address) {
  if (is_apic_page(address)) return {};
  const FlatRange* range = range_of(address);
  if (range == nullptr) return {};
  u8* const host = range->host(address);
  if (!range->writable_memory()) return {.read = host};
  const Region& region = *range->region;
  const u64 offset = range->offset + (address - range->first);
  return {.read = host, .write = host, .watched = logged(*region.ram()) || watches(region, offset)};
}

void MachineBus::wrote(u64 address, unsigned size) {
  const FlatRange* range = range_of(address & ~kOffset);
  if (range == nullptr) return;
  RamBlock& ram = *range->region->ram();
  const u64 offset = range->offset + (address - range->first);
  for (const DirtyClient client : {DirtyClient::Display, DirtyClient::Migration})
    if (ram.logging(client)) ram.mark_dirty_for(client, offset, size);
  stored(*range->region, offset, size);
}

u64 MachineBus::read(u64 address, unsigned size) {
  if (is_apic_page(address)) return read_apic(static_cast<unsigned>(address & kOffset), size);
  const Outside outside(*this);
  return memory().load(address, size, attributes());
}

void MachineBus::write(u64 address, u64 value, unsigned size) {
  if (is_apic_page(address))
    return write_apic(static_cast<unsigned>(address & kOffset), value, size);
  const Outside outside(*this);
  memory().store(address, value, size, attributes());
}

u64 MachineBus::in(u16 port, unsigned size) {
  const Outside outside(*this);
  return machine_->io().load(port, size);
}

void MachineBus::out(u16 port, u64 value, unsigned size) {
  const Outside outside(*this);
  machine_->io().store(port, value, size);
}

}  // namespace rhea::accel
