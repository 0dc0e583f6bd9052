// SPDX-License-Identifier: GPL-2.0-or-later
// By which a guest's kernel tells of its own end, on the ISA bus.
#include "hw/misc/pvpanic_isa.h"

#include "hw/misc/pvpanic.h"
#include "rhea/hw/fw_cfg.h"

namespace rhea::hw {

void PvpanicIsa::describe(Schema<PvpanicIsa>& s) {
  s.help("port by which a guest tells that it panicked");
  s.property("ioport", &PvpanicIsa::port_, u16{0x505}).help("I/O port");
  s.property("events", &PvpanicIsa::events_, PanicEvents::kAll)
      .help("which events the guest is told there are: 1 panicked, 2 crash kernel loaded");
  s.registers(&PvpanicIsa::bank_, [](auto reg) {
     return reg.bank({.name = "pvpanic", .size = 1, .sizes = {.min = 1, .max = 1}},
                     reg("EVENTS", 0, 1)
                         .read_by(&PvpanicIsa::supported)
                         .write_by(&PvpanicIsa::told)
                         .field("PANICKED", PanicEvents::kPanicked)
                         .field("CRASH_LOADED", PanicEvents::kCrashLoaded));
   }).at_port(&PvpanicIsa::port_);
}

std::optional<u16> PvpanicIsa::port_of(Machine& machine) {
  std::optional<u16> found;
  machine.visit([&found](Object& object) {
    const auto* device = dynamic_cast<const PvpanicIsa*>(&object);
    if (device != nullptr && device->is_realized() && !found) found = device->port_;
  });
  return found;
}

Result<> PvpanicIsa::realize() {
  constexpr std::string_view kPortFile = "etc/pvpanic-port";
  FwCfg* const fw_cfg = FwCfg::of(machine());
  if (fw_cfg == nullptr) return {};
  fw_cfg->replace_file(kPortFile, {static_cast<u8>(port_), static_cast<u8>(port_ >> 8)});
  return {};
}

void PvpanicIsa::told(u8 events) { PanicEvents::told(machine(), events); }

namespace {
const RegisterType<PvpanicIsa> registration;
}  // namespace

}  // namespace rhea::hw
