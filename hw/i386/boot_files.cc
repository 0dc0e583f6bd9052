// SPDX-License-Identifier: GPL-2.0-or-later
// What fw_cfg says of -boot and of boot indices.
#include "hw/i386/boot_files.h"

#include "hw/i386/table_writer.h"
#include "rhea/hw/boot_order.h"
#include "rhea/softmmu/firmware.h"
#include "rhea/util/log.h"
#include "softmmu/boot_options.h"

namespace rhea::hw {
namespace {

constexpr const char* kOrderFile = "bootorder";
constexpr u64 kLargestSplash = 32 * MiB;

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

Result<> add_splash(Machine& machine, FwCfg& fw_cfg, const std::string& file) {
  const std::string path = TRY(find_firmware(machine, file));
  std::vector<u8> image = TRY(read_file(path, kLargestSplash));
  const std::string_view name = splash_name(image);
  // The machine starts without it, as QEMU's does.
  if (name.empty()) {
    report_warning(
        fmt::format("-boot splash={}: format not recognized; must be JPEG or 24 bit BMP", file));
    return {};
  }
  fw_cfg.add_file(std::string(name), std::move(image));
  return {};
}

}  // namespace

Result<> add_boot_files(Machine& machine, FwCfg& fw_cfg) {
  const auto& options = machine.service<BootOptions>();
  fw_cfg.add_number(fw_cfg_key::kBootMenu, options.menu ? 1 : 0, 2);
  if (!options.splash.empty()) {
    auto added = add_splash(machine, fw_cfg, options.splash);
    if (!added)
      return std::unexpected(std::move(added).error().within("-boot splash=" + options.splash));
  }
  if (options.splash_ms)
    fw_cfg.add_file("etc/boot-menu-wait", little_endian(*options.splash_ms, 2));
  fw_cfg.add_file("etc/boot-fail-wait",
                  little_endian(static_cast<u32>(options.reboot_timeout_ms.value_or(-1)), 4));
  fw_cfg.add_file(kOrderFile, {});
  machine.on_reset([&machine, &fw_cfg](ResetKind) {
    fw_cfg.replace_file(kOrderFile,
                        machine.service<BootOrder>().file(machine.service<BootOptions>().strict));
  });
  return {};
}

}  // namespace rhea::hw
