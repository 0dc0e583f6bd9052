// SPDX-License-Identifier: GPL-2.0-or-later
// The smallest device with a register, an interrupt and saved state.
#include "rhea/hw/pci.h"
#include "rhea/softmmu/registers.h"

using namespace rhea;

/// Rings (INTA#) while its register is not 0. State: complete. Missing: nothing.
class Bell final : public PciDevice {
 public:
  static constexpr std::string_view kName = "bell";
  static constexpr PciIdentity kPci{.vendor = 0x1b36, .device = 0x7e58, .interrupt_pin = 1};
  static void describe(Schema<Bell>& s) {
    s.help("interrupts while its register is not 0, an example");
    s.registers(&Bell::bank_, [](auto reg) {
       return reg("RING", 0, &Bell::ring_).after_write(&Bell::update);
     }).bar(0);
  }

 private:
  void update() { set_intx(ring_ != 0); }
  u32 ring_{};
  RegisterBank bank_;
};
const RegisterType<Bell> registration;
