// SPDX-License-Identifier: GPL-2.0-or-later
// The capability list of PCI devices, and what needs no more than registers there: power management
// (PCI Bus Power Management Interface Specification 1.2), a vendor's own (PCI Local Bus
// Specification 3.0, appendix H), PCI Express (PCI Express Base Specification 3.0, 7.8).
#include "rhea/hw/pci.h"

#include <algorithm>

namespace rhea {
namespace {

constexpr u8 kPowerManagement = 0x01, kVendor = 0x09, kExpress = 0x10;

namespace pm {
constexpr unsigned kCapabilities = 2, kControl = 4, kSize = 8;
constexpr u16 kVersion3 = 3, kState = 3, kD3Hot = 3, kNoSoftReset = 8;
}  // namespace pm

namespace express {
constexpr unsigned kCapabilities = 0x02, kDeviceCapabilities = 0x04, kDeviceControl = 0x08,
                   kDeviceStatus = 0x0a, kLinkCapabilities = 0x0c, kLinkControl = 0x10,
                   kLinkStatus = 0x12, kDeviceControl2 = 0x28, kSize = 0x3c;
constexpr u16 kVersion2 = 2;
constexpr u32 kRoleBasedErrors = 1 << 15;
// Error reporting, relaxed ordering, payload, no snoop, read requests; what reset makes of them.
constexpr u16 kControlWritable = 0x78ff, kControlReset = 0x2810;
constexpr u16 kErrorsDetected = 0x000f;
// One lane of 2.5 GT/s.
constexpr u32 kOneLane = 1 << 4 | 1;
constexpr u16 kLinkWritable = 0x00cb, kTimeouts = 0x001f;
}  // namespace express

}  // namespace

u8 PciDevice::add_capability(u8 id, u8 size) {
  const unsigned length = (size + 3U) & ~3U;
  const u8 offset = next_capability_;
  RHEA_ASSERT(base_realized_ && !is_realized() && size >= 2 && offset != 0 &&
              offset + length <= kConfigSize);
  config_set8(offset, id);
  config_set8(last_capability_ == 0 ? pci::kCapabilities : last_capability_ + 1U, offset);
  config_set8(pci::kStatus, reset_value_[pci::kStatus] | pci::kStatusCapabilities);
  last_capability_ = offset;
  next_capability_ = static_cast<u8>(offset + length);
  return offset;
}

u8 PciDevice::add_vendor_capability(std::span<const u8> bytes) {
  const auto size = static_cast<u8>(bytes.size() + 3);
  RHEA_ASSERT(bytes.size() + 3 <= kConfigSize);
  const u8 at = add_capability(kVendor, size);
  config_set8(at + 2U, size);
  for (unsigned i = 0; i < bytes.size(); ++i) config_set8(at + 3U + i, bytes[i]);
  return at;
}

void PciDevice::add_power_management() {
  RHEA_ASSERT(pm_cap_ == 0);
  pm_cap_ = add_capability(kPowerManagement, pm::kSize);
  config_set16(pm_cap_ + pm::kCapabilities, pm::kVersion3);
  config_set16(pm_cap_ + pm::kControl, pm::kNoSoftReset, pm::kState);
}

bool PciDevice::powered() const {
  return pm_cap_ == 0 || (config16(pm_cap_ + pm::kControl) & pm::kState) != pm::kD3Hot;
}

// D1 and D2 are not there: a write of them changes no state (5.4.1 there, PowerState).
void PciDevice::keep_power_state(u16 before) {
  const u16 now = config16(pm_cap_ + pm::kControl);
  const u16 wanted = now & pm::kState;
  if (wanted != 0 && wanted != pm::kD3Hot)
    config_put16(pm_cap_ + pm::kControl,
                 static_cast<u16>((now & ~pm::kState) | (before & pm::kState)));
}

u16 PciDevice::power_control() const {
  return pm_cap_ == 0 ? u16{0} : config16(pm_cap_ + pm::kControl);
}

u8 PciDevice::add_express(ExpressType type) {
  const u8 at = add_capability(kExpress, express::kSize);
  config_set16(at + express::kCapabilities,
               static_cast<u16>(express::kVersion2 | static_cast<unsigned>(type) << 4));
  config_set32(at + express::kDeviceCapabilities, express::kRoleBasedErrors);
  config_set16(at + express::kDeviceControl, express::kControlReset, express::kControlWritable);
  config_set_w1c(at + express::kDeviceStatus, express::kErrorsDetected);
  config_set16(at + express::kDeviceControl2, 0, express::kTimeouts);
  if (type == ExpressType::RootComplexEndpoint) return at;  // which has no link
  config_set32(at + express::kLinkCapabilities, express::kOneLane);
  config_set16(at + express::kLinkControl, 0, express::kLinkWritable);
  config_set16(at + express::kLinkStatus, static_cast<u16>(express::kOneLane));
  return at;
}

}  // namespace rhea
