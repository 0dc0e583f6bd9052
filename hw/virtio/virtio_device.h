// SPDX-License-Identifier: GPL-2.0-or-later
// Virtio devices on a bus of their own, whose transport is another device.
#pragma once

#include "hw/virtio/queue_service.h"
#include "hw/virtio/virtio_mmio.h"

namespace rhea::hw {

/// Base of the devices on a virtio-bus. It runs in its transport's lock domain. State: complete.
class VirtioDevice : public Device, private VirtioTransport {
 public:
  static constexpr std::string_view kName = "virtio-device";
  static constexpr std::string_view kBus = "virtio-bus";
  using Extendable = VirtioDevice;
  static void describe(Schema<VirtioDevice>& s);

 protected:
  explicit VirtioDevice(VirtioFunction& function) : function_(&function), core_(*this, function) {}
  Result<> realize() override;
  void reset(ResetKind kind) override;
  Result<> post_load(unsigned version) override;
  void release() override { service_.stop(); }

 private:
  Result<> start_function();
  Result<> make_doorbells();
  const DmaMaster& virtio_memory() const override { return mmio_->dma(); }
  void interrupt(u8 causes, u16 vector) override;
  void lower_interrupt() override { mmio_->set_interrupt(false); }
  void notify_later(u16 number) override { service_.later(number); }

  std::shared_ptr<LockDomain> domain_;
  VirtioMmio* mmio_{};  ///< from realize() on
  VirtioFunction* function_;
  VirtioCore core_;
  QueueService service_;
};

/// A device that does what Row::Function does; Row::kName and Row::kHelp say what it is.
template <class Row>
class VirtioDeviceType final : public VirtioDevice, public Row::Function {
 public:
  static constexpr std::string_view kName = Row::kName;
  static void describe(Schema<VirtioDeviceType>& s) {
    s.help(Row::kHelp);
    Row::Function::declare(s);
  }
  VirtioDeviceType() : VirtioDevice(static_cast<VirtioFunction&>(*this)) {}
};

}  // namespace rhea::hw
