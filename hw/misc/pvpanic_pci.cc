// SPDX-License-Identifier: GPL-2.0-or-later
// By which a guest's kernel tells of its own end, on the PCI bus.
#include "hw/misc/pvpanic.h"
#include "rhea/hw/pci.h"
#include "rhea/softmmu/registers.h"

namespace rhea::hw {
namespace {

/// The register of the device pvpanic in a memory BAR (spec: QEMU's docs/specs/pvpanic). State:
/// none. Missing: nothing.
class PvpanicPci final : public PciDevice {
 public:
  static constexpr std::string_view kName = "pvpanic-pci";
  static constexpr PciIdentity kPci{
      .vendor = 0x1b36, .device = 0x0011, .klass = 0x088000, .revision = 1};
  static void describe(Schema<PvpanicPci>& s) {
    s.help("register by which a guest tells that it panicked");
    s.property("events", &PvpanicPci::events_, PanicEvents::kAll)
        .help("which events the guest is told there are: 1 panicked, 2 crash kernel loaded");
    s.registers(&PvpanicPci::bank_, [](auto reg) {
       return reg.bank({.name = "pvpanic-pci", .size = 16, .elsewhere = 0},
                       reg("EVENTS", 0, 1)
                           .read_by(&PvpanicPci::supported)
                           .write_by(&PvpanicPci::told)
                           .field("PANICKED", PanicEvents::kPanicked)
                           .field("CRASH_LOADED", PanicEvents::kCrashLoaded));
     }).bar(0);
  }

 private:
  u8 supported() const { return events_; }
  void told(u8 events) { PanicEvents::told(machine(), events); }

  u8 events_{};
  RegisterBank bank_;
};

const RegisterType<PvpanicPci> registration;

}  // namespace
}  // namespace rhea::hw
