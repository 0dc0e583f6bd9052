// SPDX-License-Identifier: GPL-2.0-or-later
// The PCI device that the bus and the base class are tested with.
#include "tests/pci/test_device.h"

#include <array>

namespace rhea::test {

Result<> TestPciDevice::realize() {
  TRY(PciDevice::realize());
  constexpr RegionOps ops = io<&TestPciDevice::read, &TestPciDevice::write>();
  memory_.init_io(*this, "test-memory", 0x1000, ops);
  ports_.init_io(*this, "test-ports", 32, ops);
  TRY(wide_.init_ram(this, "test-ram", 64 * KiB));
  TRY(bar(0, memory_));
  TRY(bar(1, ports_, BarKind::Io));
  TRY(bar(2, wide_, BarKind::MemoryPrefetch64));
  set_interrupt_pin(1);
  add_msi(4);
  add_msix(kMsixVectors, 0, kMsixTable);
  add_power_management();
  add_vendor_capability(std::array<u8, 2>{0x42, 0x43});
  add_express(ExpressType::Endpoint);
  config_set32(kScratch, 0x1122'3344, 0x00ff'ff00);
  config_set16(kSticky, 0x00f0);
  config_set_w1c(kSticky, 0x0030);
  return {};
}

namespace {
const RegisterType<TestPciDevice> registration;
}  // namespace

}  // namespace rhea::test
