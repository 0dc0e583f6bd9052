// SPDX-License-Identifier: GPL-2.0-or-later
// A whole PCI device in one small file: one BAR, two registers, one interrupt, snapshots.
#include "rhea/hw/pci.h"
#include "rhea/util/log.h"

namespace example {
namespace {

using namespace rhea;

/// A doorbell that counts. Writing to 0x00 rings: the count grows and the interrupt comes; reading
/// 0x00 gives the count. Writing to 0x04 takes the interrupt away; reading 0x04 tells whether it is
/// there. State: complete. Missing: nothing.
class MinimalPci final : public PciDevice {
 public:
  static constexpr std::string_view kName = "minimal-pci";
  static constexpr PciIdentity kPci{.vendor = 0x1b36, .device = 0x7e57, .klass = 0xff0000};
  static void describe(Schema<MinimalPci>& s) {
    s.help("doorbell that counts, an example");
    s.property("step", &MinimalPci::step_, u32{1}).range(1, 100).help("what one ring adds");
    s.state("count", &MinimalPci::count_);
  }

  MinimalPci() { set_identity(kPci); }

  Result<> realize() override {
    TRY(PciDevice::realize());
    set_interrupt_pin(1);
    constexpr AccessSizes kDwords{.min = 4, .max = 4};
    registers_.init_io(*this, "minimal-pci", 16,
                       io<&MinimalPci::read, &MinimalPci::write>(kDwords));
    bar(0, registers_);
    return {};
  }
  void reset(ResetKind) override { count_ = 0; }

 private:
  u64 read(u64 offset, unsigned) { return offset == 0 ? count_ : u64{intx_level()}; }

  void write(u64 offset, u64 value, unsigned) {
    if (offset > 4) return log_guest(kName, "write of {:#x} to {:#x}", value, offset);
    if (offset == 0) count_ += step_;
    set_intx(offset == 0);
  }

  u32 step_{};
  u32 count_{};
  Region registers_;
};

const RegisterType<MinimalPci> registration;

}  // namespace
}  // namespace example
