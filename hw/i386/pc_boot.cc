// SPDX-License-Identifier: GPL-2.0-or-later
// The boot order in CMOS.
#include "hw/i386/pc_boot.h"

#include "hw/i386/boot_files.h"
#include "softmmu/boot_options.h"

#include <array>

namespace rhea::hw {
namespace {

constexpr std::string_view kUsualOrder = "cad";
constexpr std::size_t kMostDrives = 3;
constexpr u8 kCmosThird = 0x38, kCmosFirst = 0x3d, kNoFloppyCheck = 0x01;

// The codes of CMOS registers 0x3d and 0x38 for the drive letters; 0: a PC has no such drive.
u8 boot_code(char device) {
  switch (device) {
    case 'a':
    case 'b': return 1;
    case 'c': return 2;
    case 'd': return 3;
    case 'n': return 4;
    default: return 0;
  }
}

}  // namespace

Result<> PcBoot::set_up(bool check_floppy_signature) {
  check_floppy_signature_ = check_floppy_signature;
  auto& options = machine_->service<BootOptions>();
  const std::string order = options.order.value_or(std::string(kUsualOrder));
  // Both are looked at now: nobody wants to hear of a mistake when the guest resets.
  for (const std::string& letters : {order, options.once.empty() ? order : options.once})
    if (auto set = set_order(letters); !set)
      return std::unexpected(std::move(set).error().within("-boot " + letters));
  if (!options.once.empty()) usual_order_ = order;
  options.set_order = [this](std::string_view letters) { return set_order(letters); };

  machine_->on_reset([this](ResetKind) { machine_reset(); });
  return add_boot_files(*machine_, *fw_cfg_);
}

Result<> PcBoot::set_order(std::string_view order) {
  std::array<u8, kMostDrives> codes{};
  if (order.size() > kMostDrives) return fail("Too many boot devices for PC");
  for (std::size_t i = 0; i < order.size(); ++i) {
    codes[i] = boot_code(order[i]);
    if (codes[i] == 0) return fail("Invalid boot device for PC: '{}'", order[i]);
  }
  rtc_->set_cmos(kCmosFirst, static_cast<u8>(codes[1] << 4 | codes[0]));
  rtc_->set_cmos(kCmosThird,
                 static_cast<u8>(codes[2] << 4 | (check_floppy_signature_ ? 0 : kNoFloppyCheck)));
  return {};
}

void PcBoot::machine_reset() {
  // The first reset is the one that starts the machine.
  if (resets_ < 2) ++resets_;
  if (resets_ == 2 && !usual_order_.empty()) {
    RHEA_ASSERT(set_order(usual_order_));
    usual_order_.clear();
  }
}

}  // namespace rhea::hw
