// SPDX-License-Identifier: GPL-2.0-or-later
// A whole PCI device in one small file: one BAR, two registers, one interrupt, snapshots.
#include "rhea/hw/pci.h"
#include "rhea/softmmu/registers.h"

namespace {

using namespace rhea;

/// A doorbell that counts. State: complete. Missing: nothing.
class MinimalPci final : public PciDevice {
 public:
  static constexpr std::string_view kName = "minimal-pci";
  static constexpr PciIdentity kPci{
      .vendor = 0x1b36, .device = 0x7e57, .klass = 0xff0000, .interrupt_pin = 1};
  static void describe(Schema<MinimalPci>& s) {
    s.help("doorbell that counts, an example");
    s.property("step", &MinimalPci::step_, u32{1}).range(1, 100).help("what one ring adds");
    s.registers(&MinimalPci::bank_, [](auto reg) {
       return reg.bank(
           {.sizes = {.min = 4, .max = 4}},
           reg("RING", 0x00, &MinimalPci::count_).write_by(&MinimalPci::ring),
           reg("QUIET", 0x04, 4).read_by(&MinimalPci::rings).write_by(&MinimalPci::quiet));
     }).bar(0);
  }

 private:
  void ring() {
    count_ += step_;
    set_intx(true);
  }
  u32 rings() const { return u32{intx_level()}; }
  void quiet() { set_intx(false); }
  u32 step_{}, count_{};
  RegisterBank bank_;
};
const RegisterType<MinimalPci> registration;

}  // namespace
