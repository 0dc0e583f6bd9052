// SPDX-License-Identifier: GPL-2.0-or-later
// The legacy registers of virtio's PCI devices, and the window onto the modern ones in
// configuration space (OASIS Virtual I/O Device 1.2, 4.1.4.10 and 4.1.4.9).
#include "hw/virtio/pci_layout.h"
#include "hw/virtio/virtio_pci.h"

namespace rhea::hw {

using namespace virtio_pci;

u32 VirtioPci::legacy_queue_page() const {
  const VirtQueue* const queue = selected();
  if (queue == nullptr) return 0;
  return static_cast<u32>(queue->address(VirtQueue::Area::Descriptors) >> kLegacyPageShift);
}

void VirtioPci::write_legacy_queue_page(u32 page) {
  if (page == 0) return core_.reset();
  VirtQueue* const queue = selected();
  if (queue == nullptr || queue->enabled()) return;
  queue->set_legacy_address(u64{page} << kLegacyPageShift, kLegacyAlign);
  queue->enable();
}

// Linux before 2.6.34 forgets to make the device a bus master.
void VirtioPci::write_legacy_status(u8 status) {
  core_.write_status(status);
  if (status == (VirtioCore::kAcknowledge | VirtioCore::kDriver)) master_.post();
}

// With MSI-X on, two vectors stand before the configuration of the function.
u64 VirtioPci::read_legacy_rest(u64 offset, unsigned size) {
  const u64 at = offset + kLegacyRest;
  if (!msix_on_) return read_function(at - kLegacyPlain, size);
  if (at >= kLegacyMsix) return read_function(at - kLegacyMsix, size);
  const u64 vectors = u64{core_.config_vector()} | u64{queue_vector()} << 16;
  return vectors >> (8 * offset);
}

void VirtioPci::write_legacy_rest(u64 offset, u64 value, unsigned size) {
  const u64 at = offset + kLegacyRest;
  if (!msix_on_) return write_function(at - kLegacyPlain, value, size);
  if (at >= kLegacyMsix) return write_function(at - kLegacyMsix, value, size);
  if (offset == 0 && size >= 2) write_config_vector(static_cast<u16>(value));
  if (offset == 2 && size == 2) write_queue_vector(static_cast<u16>(value));
  if (offset == 0 && size == 4) write_queue_vector(static_cast<u16>(value >> 16));
}

bool VirtioPci::touches_window(unsigned reg, unsigned size) const {
  const unsigned data = window_cap_ + kCapData;
  return modern_ && window_cap_ != 0 && reg < data + 4 && reg + size > data;
}

/// The region that the window shows, and where in it; null when it shows none.
Region* VirtioPci::window(u64& offset, unsigned size) {
  const u8 number = config8(window_cap_ + kCapBar);
  offset = config32(window_cap_ + kCapOffset);
  if ((size != 1 && size != 2 && size != 4) || offset % size != 0) return nullptr;
  struct Part {
    Region* region;
    unsigned bar;
    u64 at;
  };
  const std::array<Part, 6> parts{{{&common_, kModernBar, kCommon},
                                   {&interrupt_region_, kModernBar, kInterrupt},
                                   {&function_region_, kModernBar, kFunction},
                                   {&notify_region_, kModernBar, kNotify},
                                   {&port_notify_region_, kPortNotifyBar, 0},
                                   {&legacy_region_, kLegacyBar, 0}}};
  for (const Part& part : parts) {
    if (part.bar != number || !part.region->initialised() || offset < part.at) continue;
    const auto bytes = static_cast<u64>(part.region->size());
    if (offset - part.at >= bytes || size > bytes - (offset - part.at)) continue;
    offset -= part.at;
    return part.region;
  }
  return nullptr;
}

u32 VirtioPci::config_read(unsigned reg, unsigned size) {
  if (touches_window(reg, size)) {
    Access access{.size = config32(window_cap_ + kCapLength)};
    if (Region* const region = window(access.offset, access.size); region != nullptr) {
      (void)region->dispatch(access, false);
      config_put32(window_cap_ + kCapData, static_cast<u32>(access.value));
    }
  }
  return PciDevice::config_read(reg, size);
}

void VirtioPci::config_write(unsigned reg, u32 value, unsigned size) {
  const bool was_master = dma().enabled();
  PciDevice::config_write(reg, value, size);
  msix_on_ = msix_enabled();
  if (touches_window(reg, size)) {
    Access access{.size = config32(window_cap_ + kCapLength),
                  .value = config32(window_cap_ + kCapData)};
    Region* const region = window(access.offset, access.size);
    if (region != nullptr) (void)region->dispatch(access, true);
  }
  if (was_master || !dma().enabled()) return;
  const DomainGuard guard(&domain_);
  core_.serve_kicked();
}

}  // namespace rhea::hw
