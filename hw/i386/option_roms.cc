// SPDX-License-Identifier: GPL-2.0-or-later
// Option ROMs as firmware gets them, and -option-rom.
#include "hw/i386/option_roms.h"

#include "rhea/hw/boot_order.h"
#include "rhea/softmmu/firmware.h"
#include "rhea/util/keyval.h"
#include "rhea/util/option.h"

#include <algorithm>
#include <array>
#include <numeric>

extern "C" {
extern const rhea::u8 rom_linuxboot[], rom_linuxboot_end[];
extern const rhea::u8 rom_multiboot[], rom_multiboot_end[];
extern const rhea::u8 rom_pvh[], rom_pvh_end[];
}

namespace rhea::hw {
namespace {

constexpr u64 kLargestRom = 128 * KiB;
constexpr unsigned kPnpPointer = 0x1a, kPnpSize = 32, kPnpChecksum = 9;

struct Rom {
  std::string_view name;
  const u8* begin;
  const u8* end;
};
const std::array kRoms = {
    Rom{.name = "linuxboot", .begin = rom_linuxboot, .end = rom_linuxboot_end},
    Rom{.name = "multiboot", .begin = rom_multiboot, .end = rom_multiboot_end},
    Rom{.name = "pvh", .begin = rom_pvh, .end = rom_pvh_end},
};

// Makes the bytes sum to zero by one of them.
void seal(std::span<u8> bytes, std::size_t at) {
  bytes[at] = 0;
  bytes[at] = static_cast<u8>(-std::accumulate(bytes.begin(), bytes.end(), 0));
}

Result<> option_rom(Machine& machine, const std::string& text) {
  KeyValues options = TRY(KeyValues::parse(text, "romfile"));
  const std::string path = options.take("romfile").value_or("");
  const auto index_text = options.take("bootindex");
  TRY(options.expect_empty("-option-rom"));
  const i64 index =
      index_text ? TRY(parse_signed(*index_text, {.min = -0x8000'0000LL, .max = 0x7fff'ffff})) : -1;
  const std::string found = TRY(find_firmware(machine, path));
  std::vector<u8> image = TRY(read_file(found, kLargestRom));
  FwCfg* fw_cfg = FwCfg::of(machine);
  if (fw_cfg == nullptr) return fail("the board has no fw_cfg");
  const std::string name = path.substr(path.rfind('/') + 1);
  TRY(add_option_rom(*fw_cfg, name, std::move(image)));
  if (index < 0) return {};
  return machine.service<BootOrder>().join(&machine, static_cast<i32>(index), nullptr,
                                           "/rom@genroms/" + name);
}

const RegisterOption option{{.name = "option-rom",
                             .argument = "file[,bootindex=n]",
                             .help = "an option ROM that the firmware runs when it starts",
                             .phase = StartPhase::Devices,
                             .apply = &option_rom}};

}  // namespace

std::vector<u8> kernel_rom(std::string_view name) {
  const auto rom = std::ranges::find(kRoms, name, &Rom::name);
  RHEA_ASSERT(rom != kRoms.end());
  std::vector<u8> image(rom->begin, rom->end);
  const unsigned pnp = image[kPnpPointer] | static_cast<unsigned>(image[kPnpPointer + 1]) << 8;
  seal(std::span(image).subspan(pnp, kPnpSize), kPnpChecksum);
  seal(image, image.size() - 1);
  return image;
}

Result<> add_option_rom(FwCfg& fw_cfg, std::string_view name, std::vector<u8> image) {
  std::string file = fmt::format("genroms/{}", name);
  if (image.size() < 512 || image[0] != 0x55 || image[1] != 0xaa || image[2] * 512U > image.size())
    return fail("'{}' is no option ROM", name);
  if (file.size() > FwCfg::kLongestName) return fail("'{}': the name is too long", name);
  if (fw_cfg.has_file(file)) return fail("there is already a ROM '{}'", name);
  if (!fw_cfg.has_room()) return fail("too many fw_cfg files");
  fw_cfg.add_file(std::move(file), std::move(image));
  return {};
}

}  // namespace rhea::hw
