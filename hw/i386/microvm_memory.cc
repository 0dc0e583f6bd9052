// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/i386/microvm_memory.h"

#include "rhea/softmmu/firmware.h"

#include <algorithm>

namespace rhea::hw {
namespace {

constexpr u64 kMostLow = 3 * GiB, kLargest = 16 * MiB, kShadow = 128 * KiB;

}  // namespace

Result<> MicrovmMemory::allocate(const PcMemory::HostUse& use) {
  TRY(memory_.allocate(use));
  const u64 size = machine_->config.ram_size;
  split_.below_4g = std::min(size, kMostLow);
  split_.above_4g = size - split_.below_4g;
  Region& system = machine_->system_memory();
  low_.init_alias(nullptr, "ram-below-4g", memory_.ram(), 0, split_.below_4g);
  system.add(0, low_);
  if (split_.above_4g == 0) return {};
  high_.init_alias(nullptr, "ram-above-4g", memory_.ram(), split_.below_4g, split_.above_4g);
  system.add(4 * GiB, high_);
  return {};
}

Result<> MicrovmMemory::add_firmware(std::string_view usual) {
  const std::string& wanted = machine_->config.firmware;
  const std::string path = TRY(find_firmware(*machine_, wanted.empty() ? usual : wanted));
  image_ = TRY(read_file(path, kLargest));
  if (image_.empty() || image_.size() % (64 * KiB) != 0)
    return fail("firmware '{}' has {} bytes: a multiple of 64 KiB is needed", path, image_.size());
  const u64 size = image_.size(), low = std::min(size, kShadow);
  TRY(firmware_.init_ram(nullptr, "pc.bios", size));
  firmware_low_.init_alias(nullptr, "isa-bios", firmware_, size - low, low);
  machine_->system_memory().add(4 * GiB - size, firmware_);
  machine_->system_memory().add(1 * MiB - low, firmware_low_, 1);
  machine_->on_reset(
      [this](ResetKind) { (void)machine_->memory().write(4 * GiB - image_.size(), image_); });
  return {};
}

}  // namespace rhea::hw
