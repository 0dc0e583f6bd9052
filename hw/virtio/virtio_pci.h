// SPDX-License-Identifier: GPL-2.0-or-later
// Virtio devices on PCI (OASIS Virtual I/O Device 1.2, 4.1): modern, legacy and transitional ones.
#pragma once

#include "hw/virtio/queue_service.h"
#include "rhea/hw/pci.h"
#include "rhea/softmmu/posted.h"
#include "rhea/softmmu/registers.h"

#include <atomic>

namespace rhea::hw {

/// Which interfaces a type has, whatever its properties say.
enum class VirtioInterfaces : u8 { AsAsked, Transitional, ModernOnly };

/// How many MSI-X vectors a type usually has: one for each queue, and one for the configuration.
inline constexpr u32 kVectorPerQueue = ~u32{0};

/// Base of virtio's PCI devices, which have a function beside it (virtio_pci_types.h).
/// Everything runs in a lock domain of the device's own. BAR 0: legacy registers, BAR 1: MSI-X, BAR
/// 2: notifications by port, BAR 4: modern registers, as QEMU's. State: complete.
/// Missing: PCI Express (ats, aer and their like), VIRTIO_F_NOTIFICATION_DATA, SR-IOV, shared
/// memory, administration.
class VirtioPci : public PciDevice, private VirtioTransport {
 public:
  static constexpr std::string_view kName = "virtio-pci";
  using Extendable = VirtioPci;
  static void describe(Schema<VirtioPci>& s);

  void config_write(unsigned reg, u32 value, unsigned size) override;
  u32 config_read(unsigned reg, unsigned size) override;

 protected:
  /// `vectors`: how many MSI-X vectors it has unless the user says otherwise.
  VirtioPci(VirtioFunction& function, u32 vectors, VirtioInterfaces interfaces);
  Result<> realize() override;
  void reset(ResetKind kind) override;
  Result<> post_load(unsigned version) override;
  void release() override;

 private:
  static constexpr u32 kUsualVectors = ~u32{0};

  // Making it.
  Result<> choose_interfaces();
  void identify();
  Result<> start_function();
  Result<> make_modern();
  void add_capabilities();
  Result<> make_legacy();
  Result<> make_vectors();
  Result<> make_doorbells();
  u64 notify_bytes() const { return page_per_queue_ ? u64{4 * KiB} : u64{4}; }

  // Common configuration (4.1.4.3).
  u32 device_feature() const { return core_.offered_word(device_feature_select_); }
  u32 driver_feature() const { return core_.accepted_word(driver_feature_select_); }
  void write_driver_feature(u32 value) { core_.accept_word(driver_feature_select_, value); }
  u16 config_vector() const { return core_.config_vector(); }
  void write_config_vector(u16 vector) { core_.set_config_vector(usable(vector)); }
  u16 num_queues() const { return core_.queues(); }
  u8 device_status() const { return core_.status(); }
  void write_device_status(u8 status) { core_.write_status(status); }
  u8 config_generation() const { return core_.generation(); }
  u16 queue_size() const;
  void write_queue_size(u16 entries) { core_.resize_queue(queue_select_, entries); }
  u16 queue_vector() const;
  void write_queue_vector(u16 vector);
  u16 queue_enabled() const;
  void write_queue_enable(u16 on);
  u16 queue_notify_offset() const { return selected() != nullptr ? queue_select_ : u16{0}; }
  u16 queue_reset() const { return 0; }
  void write_queue_reset(u16 on);
  u64 queue_area(VirtQueue::Area area) const;
  void write_queue_area(VirtQueue::Area area, u64 address) {
    core_.place_queue(queue_select_, area, address);
  }
  u64 queue_descriptors() const { return queue_area(VirtQueue::Area::Descriptors); }
  u64 queue_driver() const { return queue_area(VirtQueue::Area::Driver); }
  u64 queue_device() const { return queue_area(VirtQueue::Area::Device); }
  void write_queue_descriptors(u64 at) { write_queue_area(VirtQueue::Area::Descriptors, at); }
  void write_queue_driver(u64 at) { write_queue_area(VirtQueue::Area::Driver, at); }
  void write_queue_device(u64 at) { write_queue_area(VirtQueue::Area::Device, at); }
  u8 interrupt_status() { return core_.take_interrupt_status(); }
  VirtQueue* selected() const { return core_.find_queue(queue_select_); }
  u16 usable(u16 vector) const;

  // Regions without registers of their own.
  u64 read_function(u64 offset, unsigned size) { return core_.read_config(offset, size); }
  void write_function(u64 offset, u64 value, unsigned size) {
    core_.write_config(offset, value, size);
  }
  u64 read_notify(u64, unsigned) { return 0; }
  void write_notify(u64 offset, u64 value, unsigned size);
  void write_notify_port(u64 offset, u64 value, unsigned size);

  // Legacy registers (4.1.4.10).
  u32 legacy_features() const { return core_.offered_to_old(); }
  u32 legacy_accepted() const { return core_.accepted_word(0); }
  void write_legacy_features(u32 value) { core_.accept_of_old(value); }
  u16 queue_select() const { return queue_select_; }
  void write_queue_select(u16 number) { queue_select_ = number; }
  u32 legacy_queue_page() const;
  void write_legacy_queue_page(u32 page);
  void write_legacy_notify(u16 queue) { core_.notify(queue); }
  void write_legacy_status(u8 status);
  u64 read_legacy_rest(u64 offset, unsigned size);
  void write_legacy_rest(u64 offset, u64 value, unsigned size);

  // Access through configuration space (4.1.4.9).
  Region* window(u64& offset, unsigned size);
  bool touches_window(unsigned reg, unsigned size) const;

  const DmaMaster& virtio_memory() const override { return dma(); }
  void interrupt(u8 causes, u16 vector) override;
  void lower_interrupt() override { set_intx(false); }
  void notify_later(u16 number) override { service_.later(number); }

  LockDomain domain_{LockDomain::Kind::Device};
  VirtioFunction* function_;
  mutable VirtioCore core_;
  u32 usual_vectors_;
  VirtioInterfaces interfaces_;

  OnOffAuto disable_legacy_{};
  bool disable_modern_{}, ioeventfd_{}, port_notify_{}, page_per_queue_{};
  u32 vectors_{};
  bool legacy_{}, modern_{};  ///< which interfaces there are
  u8 window_cap_{0};

  u32 device_feature_select_{0}, driver_feature_select_{0};
  u16 queue_select_{0};
  std::atomic<bool> msix_on_{false};

  RegisterBank common_, interrupt_region_, legacy_region_;
  Region modern_region_, function_region_, notify_region_, port_notify_region_;
  QueueService service_;
  Posted master_;
};

}  // namespace rhea::hw
