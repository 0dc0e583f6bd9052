// SPDX-License-Identifier: GPL-2.0-or-later
// The boot order in CMOS and fw_cfg, and the files of -boot.
#include "hw/i386/pc_boot.h"

#include "hw/i386/table_writer.h"
#include "rhea/hw/boot_order.h"
#include "rhea/softmmu/firmware.h"
#include "rhea/util/log.h"
#include "softmmu/boot_options.h"

#include <array>

namespace rhea::hw {
namespace {

constexpr std::string_view kUsualOrder = "cad", kOrderFile = "bootorder";
constexpr std::size_t kMostDrives = 3;
constexpr u64 kLargestSplash = 32 * MiB;
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

std::vector<u8> little_endian(u64 value, unsigned bytes) {
  TableWriter out;
  out.number(value, bytes);
  return out.data;
}

// Firmware takes JPEG files, and BMP files of 24 bits a pixel; it finds them by these names.
std::string_view splash_name(const std::vector<u8>& image) {
  constexpr std::size_t kBitsPerPixel = 28;
  if (image.size() >= 2 && image[0] == 0xff && image[1] == 0xd8) return "bootsplash.jpg";
  if (image.size() > kBitsPerPixel + 1 && image[0] == 'B' && image[1] == 'M' &&
      image[kBitsPerPixel] == 24 && image[kBitsPerPixel + 1] == 0)
    return "bootsplash.bmp";
  return {};
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

  fw_cfg_->add_number(fw_cfg_key::kBootMenu, options.menu ? 1 : 0, 2);
  if (!options.splash.empty()) {
    auto added = add_splash(options.splash);
    if (!added)
      return std::unexpected(std::move(added).error().within("-boot splash=" + options.splash));
  }
  if (options.splash_ms)
    fw_cfg_->add_file("etc/boot-menu-wait", little_endian(*options.splash_ms, 2));
  fw_cfg_->add_file("etc/boot-fail-wait",
                    little_endian(static_cast<u32>(options.reboot_timeout_ms.value_or(-1)), 4));
  fw_cfg_->add_file(std::string(kOrderFile), {});
  machine_->on_reset([this](ResetKind) { machine_reset(); });
  return {};
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

Result<> PcBoot::add_splash(const std::string& file) {
  const std::string path = TRY(find_firmware(*machine_, file));
  std::vector<u8> image = TRY(read_file(path, kLargestSplash));
  const std::string_view name = splash_name(image);
  // The machine starts without it, as QEMU's does.
  if (name.empty()) {
    report_warning(
        fmt::format("-boot splash={}: format not recognized; must be JPEG or 24 bit BMP", file));
    return {};
  }
  fw_cfg_->add_file(std::string(name), std::move(image));
  return {};
}

void PcBoot::machine_reset() {
  // The first reset is the one that starts the machine.
  if (resets_ < 2) ++resets_;
  if (resets_ == 2 && !usual_order_.empty()) {
    RHEA_ASSERT(set_order(usual_order_));
    usual_order_.clear();
  }
  fw_cfg_->replace_file(
      kOrderFile, machine_->service<BootOrder>().file(machine_->service<BootOptions>().strict));
}

}  // namespace rhea::hw
