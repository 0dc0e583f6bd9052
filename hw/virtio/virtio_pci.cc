// SPDX-License-Identifier: GPL-2.0-or-later
// What virtio's PCI devices are made of.
#include "hw/virtio/virtio_pci.h"

#include "hw/virtio/pci_layout.h"

#include <algorithm>
#include <bit>

namespace rhea::hw {

using namespace virtio_pci;

namespace {

constexpr u16 kVendor = 0x1af4, kModernDevices = 0x1040, kModernSubsystem = 0x1100;
constexpr u32 kMostMsix = 2048;

std::array<u8, 13> capability(u8 type, u8 bar, u64 offset, u64 length) {
  std::array<u8, 13> bytes{type, bar};
  for (unsigned n = 0; n < 4; ++n) {
    bytes[5 + n] = static_cast<u8>(offset >> (8 * n));
    bytes[9 + n] = static_cast<u8>(length >> (8 * n));
  }
  return bytes;
}

}  // namespace

VirtioPci::VirtioPci(VirtioFunction& function, u32 vectors, VirtioInterfaces interfaces)
    : function_(&function),
      core_(*this, function),
      usual_vectors_(vectors),
      interfaces_(interfaces) {
  set_lock_domain(domain_);
}

Result<> VirtioPci::choose_interfaces() {
  const bool asked = interfaces_ == VirtioInterfaces::AsAsked;
  if (!asked && (disable_modern_ || disable_legacy_ != OnOffAuto::Auto))
    return fail("disable-legacy and disable-modern are not for {}, which says it by its name",
                type().name);
  legacy_ =
      asked ? disable_legacy_ != OnOffAuto::On : interfaces_ == VirtioInterfaces::Transitional;
  modern_ = !asked || !disable_modern_;
  const bool has_legacy = function_->kind().transitional_id != 0;
  if (!has_legacy && legacy_ && disable_legacy_ != OnOffAuto::Auto)
    return fail("disable-legacy=off: there is no legacy interface of {}", type().name);
  legacy_ = legacy_ && has_legacy;
  if (!legacy_ && !modern_)
    return fail("device cannot work as neither modern nor legacy mode is enabled");
  const u64 own = virtio::bit(virtio::kAccessPlatform) & core_.offered();
  if (legacy_ && own != 0)
    return fail(
        "iommu_platform=on: VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy nor "
        "transitional device; use disable-legacy=on");
  if (vectors_ != kUsualVectors && vectors_ > kMostMsix)
    return fail("vectors={}: at most {}", vectors_, kMostMsix);
  constexpr u64 v1 = virtio::bit(virtio::kVersion1);
  core_.offered() = modern_ ? core_.offered() | v1 : core_.offered() & ~v1;
  return {};
}

void VirtioPci::identify() {
  const VirtioKind kind = function_->kind();
  const u16 modern = static_cast<u16>(kModernDevices + kind.id);
  set_identity({.vendor = kVendor,
                .device = legacy_ ? kind.transitional_id : modern,
                .klass = kind.pci_class << 8,
                .revision = static_cast<u8>(legacy_ ? 0 : 1),
                .interrupt_pin = 1,
                .subsystem_vendor = kVendor,
                .subsystem = legacy_ ? kind.id : kModernSubsystem,
                .romfile = kind.romfile});
}

Result<> VirtioPci::realize() {
  TRY(choose_interfaces());
  identify();
  TRY(PciDevice::realize());
  service_.init(*this, core_);
  master_.init(machine(), [this] {
    PciDevice::config_write(pci::kCommand, config16(pci::kCommand) | pci::kCommandMaster, 2);
  });
  TRY(start_function());
  if (modern_) TRY(make_modern());
  TRY(make_vectors());
  if (legacy_) TRY(make_legacy());
  return make_doorbells();
}

// What it gets its data from may call it from now on.
Result<> VirtioPci::start_function() {
  const DomainGuard guard(&domain_);
  core_.remove_queues();
  return function_->start(*this, core_);
}

Result<> VirtioPci::make_modern() {
  const u64 notify = notify_bytes() * kMostQueues;
  modern_region_.init_container(this, "virtio-pci", std::bit_ceil(kNotify + notify));
  common_.init(*this, kPartBytes);
  modern_region_.add(kCommon, common_);
  interrupt_region_.init(*this, kPartBytes);
  modern_region_.add(kInterrupt, interrupt_region_);
  function_region_.init_io(*this, "virtio-pci-device", kPartBytes,
                           io<&VirtioPci::read_function, &VirtioPci::write_function>());
  modern_region_.add(kFunction, function_region_);
  notify_region_.init_io(*this, "virtio-pci-notify", notify,
                         io<&VirtioPci::read_notify, &VirtioPci::write_notify>());
  modern_region_.add(kNotify, notify_region_);
  TRY(bar(kModernBar, modern_region_, BarKind::MemoryPrefetch64));
  if (port_notify_) {
    port_notify_region_.init_io(*this, "virtio-pci-notify-pio", 4,
                                io<&VirtioPci::read_notify, &VirtioPci::write_notify_port>());
    TRY(bar(kPortNotifyBar, port_notify_region_, BarKind::Io));
  }
  add_capabilities();
  return {};
}

void VirtioPci::add_capabilities() {
  const auto put32 = [](std::span<u8> to, u64 value) {
    for (unsigned n = 0; n < 4; ++n) to[n] = static_cast<u8>(value >> (8 * n));
  };
  const auto add = [&](u8 type, u8 in_bar, u64 offset, u64 length) {
    return add_vendor_capability(capability(type, in_bar, offset, length));
  };
  const auto add_notify = [&](u8 in_bar, u64 offset, u64 length, u64 multiplier) {
    std::array<u8, 17> bytes{};
    std::ranges::copy(capability(kNotifyType, in_bar, offset, length), bytes.begin());
    put32(std::span(bytes).subspan(13), multiplier);
    add_vendor_capability(bytes);
  };
  add(kCommonType, kModernBar, kCommon, kPartBytes);
  add(kInterruptType, kModernBar, kInterrupt, kPartBytes);
  add(kFunctionType, kModernBar, kFunction, kPartBytes);
  add_notify(kModernBar, kNotify, notify_bytes() * kMostQueues, notify_bytes());
  if (port_notify_) add_notify(kPortNotifyBar, 0, 4, 0);
  std::array<u8, 17> window{kWindowType};
  window_cap_ = add_vendor_capability(window);
  config_set8(window_cap_ + kCapBar, 0, 0xff);
  config_set32(window_cap_ + kCapOffset, 0, ~u32{0});
  config_set32(window_cap_ + kCapLength, 0, ~u32{0});
  config_set32(window_cap_ + kCapData, 0, ~u32{0});
}

Result<> VirtioPci::make_vectors() {
  const u32 usual = usual_vectors_ == kVectorPerQueue ? core_.queues() + 1U : usual_vectors_;
  const u32 count = vectors_ == kUsualVectors ? std::min(usual, kMostMsix) : vectors_;
  return count == 0 ? Result<>() : add_msix_bar(count, kMsixBar);
}

Result<> VirtioPci::make_legacy() {
  const u64 head = msix_vectors() != 0 ? kLegacyMsix : kLegacyPlain;
  legacy_region_.init(*this, std::bit_ceil(head + function_->config().size()));
  return bar(kLegacyBar, legacy_region_, BarKind::Io);
}

// Without them notifications are served in the access.
Result<> VirtioPci::make_doorbells() {
  if (!TRY(service_.use_thread(*this, ioeventfd_))) return {};
  for (u16 number = 0; number < core_.queues(); ++number) {
    const int fd = service_.fd(number);
    const IoEventFd of_number{.offset = 0, .size = 2, .match = true, .value = number, .fd = fd};
    if (modern_)
      notify_region_.add_eventfd({.offset = notify_bytes() * number, .size = 0, .fd = fd});
    if (port_notify_region_.initialised()) port_notify_region_.add_eventfd(of_number);
    IoEventFd legacy = of_number;
    legacy.offset = kLegacyNotify;
    if (legacy_) legacy_region_.add_eventfd(legacy);
  }
  return {};
}

// No processor leads to the thread any more, which ends before the members that it calls.
void VirtioPci::release() {
  PciDevice::release();
  service_.stop();
}

void VirtioPci::interrupt(u8 causes, u16 vector) {
  if (msix_on_) {
    if (vector != VirtQueue::kNoVector) notify_msi(vector);
    return;
  }
  core_.add_interrupt_status(causes);
  set_intx(true);
}

void VirtioPci::reset(ResetKind) {
  msix_on_ = false;
  service_.forget();
  core_.reset();
}

Result<> VirtioPci::post_load(unsigned version) {
  TRY(PciDevice::post_load(version));
  msix_on_ = msix_enabled();
  service_.forget();
  const auto there = [this](u16 vector) { return vector == usable(vector); };
  for (u16 number = 0; number < core_.queues(); ++number)
    if (const u16 vector = core_.queue(number).vector(); !there(vector))
      return fail("virtqueue {} has vector {} of {}", number, vector, msix_vectors());
  if (!there(core_.config_vector()))
    return fail("vector {} of {} is the configuration's", core_.config_vector(), msix_vectors());
  return core_.loaded();
}

namespace {
const RegisterAbstractType<VirtioPci, PciDevice> registration;
}  // namespace

}  // namespace rhea::hw
