// SPDX-License-Identifier: GPL-2.0-or-later
// Options that choose which of the board's usual devices there are.
#include "hw/i386/board.h"
#include "rhea/chardev/chardev.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/known_names.h"
#include "rhea/util/option.h"
#include "softmmu/default_devices.h"

#include <algorithm>
#include <array>

namespace rhea::hw {
namespace {

Result<> vga(Machine& machine, const std::string& text) {
  constexpr std::array<std::string_view, 2> known = {"std", "none"};
  if (std::ranges::find(known, text) == known.end())
    return fail("{}", with_remark(fmt::format("-vga {}: there are only std and none", text),
                                  about_unknown(NameKind::Vga, text, {"std", "none"})));
  machine.config.vga = text;
  // Asked for, it stays beside a card that -device names.
  auto& defaults = machine.service<DefaultDevices>();
  defaults.vga_asked = text != "none";
  if (defaults.vga_asked) defaults.vga = true;
  return {};
}

template <const char* Property>
Result<> leave_out(Machine& machine, const std::string&) {
  machine.service<BoardService>().properties.emplace_back(Property, "off");
  return {};
}
constexpr char kAcpi[] = "acpi", kHpet[] = "hpet", kFloppyCheck[] = "fd-bootchk";

// A debug console: the chardev now, the device once the board stands.
Result<> debugcon(Machine& machine, const std::string& text) {
  const Chardev* chardev = TRY(create_chardev_legacy(machine, "debugcon", text));
  auto result = machine.plug("isa-debugcon", {{"chardev", chardev->name()}});
  if (!result) return std::unexpected(std::move(result).error().within("-debugcon " + text));
  return {};
}

const RegisterOption options[] = {
    RegisterOption{{.name = "vga",
                    .argument = "std|none",
                    .help = "the graphics card",
                    .phase = StartPhase::Config,
                    .apply = &vga}},
    RegisterOption{{.name = "no-acpi",
                    .argument = "",
                    .help = "no ACPI tables, as -machine acpi=off",
                    .phase = StartPhase::Config,
                    .apply = &leave_out<kAcpi>}},
    RegisterOption{{.name = "no-hpet",
                    .argument = "",
                    .help = "no HPET, as -machine hpet=off",
                    .phase = StartPhase::Config,
                    .apply = &leave_out<kHpet>}},
    RegisterOption{{.name = "no-fd-bootchk",
                    .argument = "",
                    .help = "the firmware boots floppies without a boot signature, too",
                    .phase = StartPhase::Config,
                    .apply = &leave_out<kFloppyCheck>}},
    RegisterOption{
        {.name = "debugcon",
         .argument = "dev",
         .help =
             "a debug console (port 0xe9; -global isa-debugcon.iobase=0x402 shows SeaBIOS's log)",
         .phase = StartPhase::Devices,
         .apply = &debugcon}},
};

}  // namespace
}  // namespace rhea::hw
