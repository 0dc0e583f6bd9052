// SPDX-License-Identifier: GPL-2.0-or-later
// What a virtio SCSI host is: properties, features, configuration, units that come and go.
#include "hw/virtio/virtio_scsi.h"

#include "hw/scsi/scsi_device.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/log.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace rhea::hw {

using namespace virtio_scsi;

namespace {

constexpr VirtioKind kHost{.id = 8, .transitional_id = 0x1004, .pci_class = 0x0100};
constexpr u32 kSegmentsBeside = 2;  // request and response
constexpr u32 kFewSegments = 126;

void put_le(std::span<u8> bytes, std::size_t at, u64 value, unsigned size) {
  for (unsigned n = 0; n < size; ++n) bytes[at + n] = static_cast<u8>(value >> (8 * n));
}

u64 get_le(std::span<const u8> bytes, std::size_t at) {
  u64 value = 0;
  for (unsigned n = 0; n < 4; ++n) value |= u64{bytes[at + n]} << (8 * n);
  return value;
}

}  // namespace

VirtioKind VirtioScsi::kind() const { return kHost; }

// ---- Made of

Result<> VirtioScsi::start(Device& owner, VirtioCore& core) {
  core_ = &core;
  owner_ = &owner;
  TRY(check_properties());
  core.serve_on(io_thread_);
  if (io_thread_ != nullptr) owner.on_unrealize([use = io_thread_->use()] {});
  const unsigned processors = std::max(owner.machine().config.cpus, 1U);
  request_queues_ =
      queues_property_ != kAutoQueues ? queues_property_ : std::min(processors, kMostQueues);
  const u32 queues = request_queues_ + kFirstRequestQueue;
  for (u32 n = 0; n < queues; ++n) core.add_queue(static_cast<u16>(queue_entries_));
  pending_.assign(queues, false);
  starved_.assign(queues, false);
  posted_.init(owner.machine(), [this] { work(); });
  add_bus();
  tasks_.init(owner, core, *bus_, [this] { tell_room(); });
  offer();
  fill_config();
  return {};
}

Result<> VirtioScsi::check_properties() const {
  if (queues_property_ == 0 || (queues_property_ != kAutoQueues && queues_property_ > kMostQueues))
    return fail("Invalid number of queues (= {}), must be a positive integer less than {}.",
                queues_property_, kMostQueues);
  if (queue_entries_ <= 2)
    return fail("invalid virtqueue_size property (= {}), must be > 2", queue_entries_);
  if (!std::has_single_bit(queue_entries_) || queue_entries_ > VirtQueue::kMostEntries)
    return fail("invalid virtqueue_size property (= {}), must be a power of 2, at most {}",
                queue_entries_, VirtQueue::kMostEntries);
  return {};
}

