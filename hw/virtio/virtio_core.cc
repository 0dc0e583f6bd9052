// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/virtio/virtio_core.h"

#include "rhea/util/log.h"

#include <utility>

namespace rhea::hw {
namespace {

u32 word(u64 features, u32 number) {
  return number > 1 ? 0 : static_cast<u32>(features >> (32 * number));
}

}  // namespace

void VirtioCore::describe(StateFields<VirtioCore>& s) {
  s.state("features", &VirtioCore::accepted_);
  s.state("status", &VirtioCore::status_);
  s.state("failed", &VirtioCore::failed_);
  s.state("generation", &VirtioCore::generation_);
  s.state("interrupt-status", &VirtioCore::interrupt_status_);
  s.state("config-vector", &VirtioCore::config_vector_);
  s.state("queues", &VirtioCore::queues_);
}

void VirtioCore::add_queue(u16 entries) {
  const u16 number = queues();
  queues_.emplace_back().init(*this, number, entries);
}

bool VirtioCore::live() const {
  const u8 ready = accepts(virtio::kVersion1) ? kDriverOk | kFeaturesOk : kDriverOk;
  // Who says no FEATURES_OK cannot be told that it takes what is not there.
  return (status_ & ready) == ready && (accepted_ & ~offered_) == 0 && !failed_ && !held_ &&
         memory().enabled();
}

/// Whether queues go by others now: their positions mean nothing then.
bool VirtioCore::apply_rules() {
  const bool packed = accepts(virtio::kRingPacked) && accepts(virtio::kVersion1);
  const bool in_order = accepts(virtio::kInOrder);
  const bool other_rings = packed != rules_.packed || in_order != rules_.in_order;
  rules_ = {.packed = packed,
            .indirect = accepts(virtio::kIndirectDescriptors),
            .event_index = accepts(virtio::kEventIndex),
            .in_order = in_order,
            .notify_on_empty = accepts(virtio::kNotifyOnEmpty)};
  return other_rings;
}

u32 VirtioCore::offered_word(u32 number) const {
  return word(offered_ & ~virtio::kLegacyFeatures, number);
}

u32 VirtioCore::accepted_word(u32 number) const { return word(accepted_, number); }

void VirtioCore::accept_word(u32 number, u32 value) {
  if (number > 1) return;
  const unsigned shift = 32 * number;
  accept((accepted_ & ~(u64{~u32{0}} << shift)) | u64{value} << shift);
}

void VirtioCore::accept(u64 features) {
  // Legacy drivers have no FEATURES_OK.
  if ((status_ & (kFeaturesOk | kDriverOk)) != 0) {
    log_guest("virtio", "features {:#x} come after FEATURES_OK or DRIVER_OK", features);
    return;
  }
  accepted_ = features;
  if (!apply_rules()) return;
  // Of requests of a driver that was ready before nobody hears any more.
  for (u16 number = 0; number < queues(); ++number) reset_queue(number);
}

/// Whether the driver has taken what it may, and what it must (2.2, 6.2).
bool VirtioCore::features_fit() const {
  const u64 offered = offered_ & ~virtio::kLegacyFeatures;
  const u64 needed =
      virtio::bit(virtio::kVersion1) | (offered & virtio::bit(virtio::kAccessPlatform));
  return (accepted_ & ~offered) == 0 && (accepted_ & needed) == needed;
}

void VirtioCore::write_status(u8 status) {
  if (status == 0) return reset();
  if ((status & ~status_ & kFeaturesOk) != 0 && !features_fit()) {
    log_guest("virtio", "features {:#x} do not fit those offered, {:#x}", accepted_, offered_);
    status &= static_cast<u8>(~kFeaturesOk);
  }
  // A reset alone ends what was negotiated (2.1.1).
  status_ = static_cast<u8>(status | (status_ & (kNeedsReset | kFeaturesOk)));
  serve_kicked();
}

void VirtioCore::notify(u32 number) {
  VirtQueue* const queue = find_queue(number);
  if (queue == nullptr) {
    log_guest("virtio", "queue {} is notified, and there is none", number);
    return;
  }
  // What no driver has set up it cannot have put anything into.
  if (!queue->enabled()) return queue->set_kicked(false);
  queue->set_kicked(true);
  if (!live()) return;
  begin_turn();
  serve(static_cast<u16>(number));
}

void VirtioCore::serve(u16 number) {
  queues_[number].set_kicked(false);
  if (queues_[number].enabled()) function_->serve(number);
}

// One turn for all of them.
void VirtioCore::serve_kicked() {
  begin_turn();
  for (u16 number = 0; number < queues() && live(); ++number) {
    if (!queues_[number].kicked()) continue;
    turn_is_over() ? transport_->notify_later(number) : serve(number);
  }
}

void VirtioCore::hold(bool on) {
  held_ = on;
  if (!on) function_->resumed();
  serve_kicked();
}

void VirtioCore::reset_queue(u16 number) {
  queues_[number].reset();
  function_->queue_reset(number);
}

void VirtioCore::ask_queue_reset(u16 number) {
  if (find_queue(number) == nullptr) return;
  if (accepts(virtio::kRingReset))
    reset_queue(number);
  else
    log_guest("virtio", "queue {} is reset, which was not negotiated", number);
}

/// The queue, while the driver may say where it is.
VirtQueue* VirtioCore::changeable(u16 number) {
  VirtQueue* const queue = find_queue(number);
  if (queue != nullptr && queue->enabled()) {
    log_guest("virtio", "queue {} is changed while it is enabled", number);
    return nullptr;
  }
  return queue;
}

void VirtioCore::resize_queue(u16 number, u16 entries) {
  VirtQueue* const queue = changeable(number);
  if (queue == nullptr) return;
  if (queue->accepts(entries))
    queue->set_entries(entries);
  else
    log_guest("virtio", "queue {} cannot have {} entries", number, entries);
}

void VirtioCore::place_queue(u16 number, VirtQueue::Area area, u64 address) {
  if (VirtQueue* const queue = changeable(number); queue != nullptr)
    queue->set_address(area, address);
}

u64 VirtioCore::read_config(u64 offset, unsigned size) const {
  const std::span<const u8> bytes = function_->config();
  u64 value = 0;
  for (unsigned n = 0; n < size && offset + n < bytes.size(); ++n)
    value |= u64{bytes[offset + n]} << (8 * n);
  return value;
}

void VirtioCore::write_config(u64 offset, u64 value, unsigned size) {
  const std::span<u8> bytes = function_->config();
  if (offset >= bytes.size()) return;
  for (unsigned n = 0; n < size && offset + n < bytes.size(); ++n)
    bytes[offset + n] = static_cast<u8>(value >> (8 * n));
  function_->config_written(offset, size);
}

void VirtioCore::tell_driver(u16 number) {
  VirtQueue& queue = queues_[number];
  if (queue.wants_interrupt()) transport_->interrupt(kQueueInterrupt, queue.vector());
}

void VirtioCore::config_changed() {
  ++generation_;
  if ((status_ & kDriverOk) != 0) transport_->interrupt(kConfigInterrupt, config_vector_);
}

/// The driver hears that it must reset the device (2.1.2).
void VirtioCore::queue_broken(u16 number, std::string_view why) {
  log_guest("virtio", "queue {} is broken: {}", number, why);
  if (std::exchange(failed_, true)) return;
  if (!accepts(virtio::kVersion1)) return;
  status_ |= kNeedsReset;
  config_changed();
}

u8 VirtioCore::take_interrupt_status() {
  transport_->lower_interrupt();
  return std::exchange(interrupt_status_, u8{0});
}

void VirtioCore::acknowledge(u8 causes) {
  interrupt_status_ &= static_cast<u8>(~causes);
  if (interrupt_status_ == 0) transport_->lower_interrupt();
}

void VirtioCore::reset() {
  accepted_ = 0;
  status_ = generation_ = interrupt_status_ = 0;
  failed_ = false;
  config_vector_ = VirtQueue::kNoVector;
  apply_rules();
  for (VirtQueue& queue : queues_) queue.reset();
  transport_->lower_interrupt();
  function_->reset();
}

Result<> VirtioCore::loaded() {
  apply_rules();
  if ((accepted_ & ~offered_) != 0 && (status_ & kFeaturesOk) != 0)
    return fail("virtio features {:#x} were accepted, and {:#x} are offered", accepted_, offered_);
  for (const VirtQueue& queue : queues_) TRY(queue.check_loaded());
  TRY(function_->loaded());
  for (u16 number = 0; number < queues(); ++number)
    if (queues_[number].kicked()) transport_->notify_later(number);
  return {};
}

}  // namespace rhea::hw
