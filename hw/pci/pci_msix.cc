// SPDX-License-Identifier: GPL-2.0-or-later
// MSI-X of PCI devices: messages in a table of the device's memory, each with a mask of its own
// (PCI Local Bus Specification 3.0, 6.8.2).
#include "hw/pci/trace_events.h"
#include "rhea/hw/pci.h"

#include <algorithm>
#include <array>
#include <bit>

namespace rhea {
namespace {

constexpr u8 kCapabilityMsix = 0x11;
constexpr unsigned kControl = 2, kTable = 4, kPending = 8, kSize = 12;
constexpr u16 kEnable = 0x8000, kFunctionMask = 0x4000;
// An entry: address, upper half, data, vector control.
constexpr unsigned kEntryDwords = 4, kEntrySize = 16;
constexpr u32 kMasked = 1;
constexpr std::array<u32, kEntryDwords> kWritable{~u32{3}, ~u32{0}, ~u32{0}, kMasked};
// What a driver may use (6.8.2); the handlers see dwords.
constexpr AccessSizes kAccepted{.min = 4, .max = 8}, kDwords{.min = 4, .max = 4};

constexpr u64 pending_size(unsigned vectors) { return (vectors + 63U) / 64U * 8U; }

}  // namespace

void PciDevice::Msix::describe(StateFields<Msix>& s) {
  s.state("table", &Msix::table);
  s.state("pending", &Msix::pending);
}

void PciDevice::add_msix(unsigned vectors, unsigned bar, u64 offset) {
  RHEA_ASSERT(msix_.cap == 0 && vectors >= 1 && vectors <= kMostVectors && bar < kRomBarIndex);
  RHEA_ASSERT(bars_[bar].region != nullptr && bars_[bar].kind != BarKind::Io && offset % 8 == 0);
  Region& around = *bars_[bar].region;
  const u64 pending = offset + u64{vectors} * kEntrySize;
  RHEA_ASSERT(pending + pending_size(vectors) <= around.size());
  msix_.cap = add_capability(kCapabilityMsix, kSize);
  config_set16(msix_.cap + kControl, static_cast<u16>(vectors - 1), kEnable | kFunctionMask);
  config_set32(msix_.cap + kTable, static_cast<u32>(offset) | bar);
  config_set32(msix_.cap + kPending, static_cast<u32>(pending) | bar);
  msix_.table.assign(std::size_t{vectors} * kEntryDwords, 0);
  msix_.pending.assign((vectors + 63U) / 64U, 0);
  reset_msix();
  msix_.table_region.init_io(
      *this, around.name() + ".msix-table", u64{vectors} * kEntrySize,
      io<&PciDevice::read_msix_table, &PciDevice::write_msix_table>(kAccepted, kDwords));
  msix_.pending_region.init_io(
      *this, around.name() + ".msix-pba", pending_size(vectors),
      io<&PciDevice::read_msix_pending, &PciDevice::write_msix_pending>(kAccepted, kDwords));
  // The table is configuration: the machine's, whatever lock the device's own registers have.
  msix_.table_region.set_lock_domain(&machine().lock());
  msix_.pending_region.set_lock_domain(&machine().lock());
  around.add(offset, msix_.table_region, 1);
  around.add(pending, msix_.pending_region, 1);
}

Result<> PciDevice::add_msix_bar(unsigned vectors, unsigned bar, BarKind kind) {
  const u64 size =
      std::bit_ceil(std::max<u64>(4 * KiB, u64{vectors} * kEntrySize + pending_size(vectors)));
  msix_.bar_region.init_container(this, fmt::format("{}.msix", type().name), size);
  TRY(this->bar(bar, msix_.bar_region, kind));
  add_msix(vectors, bar, 0);
  return {};
}

bool PciDevice::msix_enabled() const {
  return msix_.cap != 0 && (config16(msix_.cap + kControl) & kEnable) != 0;
}

bool PciDevice::msix_masked(unsigned vector) const {
  return (config16(msix_.cap + kControl) & kFunctionMask) != 0 ||
         (msix_.table[vector * kEntryDwords + 3] & kMasked) != 0;
}

void PciDevice::notify_msix(unsigned vector) {
  RHEA_ASSERT(vector < msix_vectors());
  if (msix_masked(vector)) {
    msix_.pending[vector / 64] |= u64{1} << vector % 64;
    return;
  }
  send_message(msix_message(vector));
}

MsiMessage PciDevice::msix_message(unsigned vector) const {
  const u32* const entry = &msix_.table[vector * kEntryDwords];
  return {.address = u64{entry[1]} << 32 | entry[0], .data = entry[2]};
}

/// Whether its message gets onto the bus now.
bool PciDevice::msix_goes_out(unsigned vector) const {
  return msix_enabled() && !msix_masked(vector) && dma_.enabled();
}

// What waited for a mask that has gone.
void PciDevice::send_pending_msix() {
  if (!msix_enabled()) return;
  for (unsigned vector = 0; vector < msix_vectors(); ++vector) {
    u64& word = msix_.pending[vector / 64];
    const u64 bit = u64{1} << vector % 64;
    if (word == 0) {
      vector |= 63;
    } else if ((word & bit) != 0 && !msix_masked(vector)) {
      word &= ~bit;
      notify_msix(vector);
    }
  }
}

u64 PciDevice::read_msix_table(u64 offset, unsigned) { return msix_.table[offset / 4]; }

void PciDevice::write_msix_table(u64 offset, u64 value, unsigned) {
  const u64 dword = offset / 4;
  msix_.table[dword] = static_cast<u32>(value) & kWritable[dword % kEntryDwords];
  const auto vector = static_cast<unsigned>(dword / kEntryDwords);
  if (const auto event = msix_.events.find(vector); event != msix_.events.end())
    update_msix_event(vector, event->second);
  if (dword % kEntryDwords == 3) send_pending_msix();
}

u64 PciDevice::read_msix_pending(u64 offset, unsigned) {
  return static_cast<u32>(msix_.pending[offset / 8] >> (offset % 8 * 8));
}

void PciDevice::write_msix_pending(u64, u64, unsigned) {}  // read-only

void PciDevice::reset_msix() {
  std::ranges::fill(msix_.table, 0U);
  for (unsigned vector = 0; vector < msix_vectors(); ++vector)
    msix_.table[vector * kEntryDwords + 3] = kMasked;
  std::ranges::fill(msix_.pending, 0U);
}

// A loaded table may have anything in what a guest cannot write.
void PciDevice::msix_loaded() {
  for (std::size_t dword = 0; dword < msix_.table.size(); ++dword)
    msix_.table[dword] &= kWritable[dword % kEntryDwords];
  if (const unsigned last = msix_vectors() % 64; last != 0)
    msix_.pending.back() &= (u64{1} << last) - 1;
}

void PciDevice::forget_msix() {
  while (!msix_.events.empty()) unroute_msix(msix_.events.begin()->first);
  msix_.table_region.reset();
  msix_.pending_region.reset();
  msix_.table.clear();
  msix_.pending.clear();
  msix_.bar_region.reset();
  msix_.cap = 0;
}

}  // namespace rhea
