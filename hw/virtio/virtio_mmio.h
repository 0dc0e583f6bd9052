// SPDX-License-Identifier: GPL-2.0-or-later
// The transport of virtio devices by registers in memory (OASIS Virtual I/O Device 1.2, 4.2), and
// the bus that it provides.
#pragma once

#include "hw/virtio/virtio_core.h"
#include "rhea/hw/boot_order.h"
#include "rhea/softmmu/posted.h"
#include "rhea/softmmu/registers.h"

#include <algorithm>
#include <memory>
#include <vector>

namespace rhea::hw {

/// Has room for one device.
class VirtioBus final : public Bus {
 public:
  static constexpr std::string_view kName = "virtio-mmio-bus";
  std::string_view kind() const override { return "virtio-bus"; }
  bool is_full() const override { return !devices().empty(); }
};

/// Spec: OASIS Virtual I/O Device 1.2, 4.2: 512 bytes of registers from 0xfeb00000 + 512 * `number`
/// on, of version 2 or, with force-legacy, of version 1 (4.2.4) alone; a level-triggered interrupt;
/// one device on the bus virtio-mmio-bus.NUMBER. Where there is none, its number reads as zero.
/// Transport and device run in a lock domain of their own. State: complete. Missing: shared memory,
/// VIRTIO_F_NOTIFICATION_DATA; of QEMU's: format_transport_address.
class VirtioMmio final : public Device, public FirmwareNamed {
 public:
  static constexpr std::string_view kName = "virtio-mmio";
  static constexpr u64 kBase = 0xfeb0'0000, kBytes = 0x200, kNotifyAt = 0x50;
  static constexpr unsigned kMost = 32;  ///< transports on a board
  static void describe(Schema<VirtioMmio>& s);
  VirtioMmio();

  std::string firmware_name() const override;

  // For the device on its bus.
  /// What both run in.
  const std::shared_ptr<LockDomain>& domain() const { return domain_; }
  bool legacy() const { return force_legacy_; }
  bool ioeventfd() const { return ioeventfd_; }
  const DmaMaster& dma() const { return dma_; }
  void set_interrupt(bool level) { line_.set(level); }
  Region& registers() { return bank_; }
  /// In the domain. The device, with all its queues, or null when it goes.
  void carry(VirtioCore* core);

 protected:
  Result<> realize() override;
  void reset(ResetKind kind) override;

 private:
  u64 address() const { return kBase + kBytes * number_; }
  bool speaks(bool legacy, std::string_view what) const;
  u16 selected_number() const { return static_cast<u16>(std::min(queue_select_, u32{0xffff})); }
  VirtQueue* selected() const;

  u32 version() const { return force_legacy_ ? 1 : 2; }
  u32 device_id() const { return core_ != nullptr ? core_->kind().id : 0; }
  u32 device_features() const;
  void write_driver_features(u32 value);
  u32 most_entries() const;
  void write_entries(u32 entries);
  u32 queue_ready() const;
  void write_queue_ready(u32 on);
  void write_notify(u32 queue);
  u32 interrupt_status() const { return core_ != nullptr ? core_->interrupt_status() : 0; }
  void write_interrupt_ack(u32 causes);
  u32 status() const { return core_ != nullptr ? core_->status() : 0; }
  void write_status(u32 status);
  void write_area(VirtQueue::Area area, unsigned shift, u32 half);
  template <VirtQueue::Area A, unsigned Shift>
  void write_area_half(u32 half) {
    write_area(A, Shift, half);
  }
  u32 queue_reset() const { return 0; }
  void write_queue_reset(u32 on);
  u32 config_generation() const { return core_ != nullptr ? core_->generation() : 0; }
  u64 read_config(u64 offset, unsigned size);
  void write_config(u64 offset, u64 value, unsigned size);

  // Version 1 alone.
  void write_page_bytes(u32 bytes);
  void write_align(u32 bytes);
  u32 queue_page() const;
  void write_queue_page(u32 page);

  std::shared_ptr<LockDomain> domain_ = std::make_shared<LockDomain>(LockDomain::Kind::Device);
  u32 number_{};
  bool force_legacy_{}, ioeventfd_{};
  DmaMaster dma_;
  VirtioCore* core_{};  ///< of the device that it carries

  u32 device_features_select_{0}, driver_features_select_{0}, queue_select_{0}, memory_select_{0};
  u32 page_bytes_{0};                ///< the driver's pages; 0: it has not said
  std::vector<u8> align_exponents_;  ///< of each queue's used ring
  IrqOutput irq_;
  PostedLine line_;
  RegisterBank bank_;
};

}  // namespace rhea::hw
