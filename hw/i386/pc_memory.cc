// SPDX-License-Identifier: GPL-2.0-or-later
// RAM, firmware and option ROM memory of a PC.
#include "hw/i386/pc_memory.h"

#include "rhea/softmmu/firmware.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr u64 kMaxFirmware = 16 * MiB;
constexpr u64 kLowFirmware = 128 * KiB;

}  // namespace

Result<> PcMemory::allocate() {
  TRY(ram_.init_ram(nullptr, "pc.ram", machine_->config.ram_size, machine_->config.ram));
  pci_memory_.init_container(nullptr, "pci", Region::kWholeSpace);
  return {};
}

Result<> PcMemory::add_firmware() {
  const std::string& wanted = machine_->config.firmware;
  const std::string path = TRY(find_firmware(*machine_, wanted.empty() ? "bios-256k.bin" : wanted));
  const std::vector<u8> image = TRY(read_file(path, kMaxFirmware));
  if (image.empty() || image.size() % (64 * KiB) != 0)
    return fail("firmware '{}' has {} bytes: a multiple of 64 KiB is needed", path, image.size());
  TRY(bios_.init_rom(nullptr, "pc.bios", image.size()));
  std::ranges::copy(image, bios_.host());
  const u64 low = std::min<u64>(image.size(), kLowFirmware);
  bios_low_.init_alias(nullptr, "isa-bios", bios_, image.size() - low, low);
  bios_low_.set_readonly(true);
  pci_memory_.add(4 * GiB - image.size(), bios_);
  pci_memory_.add(1 * MiB - low, bios_low_, 1);
  TRY(option_roms_.init_ram(nullptr, "pc.rom", 128 * KiB));
  option_roms_.set_readonly(true);
  pci_memory_.add(0xc0000, option_roms_, 1);
  return {};
}

}  // namespace rhea::hw
