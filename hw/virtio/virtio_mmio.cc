// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/virtio/virtio_mmio.h"

#include "hw/virtio/status_fields.h"
#include "rhea/qom/registry.h"
#include "rhea/util/log.h"

#include <fmt/core.h>

#include <bit>

namespace rhea::hw {
namespace {

constexpr u32 kMagic = 0x7472'6976, kVendor = 0x554d'4551;  // "virt", "QEMU"
constexpr u64 kConfigAt = 0x100;
constexpr u16 kNoFunction = 0xffff;  // it is none of PCI's
constexpr u8 kUsualAlign = 12;       // 4 KiB
constexpr u32 kNoMemory = ~u32{0};   // of the length of a shared region that there is not

}  // namespace

void VirtioMmio::describe(Schema<VirtioMmio>& s) {
  using Area = VirtQueue::Area;
  using M = VirtioMmio;
  s.help("virtio transport in memory");
  s.board_only();
  s.property("force-legacy", &M::force_legacy_, true).help("the registers of version 1");
  s.property("ioeventfd", &M::ioeventfd_, true).help("serve notifications on an I/O thread");
  s.property("number", &M::number_, u32{0})
      .range(0, kMost - 1)
      .help("which of the board's it is: its place and its bus's name");
  s.registers(&M::bank_, [](auto reg) {
    return reg.bank(
        {.name = "virtio-mmio", .size = kBytes, .reach = Reach::Exact, .elsewhere = 0},
        reg("magic_value", 0x000, 4).constant(kMagic),
        reg("version", 0x004, 4).read_by(&M::version),
        reg("device_id", 0x008, 4).read_by(&M::device_id),
        reg("vendor_id", 0x00c, 4).constant(kVendor),
        reg("device_features", 0x010, 4).read_by(&M::device_features),
        reg("device_features_select", 0x014, &M::device_features_select_).write_only(),
        reg("driver_features", 0x020, 4).write_by(&M::write_driver_features),
        reg("driver_features_select", 0x024, &M::driver_features_select_).write_only(),
        reg("legacy_page_size", 0x028, 4).write_by(&M::write_page_bytes),
        reg("queue_select", 0x030, &M::queue_select_).write_only(),
        reg("queue_size_max", 0x034, 4).read_by(&M::most_entries),
        reg("queue_size", 0x038, 4).write_by(&M::write_entries),
        reg("legacy_queue_align", 0x03c, 4).write_by(&M::write_align),
        reg("legacy_queue_address", 0x040, 4)
            .read_by(&M::queue_page)
            .write_by(&M::write_queue_page)
            .help("a page's number; 0 resets the queue"),
        reg("queue_ready", 0x044, 4).read_by(&M::queue_ready).write_by(&M::write_queue_ready),
        reg("queue_notify", kNotifyAt, 4).write_by(&M::write_notify),
        reg("interrupt_status", 0x060, 4)
            .read_by(&M::interrupt_status)
            .field("QUEUE", VirtioCore::kQueueInterrupt)
            .field("CONFIGURATION", VirtioCore::kConfigInterrupt),
        reg("interrupt_ack", 0x064, 4).write_by(&M::write_interrupt_ack),
        with_status_fields(reg("status", 0x070, 4).read_by(&M::status).write_by(&M::write_status)),
        reg("queue_desc_low", 0x080, 4).write_by(&M::write_area_half<Area::Descriptors, 0>),
        reg("queue_desc_high", 0x084, 4).write_by(&M::write_area_half<Area::Descriptors, 32>),
        reg("queue_driver_low", 0x090, 4).write_by(&M::write_area_half<Area::Driver, 0>),
        reg("queue_driver_high", 0x094, 4).write_by(&M::write_area_half<Area::Driver, 32>),
        reg("queue_device_low", 0x0a0, 4).write_by(&M::write_area_half<Area::Device, 0>),
        reg("queue_device_high", 0x0a4, 4).write_by(&M::write_area_half<Area::Device, 32>),
        reg("shm_select", 0x0ac, &M::memory_select_).write_only(),
        reg("shm_length_low", 0x0b0, 4).constant(kNoMemory),
        reg("shm_length_high", 0x0b4, 4).constant(kNoMemory),
        reg("shm_base_low", 0x0b8, 4).constant(kNoMemory),
        reg("shm_base_high", 0x0bc, 4).constant(kNoMemory),
        reg("queue_reset", 0x0c0, 4).read_by(&M::queue_reset).write_by(&M::write_queue_reset),
        reg("config_generation", 0x0fc, 4).read_by(&M::config_generation),
        reg.range("config", kConfigAt, kBytes - kConfigAt, &M::read_config, &M::write_config));
  });
  s.state("page-bytes", &M::page_bytes_);
  s.state("align-exponents", &M::align_exponents_);
  s.state("irq", &M::irq_);
}

VirtioMmio::VirtioMmio() {
  set_lock_domain(*domain_);
  init_gpio_out("sysbus-irq", irq_);
}

Result<> VirtioMmio::realize() {
  add_child(fmt::format("{}.{}", VirtioBus::kName, number_), create<VirtioBus>());
  dma_.init(*this, machine().memory(), kNoFunction);
  line_.init(machine(), irq_);
  bank_.init(*this);
  machine().system_memory().add(address(), bank_);
  return {};
}

void VirtioMmio::reset(ResetKind) {
  page_bytes_ = 0;
  align_exponents_.assign(align_exponents_.size(), kUsualAlign);
}

std::string VirtioMmio::firmware_name() const {
  return fmt::format("virtio-mmio@{:016x}", address());
}

void VirtioMmio::carry(VirtioCore* core) {
  core_ = core;
  line_.set(false);
  align_exponents_.assign(core != nullptr ? core->queues() : 0, kUsualAlign);
}

/// Whether a register of one version is there.
bool VirtioMmio::speaks(bool legacy, std::string_view what) const {
  if (legacy == force_legacy_) return core_ != nullptr;
  log_guest("virtio-mmio", "{} is none of version {}", what, version());
  return false;
}

VirtQueue* VirtioMmio::selected() const {
  return core_ != nullptr ? core_->find_queue(queue_select_) : nullptr;
}

// ---- Features

u32 VirtioMmio::device_features() const {
  if (core_ == nullptr) return 0;
  if (!force_legacy_) return core_->offered_word(device_features_select_);
  return device_features_select_ == 0 ? core_->offered_to_old() : 0;
}

void VirtioMmio::write_driver_features(u32 value) {
  if (core_ == nullptr) return;
  if (!force_legacy_)
    core_->accept_word(driver_features_select_, value);
  else if (driver_features_select_ == 0)
    core_->accept_of_old(value);
}

// ---- Queues

u32 VirtioMmio::most_entries() const {
  const VirtQueue* const queue = selected();
  return queue != nullptr ? queue->most_entries() : 0;
}

void VirtioMmio::write_entries(u32 entries) {
  if (core_ != nullptr)
    core_->resize_queue(selected_number(), static_cast<u16>(std::min(entries, u32{0xffff})));
}

u32 VirtioMmio::queue_ready() const {
  const VirtQueue* const queue = selected();
  return queue != nullptr && !force_legacy_ && queue->enabled() ? 1 : 0;
}

// The device must not look at one that is not ready (4.2.2.1).
void VirtioMmio::write_queue_ready(u32 on) {
  VirtQueue* const queue = selected();
  if (!speaks(false, "QueueReady") || queue == nullptr) return;
  if ((on & 1) != 0)
    queue->enable();
  else if (queue->enabled())
    core_->reset_queue(selected_number());
}

void VirtioMmio::write_area(VirtQueue::Area area, unsigned shift, u32 half) {
  const VirtQueue* const queue = selected();
  if (!speaks(false, "an address of 64 bits") || queue == nullptr) return;
  const u64 other = queue->address(area) & ~(u64{~u32{0}} << shift);
  core_->place_queue(selected_number(), area, other | u64{half} << shift);
}

void VirtioMmio::write_queue_reset(u32 on) {
  if (speaks(false, "QueueReset") && on == 1) core_->ask_queue_reset(selected_number());
}

void VirtioMmio::write_notify(u32 queue) {
  if (core_ != nullptr) core_->notify(queue);
}

// ---- Queues of version 1 (4.2.4)

void VirtioMmio::write_page_bytes(u32 bytes) {
  if (!speaks(true, "GuestPageSize")) return;
  if (std::has_single_bit(bytes))
    page_bytes_ = bytes;
  else
    log_guest("virtio-mmio", "pages of {} bytes", bytes);
}

void VirtioMmio::write_align(u32 bytes) {
  if (!speaks(true, "QueueAlign") || selected() == nullptr) return;
  if (std::has_single_bit(bytes))
    align_exponents_[selected_number()] = static_cast<u8>(std::countr_zero(bytes));
  else
    log_guest("virtio-mmio", "a ring aligned to {} bytes", bytes);
}

u32 VirtioMmio::queue_page() const {
  const VirtQueue* const queue = selected();
  if (queue == nullptr || !force_legacy_ || page_bytes_ == 0) return 0;
  return static_cast<u32>(queue->address(VirtQueue::Area::Descriptors) / page_bytes_);
}

void VirtioMmio::write_queue_page(u32 page) {
  VirtQueue* const queue = selected();
  if (!speaks(true, "QueuePFN") || queue == nullptr) return;
  if (page == 0) return core_->reset_queue(selected_number());
  if (queue->enabled() || page_bytes_ == 0) {
    log_guest("virtio-mmio", "queue {} is placed {}", queue_select_,
              queue->enabled() ? "while it is used" : "in pages of no size");
    return;
  }
  const unsigned exponent = align_exponents_[selected_number()] & 31;
  queue->set_legacy_address(u64{page} * page_bytes_, u64{1} << exponent);
  queue->enable();
}

// ---- The rest

void VirtioMmio::write_interrupt_ack(u32 causes) {
  if (core_ != nullptr) core_->acknowledge(static_cast<u8>(causes));
}

void VirtioMmio::write_status(u32 status) {
  if (core_ != nullptr) core_->write_status(static_cast<u8>(status));
}

u64 VirtioMmio::read_config(u64 offset, unsigned size) {
  return core_ != nullptr ? core_->read_config(offset, size) : 0;
}

void VirtioMmio::write_config(u64 offset, u64 value, unsigned size) {
  if (core_ != nullptr) core_->write_config(offset, value, size);
}

namespace {
const RegisterType<VirtioBus> mmio_bus;
const RegisterType<VirtioMmio> mmio;
}  // namespace

}  // namespace rhea::hw
