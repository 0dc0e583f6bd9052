// SPDX-License-Identifier: GPL-2.0-or-later
// RAM, firmware and option ROM memory of a PC.
#include "hw/i386/pc_memory.h"

#include "rhea/softmmu/firmware.h"
#include "softmmu/memory_backend.h"
#include "softmmu/memory_option.h"
#include "softmmu/numa.h"

#include <sys/mman.h>

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr u64 kHighMemoryArea = 64 * KiB;
constexpr u64 kMaxFirmware = 16 * MiB;
constexpr u64 kLowFirmware = 128 * KiB;
constexpr u64 kFlashBlock = 4 * KiB, kMaxFlash = 8 * MiB;

}  // namespace

// The size is what -m says or else the back end's.
Result<> PcMemory::take_backend(HostUse& use) {
  MachineConfig& config = machine_->config;
  if (config.ram.backing == RamBacking::File)
    return fail("-mem-path: -machine memory-backend={} says where memory comes from", use.backend);
  auto* backend = dynamic_cast<MemoryBackend*>(
      machine_->container(MemoryBackend::kLinkRoot).child(use.backend));
  if (backend == nullptr)
    return fail("-machine memory-backend={}: there is no such -object memory-backend-...",
                use.backend);
  if (machine_->service<MemoryRequest>().size_given && config.ram_size != backend->size())
    return fail("-machine memory-backend={}: its size of {} bytes must match that of -m, {}",
                use.backend, backend->size(), config.ram_size);
  TRY(backend->take());
  const bool prealloc = config.ram.prealloc;  // -mem-prealloc
  config.ram_size = backend->size();
  config.ram = backend->ram_options();
  config.ram.prealloc |= prealloc;
  use.merge = use.merge && backend->merge();
  use.dump = use.dump && backend->dump();
  return {};
}

// Hints both: a kernel without them runs the guest all the same.
void PcMemory::advise(const Region& ram, const HostUse& use) {
  const auto size = static_cast<std::size_t>(ram.size());
  if (use.merge) ::madvise(ram.host(), size, MADV_MERGEABLE);
  if (!use.dump) ::madvise(ram.host(), size, MADV_DONTDUMP);
}

// A piece for each node, one behind the other.
Result<> PcMemory::allocate_nodes(const HostUse& use) {
  const MachineConfig& config = machine_->config;
  const auto& nodes = machine_->service<Numa>().nodes();
  if (!use.backend.empty())
    return fail(
        "-numa: '-machine memory-backend' and '-numa memdev' properties are mutually "
        "exclusive");
  if (config.ram.backing == RamBacking::File)
    return fail("-mem-path: -numa node,memdev=... says where memory comes from");
  ram_.init_container(nullptr, "pc.ram", config.ram_size);
  u64 offset = 0;
  for (const NumaNode& node : nodes) {
    const auto* backend = dynamic_cast<const MemoryBackend*>(
        machine_->container(MemoryBackend::kLinkRoot).child(node.backend));
    RamOptions options = backend->ram_options();
    options.prealloc |= config.ram.prealloc;
    Region& piece = *pieces_.emplace_back(std::make_unique<Region>());
    TRY(piece.init_ram(nullptr, node.backend, node.memory, options));
    advise(piece, {.backend = {},
                   .merge = use.merge && backend->merge(),
                   .dump = use.dump && backend->dump()});
    ram_.add(offset, piece);
    offset += node.memory;
  }
  return {};
}

Result<> PcMemory::allocate(HostUse use) {
  const auto& numa = machine_->service<Numa>();
  if (!use.backend.empty() && !numa.has_backends()) TRY(take_backend(use));
  TRY(numa.check_memory(machine_->config.ram_size));
  if (numa.has_backends()) {
    TRY(allocate_nodes(use));
  } else {
    TRY(ram_.init_ram(nullptr, "pc.ram", machine_->config.ram_size, machine_->config.ram));
    advise(ram_, use);
  }
  pci_memory_.init_container(nullptr, "pci", Region::kWholeSpace);
  wrap_.init_alias(nullptr, "a20-wrap", ram_, 0,
                   std::min(static_cast<u64>(ram_.size()), kHighMemoryArea));
  wrap_.set_enabled(false);
  machine_->system_memory().add(1 * MiB, wrap_, 1);
  return {};
}

void PcMemory::wrap_at_1m(bool on) { wrap_.set_enabled(on); }

