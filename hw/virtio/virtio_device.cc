// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/virtio/virtio_device.h"

#include "rhea/qom/registry.h"

namespace rhea::hw {

void VirtioDevice::describe(Schema<VirtioDevice>& s) {
  declare_features<VirtioDevice>(s, kVirtioFeatures,
                                 [](VirtioDevice& self) -> u64& { return self.core_.offered(); });
  s.state("virtio", &VirtioDevice::core_);
}

Result<> VirtioDevice::realize() {
  mmio_ = static_cast<VirtioMmio*>(parent_bus()->parent());
  domain_ = mmio_->domain();
  set_lock_domain(*domain_);
  if (mmio_->legacy() && (core_.offered() & virtio::bit(virtio::kAccessPlatform)) != 0)
    return fail(
        "iommu_platform=on: legacy drivers know nothing of it; use -global "
        "virtio-mmio.force-legacy=off");
  constexpr u64 v1 = virtio::bit(virtio::kVersion1);
  core_.offered() = mmio_->legacy() ? core_.offered() & ~v1 : core_.offered() | v1;
  service_.init(*this, core_);
  TRY(start_function());
  return make_doorbells();
}

// What it gets its data from may call it from now on.
Result<> VirtioDevice::start_function() {
  const DomainGuard guard(domain_.get());
  core_.remove_queues();
  TRY(function_->start(*this, core_));
  mmio_->carry(&core_);
  on_unrealize([this] {
    const DomainGuard held(domain_.get());
    mmio_->carry(nullptr);
  });
  return {};
}

// Without them notifications are served in the access.
Result<> VirtioDevice::make_doorbells() {
  if (!TRY(service_.use_thread(*this, mmio_->ioeventfd()))) return {};
  for (u16 number = 0; number < core_.queues(); ++number) {
    const IoEventFd bell{.offset = VirtioMmio::kNotifyAt,
                         .size = 4,
                         .match = true,
                         .value = number,
                         .fd = service_.fd(number)};
    mmio_->registers().add_eventfd(bell);
    on_unrealize([this, bell] { mmio_->registers().remove_eventfd(bell); });
  }
  return {};
}

void VirtioDevice::interrupt(u8 causes, u16) {
  core_.add_interrupt_status(causes);
  mmio_->set_interrupt(true);
}

void VirtioDevice::reset(ResetKind) {
  service_.forget();
  core_.reset();
}

Result<> VirtioDevice::post_load(unsigned) {
  service_.forget();
  return core_.loaded();
}

namespace {
const RegisterAbstractType<VirtioDevice, Device> device_registration;
}  // namespace

}  // namespace rhea::hw
