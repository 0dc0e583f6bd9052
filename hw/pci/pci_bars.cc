// SPDX-License-Identifier: GPL-2.0-or-later
// Base address registers and the option ROM of PCI devices (PCI Local Bus
// Specification 3.0, 6.2.5).
#include "hw/pci/trace_events.h"
#include "rhea/hw/pci.h"
#include "rhea/softmmu/firmware.h"
#include "rhea/softmmu/registers.h"
#include "rhea/util/log.h"

#include <algorithm>
#include <bit>

namespace rhea {
namespace {

constexpr u32 kBarIo = 1, kBar64 = 4, kBarPrefetch = 8;
constexpr u32 kRomEnable = 1;
constexpr int kBarPriority = 1;
constexpr u8 kNetworkClass = 2;
constexpr u64 kSmallestRom = 2 * KiB, kLargestRom = 16 * MiB;

constexpr bool is_64bit(BarKind kind) {
  return kind == BarKind::Memory64 || kind == BarKind::MemoryPrefetch64;
}

constexpr u32 type_bits(BarKind kind) {
  switch (kind) {
    case BarKind::Memory32: return 0;
    case BarKind::Memory64: return kBar64;
    case BarKind::MemoryPrefetch32: return kBarPrefetch;
    case BarKind::MemoryPrefetch64: return kBar64 | kBarPrefetch;
    case BarKind::Io: return kBarIo;
  }
  return 0;
}

constexpr unsigned bar_register(unsigned n) { return pci::kBar0 + 4 * n; }

}  // namespace

// Says which property it was whose value made the size.
Result<> PciDevice::check_bar_size(unsigned n, u64 size, BarKind kind) const {
  const u64 least = kind == BarKind::Io ? 4 : 16;
  const u64 most = is_64bit(kind) ? u64{1} << 63 : kind == BarKind::Io ? 64 * KiB : 2 * GiB;
  if (std::has_single_bit(size) && size >= least && size <= most) return {};
  std::string who = fmt::format("Device '{}'", type().name);
  for (const TypeInfo* t : type().lineage())
    for (const Property& p : t->properties) {
      const auto value = get(p.name);
      const auto* number = value ? std::get_if<u64>(&*value) : nullptr;
      if (number != nullptr && *number == size)
        who = fmt::format("Property '{}.{}'", type().name, p.name);
    }
  return fail("{}: BAR {} cannot have {} bytes (a power of two from {} to {})", who, n, size, least,
              most);
}

Result<> PciDevice::bar(unsigned n, Region& region, BarKind kind) {
  RHEA_ASSERT(base_realized_ && !is_realized());
  RHEA_ASSERT(n < kRomBarIndex && region.initialised() && region.container() == nullptr);
  RHEA_ASSERT(bars_[n].region == nullptr);
  const auto size = static_cast<u64>(region.size());
  TRY(check_bar_size(n, size, kind));
  add_bar(n, region, kind);
  const u64 writable = ~(size - 1);
  config_set32(bar_register(n), type_bits(kind), static_cast<u32>(writable));
  if (!is_64bit(kind)) return {};
  RHEA_ASSERT(n + 1 < kRomBarIndex && bars_[n + 1].region == nullptr);
  config_set32(bar_register(n + 1), 0, static_cast<u32>(writable >> 32));
  return {};
}

Result<> PciDevice::map_registers() {
  for (const TypeInfo* t : type().lineage())
    for (const DeclaredBank& declared : t->banks) {
      if (!declared.bar) continue;
      auto& bank = *static_cast<RegisterBank*>(declared.region(*this));
      const BarKind kind = declared.bar_of_ports ? BarKind::Io : BarKind::Memory32;
      bank.init(*this, std::max<u64>(declared.info->size, kind == BarKind::Io ? 4 : 16));
      TRY(bar(*declared.bar, bank, kind));
    }
  return {};
}

std::optional<PciDevice::BarInfo> PciDevice::bar_info(unsigned n) const {
  if (n >= bars_.size() || bars_[n].region == nullptr) return std::nullopt;
  const Bar& bar = bars_[n];
  return BarInfo{
      .kind = bar.kind, .address = bar.address, .size = static_cast<u64>(bar.region->size())};
}

// Where the guest wants BAR `n`, or kUnmapped: the device or the BAR switched off, at 0, at the end
// (a sizing write), or wrapping.
u64 PciDevice::wanted_address(unsigned n) const {
  if (!powered()) return kUnmapped;
  const Bar& bar = bars_[n];
  const u16 command = config16(pci::kCommand);
  const auto size = static_cast<u64>(bar.region->size());
  if (bar.kind == BarKind::Io) {
    if ((command & pci::kCommandIo) == 0) return kUnmapped;
    const u64 address = config32(bar_register(n)) & ~(size - 1);
    return address == 0 || address + size > 0x10000 ? kUnmapped : address;
  }
  if ((command & pci::kCommandMemory) == 0) return kUnmapped;
  const bool rom = n == kRomBarIndex;
  const u32 low = config32(rom ? pci::kRomBar : bar_register(n));
  if (rom && (low & kRomEnable) == 0) return kUnmapped;
  u64 address = low;
  if (is_64bit(bar.kind)) address |= static_cast<u64>(config32(bar_register(n + 1))) << 32;
  address &= ~(size - 1);
  const u64 last = address + (size - 1);
  const u64 limit = is_64bit(bar.kind) ? ~u64{0} : ~u32{0};
  return address == 0 || last < address || last >= limit ? kUnmapped : address;
}

// BARs are in their container all the time, so that what RAM they show is known and saved, mapped
// or not.
void PciDevice::add_bar(unsigned n, Region& region, BarKind kind) {
  bars_[n] = {.region = &region, .kind = kind};
  region.set_enabled(false);
  Region& container = kind == BarKind::Io ? pci_bus().io() : pci_bus().memory();
  container.add(0, region, kBarPriority);
}

void PciDevice::map_bar(Bar& bar, u64 address) {
  if (bar.address == address) return;
  const std::string& name = bar.region->name();
  if (bar.address != kUnmapped) hw::pci_bar_unmap(*this, devfn_, name, bar.address);
  bar.address = address;
  bar.region->set_enabled(address != kUnmapped);
  if (address == kUnmapped) return;
  hw::pci_bar_map(*this, devfn_, name, address, static_cast<u64>(bar.region->size()));
  bar.region->set_address(address);
}

void PciDevice::update_mappings() {
  const Transaction transaction(machine().map());
  for (unsigned n = 0; n < bars_.size(); ++n)
    if (bars_[n].region != nullptr) map_bar(bars_[n], wanted_address(n));
}

Result<> PciDevice::load_option_rom() {
  const std::string name = romfile_.value_or(std::string(identity_romfile_));
  if (name.empty() || rombar_ == 0) return {};
  const Result<std::string> path = find_firmware(machine(), name);
  // A network card without its usual boot code is still a card.
  if (!path && !romfile_ && config8(pci::kClass) == kNetworkClass) {
    report_warning(fmt::format("{} cannot boot: {}", type().name, path.error().message()));
    return {};
  }
  if (!path) return std::unexpected(path.error());
  const std::vector<u8> image = TRY(read_file(*path, kLargestRom));
  if (image.empty()) return fail("romfile '{}' is empty", name);
  u64 size = std::bit_ceil(std::max<u64>(image.size(), kSmallestRom));
  if (romsize_ != ~u32{0}) {
    if (!std::has_single_bit(romsize_) || romsize_ < kSmallestRom || romsize_ > kLargestRom)
      return fail("romsize {} is no power of two from 2K to 16M", romsize_);
    if (image.size() > romsize_)
      return fail("romfile '{}' ({} bytes) is larger than romsize {}", name, image.size(),
                  romsize_);
    size = romsize_;
  }
  TRY(rom_.init_rom(this, fmt::format("{}.rom@{:02x}.{}", type().name, slot(), function()), size));
  std::ranges::copy(image, rom_.host());
  add_bar(kRomBarIndex, rom_, BarKind::Memory32);
  config_set32(pci::kRomBar, 0, static_cast<u32>(~(size - 1)) | kRomEnable);
  return {};
}

// Back to what set_identity and the constructor made of the device, for the next realize().
void PciDevice::forget_layout() {
  forget_msix();
  for (const Bar& bar : bars_)
    if (bar.region != nullptr) bar.region->reset();
  bars_ = {};
  for (unsigned reg = pci::kBar0; reg < pci::kBar0 + 24U; reg += 4) config_set32(reg, 0);
  config_set32(pci::kRomBar, 0);
  config_set8(pci::kCapabilities, 0);
  reset_value_[pci::kStatus] &= static_cast<u8>(~pci::kStatusCapabilities);
  config_ = reset_value_;
  msi_cap_ = pm_cap_ = last_capability_ = 0;
  next_capability_ = 0x40;
}

}  // namespace rhea
