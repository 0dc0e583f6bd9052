// SPDX-License-Identifier: GPL-2.0-or-later
// A PCI device with one of each: what the bus and the base class are tested with.
#pragma once

#include "rhea/hw/pci.h"
#include "tests/support/bench.h"

namespace rhea::test {

class TestPciDevice final : public PciDevice {
 public:
  static constexpr std::string_view kName = "test-pci";
  static constexpr PciIdentity kPci{
      .vendor = 0x1b36, .device = 0x0005, .klass = 0x058000, .revision = 7};
  static constexpr unsigned kMsixVectors = 70, kMsixTable = 0x800;
  static constexpr unsigned kScratch = 0xc0, kSticky = 0xc4;
  static void describe(Schema<TestPciDevice>&) {}

  Result<> realize() override;

  using PciDevice::config_put8;
  using PciDevice::dma;
  using PciDevice::msi_enabled;
  using PciDevice::msix_vectors;
  using PciDevice::notify_msi;
  using PciDevice::route_msix;
  using PciDevice::set_intx;
  using PciDevice::unroute_msix;
  /// What the wide BAR shows.
  Region& ram() { return wide_; }
  /// Value of a test register that every BAR shows at its offset 0.
  u32 value{};

 private:
  u64 read(u64 offset, unsigned) { return offset == 0 ? value : 0; }
  void write(u64 offset, u64 data, unsigned) {
    if (offset == 0) value = static_cast<u32>(data);
  }
  Region memory_, ports_, wide_;
};

/// BAR 0: 4 KiB of memory; BAR 1: 32 ports; BAR 2 and 3: 64 KiB of 64-bit prefetchable RAM.
inline constexpr unsigned kMemoryBar = 0x10, kPortBar = 0x14, kWideBarLow = 0x18,
                          kWideBarHigh = 0x1c;
/// Where the MSI capability lies: the first one.
inline constexpr unsigned kMsi = 0x40;
/// The second: MSI-X, its table and pending bits in the memory BAR.
inline constexpr unsigned kMsix = 0x50;
/// Then power management, two bytes of the vendor's, PCI Express.
inline constexpr unsigned kPower = 0x5c, kOwn = 0x64, kExpress = 0x6c;

inline TestPciDevice& add_test_device(Bench& bench, const Properties& properties = {}) {
  return static_cast<TestPciDevice&>(bench.add("test-pci", properties));
}

}  // namespace rhea::test
