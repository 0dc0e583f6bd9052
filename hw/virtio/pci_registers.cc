// SPDX-License-Identifier: GPL-2.0-or-later
// The registers of virtio's PCI devices: modern (OASIS Virtual I/O Device 1.2, 4.1.4.3 to 4.1.4.9).
#include "hw/virtio/pci_layout.h"
#include "hw/virtio/status_fields.h"
#include "hw/virtio/virtio_pci.h"

namespace rhea::hw {

using namespace virtio_pci;

void VirtioPci::describe(Schema<VirtioPci>& s) {
  s.property("disable-legacy", &VirtioPci::disable_legacy_, OnOffAuto::Auto)
      .help("no legacy interface; auto: there is one");
  s.property("disable-modern", &VirtioPci::disable_modern_, false)
      .help("the legacy interface alone");
  s.property("ioeventfd", &VirtioPci::ioeventfd_, true)
      .help("serve notifications on an I/O thread");
  s.property("vectors", &VirtioPci::vectors_, kUsualVectors)
      .help("MSI-X vectors; 0: no MSI-X; all ones: as many as fit the device");
  s.property("modern-pio-notify", &VirtioPci::port_notify_, false)
      .help("a port for notifications, too");
  s.property("page-per-vq", &VirtioPci::page_per_queue_, false)
      .help("a page for the notifications of each queue");
  declare_features<VirtioPci>(s, kVirtioFeatures,
                              [](VirtioPci& self) -> u64& { return self.core_.offered(); });
  s.registers(&VirtioPci::common_, [](auto reg) {
    return reg.bank({.name = "virtio-pci-common",
                     .size = kPartBytes,
                     .sizes = {.min = 1, .max = 8},
                     .elsewhere = 0},
                    reg("device_feature_select", 0x00, &VirtioPci::device_feature_select_),
                    reg("device_feature", 0x04, 4).read_by(&VirtioPci::device_feature),
                    reg("driver_feature_select", 0x08, &VirtioPci::driver_feature_select_),
                    reg("driver_feature", 0x0c, 4)
                        .read_by(&VirtioPci::driver_feature)
                        .write_by(&VirtioPci::write_driver_feature),
                    reg("config_msix_vector", 0x10, 2)
                        .read_by(&VirtioPci::config_vector)
                        .write_by(&VirtioPci::write_config_vector),
                    reg("num_queues", 0x12, 2).read_by(&VirtioPci::num_queues),
                    with_status_fields(reg("device_status", 0x14, 1)
                                           .read_by(&VirtioPci::device_status)
                                           .write_by(&VirtioPci::write_device_status)),
                    reg("config_generation", 0x15, 1).read_by(&VirtioPci::config_generation),
                    reg("queue_select", 0x16, &VirtioPci::queue_select_),
                    reg("queue_size", 0x18, 2)
                        .read_by(&VirtioPci::queue_size)
                        .write_by(&VirtioPci::write_queue_size),
                    reg("queue_msix_vector", 0x1a, 2)
                        .read_by(&VirtioPci::queue_vector)
                        .write_by(&VirtioPci::write_queue_vector),
                    reg("queue_enable", 0x1c, 2)
                        .read_by(&VirtioPci::queue_enabled)
                        .write_by(&VirtioPci::write_queue_enable),
                    reg("queue_notify_off", 0x1e, 2).read_by(&VirtioPci::queue_notify_offset),
                    reg("queue_desc", 0x20, 8)
                        .read_by(&VirtioPci::queue_descriptors)
                        .write_by(&VirtioPci::write_queue_descriptors),
                    reg("queue_driver", 0x28, 8)
                        .read_by(&VirtioPci::queue_driver)
                        .write_by(&VirtioPci::write_queue_driver),
                    reg("queue_device", 0x30, 8)
                        .read_by(&VirtioPci::queue_device)
                        .write_by(&VirtioPci::write_queue_device),
                    reg("queue_notify_data", 0x38, 2).read_by(&VirtioPci::queue_notify_offset),
                    reg("queue_reset", 0x3a, 2)
                        .read_by(&VirtioPci::queue_reset)
                        .write_by(&VirtioPci::write_queue_reset));
  });
  s.registers(&VirtioPci::interrupt_region_, [](auto reg) {
    return reg.bank({.name = "virtio-pci-isr", .size = kPartBytes, .elsewhere = 0},
                    reg("isr_status", 0, 1)
                        .read_by(&VirtioPci::interrupt_status)
                        .field("QUEUE", VirtioCore::kQueueInterrupt)
                        .field("CONFIGURATION", VirtioCore::kConfigInterrupt));
  });
  s.registers(&VirtioPci::legacy_region_, [](auto reg) {
    return reg.bank({.name = "virtio-pci-legacy", .size = kPartBytes},
                    reg("legacy_device_features", 0x00, 4).read_by(&VirtioPci::legacy_features),
                    reg("legacy_driver_features", 0x04, 4)
                        .read_by(&VirtioPci::legacy_accepted)
                        .write_by(&VirtioPci::write_legacy_features),
                    reg("legacy_queue_address", 0x08, 4)
                        .read_by(&VirtioPci::legacy_queue_page)
                        .write_by(&VirtioPci::write_legacy_queue_page)
                        .help("a page's number; 0 resets the device"),
                    reg("legacy_queue_size", 0x0c, 2).read_by(&VirtioPci::queue_size),
                    reg("legacy_queue_select", 0x0e, 2)
                        .read_by(&VirtioPci::queue_select)
                        .write_by(&VirtioPci::write_queue_select),
                    reg("legacy_queue_notify", 0x10, 2).write_by(&VirtioPci::write_legacy_notify),
                    reg("legacy_device_status", 0x12, 1)
                        .read_by(&VirtioPci::device_status)
                        .write_by(&VirtioPci::write_legacy_status),
                    reg("legacy_isr_status", 0x13, 1).read_by(&VirtioPci::interrupt_status),
                    reg.range("legacy_rest", kLegacyRest, kPartBytes - kLegacyRest,
                              &VirtioPci::read_legacy_rest, &VirtioPci::write_legacy_rest));
  });
  s.state("virtio", &VirtioPci::core_);
}

/// A vector that there is not is none (4.1.5.1.2).
u16 VirtioPci::usable(u16 vector) const {
  return vector < msix_vectors() ? vector : VirtQueue::kNoVector;
}

u16 VirtioPci::queue_size() const {
  const VirtQueue* const queue = selected();
  return queue != nullptr ? queue->entries() : u16{0};
}

u16 VirtioPci::queue_vector() const {
  const VirtQueue* const queue = selected();
  return queue != nullptr ? queue->vector() : VirtQueue::kNoVector;
}

void VirtioPci::write_queue_vector(u16 vector) {
  if (VirtQueue* const queue = selected(); queue != nullptr) queue->set_vector(usable(vector));
}

u16 VirtioPci::queue_enabled() const {
  const VirtQueue* const queue = selected();
  return queue != nullptr && queue->enabled() ? 1 : 0;
}

// It goes off by a reset alone (4.1.4.3.2).
void VirtioPci::write_queue_enable(u16 on) {
  VirtQueue* const queue = selected();
  if (queue != nullptr && on == 1) queue->enable();
}

void VirtioPci::write_queue_reset(u16 on) {
  if (on == 1) core_.ask_queue_reset(queue_select_);
}

u64 VirtioPci::queue_area(VirtQueue::Area area) const {
  const VirtQueue* const queue = selected();
  return queue != nullptr ? queue->address(area) : 0;
}

void VirtioPci::write_notify(u64 offset, u64, unsigned) {
  core_.notify(static_cast<u16>(offset / notify_bytes()));
}

void VirtioPci::write_notify_port(u64, u64 value, unsigned) {
  core_.notify(static_cast<u16>(value));
}

}  // namespace rhea::hw