void VirtioScsi::offer() {
  constexpr u64 kShared = virtio::kLegacyFeatures | virtio::bit(virtio::kIndirectDescriptors) |
                          virtio::bit(virtio::kEventIndex) | ~u64{0xffff'ffff};
  core_->offered() = (core_->offered() & kShared) | features_;
}

void VirtioScsi::add_bus() {
  unsigned buses = 0;
  owner_->machine().visit([&buses](const Object& object) {
    buses += dynamic_cast<const ScsiBus*>(&object) != nullptr ? 1 : 0;
  });
  auto bus = create<ScsiBus>();
  bus->init(*this, kLast);
  bus_ = &owner_->add_child(
      owner_->id().empty() ? fmt::format("scsi.{}", buses) : fmt::format("{}.0", owner_->id()),
      std::move(bus));
}

void VirtioScsi::fill_config() {
  const u32 segments = seg_max_adjust_ ? queue_entries_ - kSegmentsBeside : kFewSegments;
  config_ = {};
  put_le(config_, kQueuesAt, request_queues_, 4);
  put_le(config_, kSegMaxAt, segments, 4);
  put_le(config_, kMaxSectorsAt, max_sectors_, 4);
  put_le(config_, kPerUnitAt, per_unit_, 4);
  put_le(config_, kEventBytesAt, kEventBytes, 4);
  put_le(config_, kSenseBytesAt, sense_bytes_, 4);
  put_le(config_, kCdbBytesAt, cdb_bytes_, 4);
  put_le(config_, kMaxChannelAt, kLast.channel, 2);
  put_le(config_, kMaxTargetAt, kLast.target, 2);
  put_le(config_, kMaxUnitAt, kLast.unit, 4);
}

/// What no driver needs is ignored.
void VirtioScsi::config_written(u64, unsigned) {
  const u64 sense_bytes = get_le(config_, kSenseBytesAt), cdb_bytes = get_le(config_, kCdbBytesAt);
  if (sense_bytes <= kMostSenseBytes && cdb_bytes <= kMostCdbBytes) {
    sense_bytes_ = static_cast<u32>(sense_bytes);
    cdb_bytes_ = static_cast<u32>(cdb_bytes);
  } else {
    log_guest("virtio-scsi", "{} bytes of sense data, {} of command", sense_bytes, cdb_bytes);
  }
  fill_config();
}

// ---- What befalls it

void VirtioScsi::reset() {
  std::fill(pending_.begin(), pending_.end(), false);
  std::fill(starved_.begin(), starved_.end(), false);
  missed_ = false;
  tasks_.forget([](const VirtioScsiCommand&) { return true; });
  sense_bytes_ = kUsualSenseBytes;
  cdb_bytes_ = kUsualCdbBytes;
  fill_config();
  reset_bus_ = true;
  posted_.post();
}

// The others may go on where it had taken all the room.
void VirtioScsi::queue_reset(u16 number) {
  pending_[number] = starved_[number] = false;
  tasks_.forget([number](const VirtioScsiCommand& command) { return command.queue == number; });
  posted_.post();
}

void VirtioScsi::resumed() {
  tasks_.begin_loaded();
  bus_->resumed();
  if (missed_) serve(kEventQueue);
}

Result<> VirtioScsi::loaded() {
  TRY(tasks_.check_loaded());
  reset_bus_ = false;
  std::fill(pending_.begin(), pending_.end(), false);
  std::fill(starved_.begin(), starved_.end(), true);
  fill_config();
  return {};
}

void VirtioScsi::tell_room() {
  for (u16 n = 0; n < starved_.size(); ++n)
    if (starved_[n]) core_->serve_again(n);
  std::fill(starved_.begin(), starved_.end(), false);
}

// ---- Units

void VirtioScsi::unit_added(ScsiDevice& unit) {
  const DomainGuard guard(owner_->lock_domain());
  if (core_->accepts(kHotPlug)) tell(kTransportReset, &unit, kRescan);
}

void VirtioScsi::unit_removed(ScsiDevice& unit) {
  const DomainGuard guard(owner_->lock_domain());
  tasks_.end_all(Response::BadTarget, [&unit](const VirtioScsiCommand& command) {
    return command.address() == unit.address();
  });
  if (core_->accepts(kHotPlug)) tell(kTransportReset, &unit, kRemoved);
}

void VirtioScsi::unit_reset(ScsiDevice& unit) {
  const DomainGuard guard(owner_->lock_domain());
  tasks_.end_all(Response::Reset, [&unit](const VirtioScsiCommand& command) {
    return command.address() == unit.address();
  });
}

void VirtioScsi::unit_changed(ScsiDevice& unit, const ScsiSense& what) {
  const DomainGuard guard(owner_->lock_domain());
  if (core_->accepts(kParamChange))
    tell(kParametersChanged, &unit, what.code | u32{what.qualifier} << 8);
}

// ---- Events (5.6.6.3)

/// While the machine stands they have to wait, and drivers look for themselves then.
void VirtioScsi::tell(u32 event, const ScsiDevice* unit, u32 reason) {
  if (core_->held() && (core_->status() & VirtioCore::kDriverOk) != 0) missed_ = true;
  if (!core_->live()) return;
  VirtQueue& queue = core_->queue(kEventQueue);
  core_->begin_turn();
  if (!queue.enabled() || queue.pop(buffer_) != Popped::One) {
    missed_ = true;
    return;
  }
  std::array<u8, kEventBytes> data{};
  put_le(data, 0, event | (missed_ ? kEventsMissed : 0), 4);
  if (unit != nullptr) {
    const ScsiAddress& at = unit->address();
    constexpr u32 kPeripheral = 256, kFlat = 0x40;  // as REPORT LUNS has them
    data[4] = 1;
    data[5] = static_cast<u8>(at.target);
    data[6] = static_cast<u8>(at.unit >= kPeripheral ? at.unit >> 8 | kFlat : 0);
    data[7] = static_cast<u8>(at.unit);
  }
  put_le(data, 12, reason, 4);
  if (!queue.write(buffer_, 0, data)) return;
  missed_ = false;
  queue.push(buffer_, kEventBytes);
  core_->tell_driver(kEventQueue);
}

void VirtioScsi::tell_missed() {
  if (missed_) tell(kNoEvent, nullptr, 0);
}

}  // namespace rhea::hw