namespace {

// The drives that are firmware's flash, by unit.
Result<std::array<BlockBackend*, 2>> find_flash(Machine& machine,
                                                const std::array<std::string, 2>& names) {
  std::array<BlockBackend*, 2> found{};
  for (BlockBackend* drive : drives(machine)) {
    if (drive->interface != DriveInterface::Pflash) continue;
    if (drive->unit < 0 || drive->unit > 1)
      return fail("-drive if=pflash,unit={}: there are only units 0 and 1", drive->unit);
    found[static_cast<std::size_t>(drive->unit)] = drive;
  }
  for (unsigned unit = 0; unit < 2; ++unit) {
    if (names[unit].empty()) continue;
    if (found[unit] != nullptr)
      return fail("-machine pflash{}={}: there is a -drive if=pflash for it, too", unit,
                  names[unit]);
    found[unit] = find_drive(machine, names[unit]);
    if (found[unit] == nullptr)
      return fail("-machine pflash{}={}: no such drive", unit, names[unit]);
  }
  if (found[0] == nullptr && found[1] != nullptr)
    return fail("-drive if=pflash: there is a unit 1, but no unit 0, which has the reset vector");
  return found;
}

}  // namespace

Result<> PcMemory::add_firmware(const std::array<std::string, 2>& flash_drives) {
  const auto flash = TRY(find_flash(*machine_, flash_drives));
  if (flash[0] == nullptr) {
    TRY(add_rom());
  } else {
    if (!machine_->config.firmware.empty())
      return fail("-bios {}: the firmware is in flash (-pflash) already",
                  machine_->config.firmware);
    TRY(add_flash(flash));
  }
  TRY(option_roms_.init_ram(nullptr, "pc.rom", 128 * KiB));
  option_roms_.set_readonly(true);
  pci_memory_.add(0xc0000, option_roms_, 1);
  return {};
}

Result<> PcMemory::add_rom() {
  const std::string& wanted = machine_->config.firmware;
  const std::string path = TRY(find_firmware(*machine_, wanted.empty() ? "bios-256k.bin" : wanted));
  const std::vector<u8> image = TRY(read_file(path, kMaxFirmware));
  if (image.empty() || image.size() % (64 * KiB) != 0)
    return fail("firmware '{}' has {} bytes: a multiple of 64 KiB is needed", path, image.size());
  TRY(bios_.init_rom(nullptr, "pc.bios", image.size()));
  std::ranges::copy(image, bios_.host());
  pci_memory_.add(4 * GiB - image.size(), bios_);
  show_below_1m(bios_);
  return {};
}

// Unit 0 ends at 4 GiB, unit 1 lies below it.
Result<> PcMemory::add_flash(const std::array<BlockBackend*, 2>& flash) {
  u64 top = 4 * GiB;
  for (unsigned unit = 0; unit < 2; ++unit) {
    if (flash[unit] == nullptr) continue;
    const u64 size = flash[unit]->size();
    if (size == 0 || size % kFlashBlock != 0)
      return fail("-drive if=pflash,unit={}: '{}' has {} bytes: a multiple of 4 KiB is needed",
                  unit, flash[unit]->filename(), size);
    if (4 * GiB - top + size > kMaxFlash)
      return fail("-drive if=pflash,unit={}: {} bytes of flash are more than {}", unit,
                  4 * GiB - top + size, kMaxFlash);
    std::unique_ptr<Object> object = TRY(machine_->make(PflashCfi01::kName));
    auto& device = static_cast<PflashCfi01&>(*object);
    const std::string name = fmt::format("system.flash{}", unit);
    device.set_drive(*flash[unit]);
    TRY(device.set("sector-length", kFlashBlock));
    TRY(device.set("num-blocks", size / kFlashBlock));
    TRY(device.set("name", name));
    TRY(machine_->add_device(std::move(object), nullptr, name));
    top -= size;
    pci_memory_.add(top, device.memory());
    if (unit == 0) show_below_1m(device.memory());
  }
  return {};
}

void PcMemory::show_below_1m(Region& firmware) {
  const auto size = static_cast<u64>(firmware.size());
  const u64 low = std::min(size, kLowFirmware);
  bios_low_.init_alias(nullptr, "isa-bios", firmware, size - low, low);
  bios_low_.set_readonly(true);
  pci_memory_.add(1 * MiB - low, bios_low_, 1);
}

}  // namespace rhea::hw
