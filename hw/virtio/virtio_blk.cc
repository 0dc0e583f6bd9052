// SPDX-License-Identifier: GPL-2.0-or-later
// What a virtio disk is: properties, features, configuration.
#include "hw/virtio/virtio_blk.h"

#include "rhea/softmmu/machine.h"

#include <algorithm>
#include <bit>

namespace rhea::hw {

using namespace virtio_blk;

namespace {

constexpr VirtioKind kDisk{.id = 2, .transitional_id = 0x1001, .pci_class = 0x0100};
constexpr u32 kOtherStorage = 0x0180;
constexpr u32 kLargestBlock = 2 * MiB, kSmallestBlock = 512;
constexpr u16 kSmallestQueue = 4;
constexpr u32 kSegmentsBeside = 2;  // header and status
constexpr u32 kFewSegments = 126;

void put_le(std::span<u8> bytes, std::size_t at, u64 value, unsigned size) {
  for (unsigned n = 0; n < size; ++n) bytes[at + n] = static_cast<u8>(value >> (8 * n));
}

Result<> check_block(std::string_view name, u32 bytes) {
  if (std::has_single_bit(bytes) && bytes >= kSmallestBlock && bytes <= kLargestBlock) return {};
  return fail("Property '{}': {} is not a power of two between 512 B and 2 MiB", name, bytes);
}

Result<> check_multiple(std::string_view name, u32 bytes, u32 of) {
  if (bytes % of == 0) return {};
  return fail("Property '{}': {} must be a multiple of logical_block_size, {}", name, bytes, of);
}

}  // namespace

VirtioKind VirtioBlk::kind() const {
  VirtioKind kind = kDisk;
  if (class_ != 0) kind.pci_class = class_;
  return kind;
}

// ---- Made of

Result<> VirtioBlk::start(Device& owner, VirtioCore& core) {
  core_ = &core;
  owner_ = &owner;
  TRY(check_properties());
  core.serve_on(io_thread_);
  if (io_thread_ != nullptr) owner.on_unrealize([use = io_thread_->use()] {});
  TRY(boot_index_.join(owner, "/disk@0,0"));
  TRY(take_drive(drive_, owner, DriveUse::WriteIfPossible));
  if (serial_.empty()) serial_ = drive_->serial.substr(0, kIdBytes);
  drive_->set_error_policy_of(on_read_error_, on_write_error_);
  drive_->let_policy_decide();
  TRY(choose_geometry());
  choose_queues();
  for (u16 n = 0; n < queue_count_; ++n) core.add_queue(queue_entries_);
  starved_.assign(queue_count_, false);
  requests_.init(
      owner.machine(), core, *drive_,
      [this](const BlkRequest& request, bool ok) {
        answer(request.buffer, request.queue, ok ? kOk : kIoError,
               request.op == BlkRequest::Op::Read ? request.length : 0);
        core_->tell_driver(request.queue);
      },
      [this] {
        for (u16 n = 0; n < queue_count_; ++n)
          if (starved_[n]) core_->serve_again(n);
        starved_.assign(queue_count_, false);
      });
  drive_->on_resized([this] {
    const DomainGuard guard(owner_->lock_domain());
    sectors_ = drive_->size() / kSector;
    fill_config();
    core_->config_changed();
  });
  sectors_ = drive_->size() / kSector;
  starts_with_cache_ = write_cache_ == OnOffAuto::Auto ? drive_->medium()->details().cache.writeback
                                                       : write_cache_ == OnOffAuto::On;
  offer();
  wce_ = starts_with_cache_ ? 1 : 0;
  fill_config();
  return {};
}

Result<> VirtioBlk::check_properties() const {
  if (drive_ == nullptr) return fail("drive property not set");
  if (!drive_->inserted())
    return fail("Device needs media, but drive '{}' is empty", drive_->name());
  if (serial_.size() > kIdBytes)
    return fail("Property 'serial': '{}' is longer than {} characters", serial_, kIdBytes);
  if (scsi_) return fail("Please set scsi=off for virtio-blk devices in order to use virtio 1.0");
  if (class_ != 0 && class_ != kDisk.pci_class && class_ != kOtherStorage)
    return fail("Property 'class': {:#06x} is neither 0x0100 nor 0x0180", class_);
  if (queues_property_ == 0) return fail("num-queues property must be larger than 0");
  if (queues_property_ != kAutoQueues && queues_property_ > kMostQueues)
    return fail("num-queues={}: at most {}", queues_property_, kMostQueues);
  if (!std::has_single_bit(queue_entries_) || queue_entries_ > VirtQueue::kMostEntries ||
      queue_entries_ < kSmallestQueue)
    return fail("invalid queue-size property ({}), must be a power of 2 ({} to {})", queue_entries_,
                kSmallestQueue, VirtQueue::kMostEntries);
  return check_sizes();
}

Result<> VirtioBlk::check_sizes() const {
  const u32 logical = block_bytes_ != 0 ? block_bytes_ : kSmallestBlock;
  const u32 physical = physical_bytes_ != 0 ? physical_bytes_ : logical;
  TRY(check_block("logical_block_size", logical));
  TRY(check_block("physical_block_size", physical));
  if (logical > physical) return fail("logical_block_size > physical_block_size not supported");
  TRY(check_multiple("min_io_size", min_io_bytes_, logical));
  TRY(check_multiple("opt_io_size", opt_io_bytes_, logical));
  if (min_io_bytes_ / logical > 0xffff)
    return fail("Property 'min_io_size': {} is more than 65535 logical blocks", min_io_bytes_);
  if (discard_bytes_ != kAll) TRY(check_multiple("discard_granularity", discard_bytes_, logical));
  return {};
}

Result<> VirtioBlk::choose_geometry() {
  if (block_bytes_ == 0) block_bytes_ = kSmallestBlock;
  if (physical_bytes_ == 0) physical_bytes_ = block_bytes_;
  const bool some = (cylinders_ | heads_ | track_sectors_) != 0;
  if (some && (cylinders_ == 0 || heads_ == 0 || track_sectors_ == 0))
    return fail("Properties 'cyls', 'heads' and 'secs' must be given together");
  if (some) return {};
  heads_ = 16;
  track_sectors_ = 63;
  cylinders_ = static_cast<u32>(std::clamp<u64>(drive_->size() / kSector / (16 * 63), 2, 16383));
  return {};
}

void VirtioBlk::choose_queues() {
  const unsigned processors = std::max(owner_->machine().config.cpus, 1U);
  queue_count_ = queues_property_ != kAutoQueues
                     ? queues_property_
                     : static_cast<u16>(std::min<unsigned>(processors, kMostQueues));
}

void VirtioBlk::offer() {
  using virtio::bit;
  u64 features = features_ | bit(kSegMax) | bit(kGeometry) | bit(kBlockSize) | bit(kTopology);
  if (drive_->read_only()) features |= bit(kReadOnly);
  if (starts_with_cache_ || (features_ & bit(kConfigWce)) != 0) features |= bit(kFlush);
  if (queue_count_ > 1) features |= bit(kMultiQueue);
  constexpr u64 kShared = virtio::kLegacyFeatures | bit(virtio::kIndirectDescriptors) |
                          bit(virtio::kEventIndex) | ~u64{0xffff'ffff};
  core_->offered() = (core_->offered() & kShared) | features;
}

void VirtioBlk::fill_config() {
  const u32 blocks_of = block_bytes_ / kSector;
  const u32 segments = seg_max_adjust_ ? queue_entries_ - kSegmentsBeside : kFewSegments;
  const u32 granularity = report_discard_ && discard_bytes_ != kAll ? discard_bytes_ : block_bytes_;
  config_ = {};
  put_le(config_, kCapacityAt, sectors_, 8);
  put_le(config_, kSegMaxAt, segments, 4);
  put_le(config_, kCylindersAt, cylinders_, 2);
  put_le(config_, kHeadsAt, heads_, 1);
  put_le(config_, kSectorsAt, track_sectors_, 1);
  put_le(config_, kBlockSizeAt, block_bytes_, 4);
  put_le(config_, kPhysicalExpAt, std::countr_zero(physical_bytes_ / block_bytes_), 1);
  put_le(config_, kMinIoAt, min_io_bytes_ / block_bytes_, 2);
  put_le(config_, kOptIoAt, opt_io_bytes_ / block_bytes_, 4);
  put_le(config_, kWceAt, wce_, 1);
  put_le(config_, kQueuesAt, queue_count_, 2);
  if ((features_ & virtio::bit(kDiscard)) != 0) {
    put_le(config_, kMostDiscardAt, most_discard_ - most_discard_ % blocks_of, 4);
    put_le(config_, kDiscardSegAt, 1, 4);
    put_le(config_, kDiscardAlignAt, granularity / kSector, 4);
  }
  if ((features_ & virtio::bit(kWriteZeroes)) != 0) {
    put_le(config_, kMostZeroesAt, most_zeroes_ - most_zeroes_ % blocks_of, 4);
    put_le(config_, kZeroesSegAt, 1, 4);
    put_le(config_, kZeroesUnmapAt, 1, 1);
  }
}

// ---- The write cache

/// A driver that does not flush expects writes to have reached the disk (5.2.6.2).
bool VirtioBlk::caches() const {
  return core_->accepts(kConfigWce) ? wce_ != 0 : core_->accepts(kFlush);
}

// Of all that it can write to, the cache alone is the driver's to choose.
void VirtioBlk::config_written(u64, unsigned) {
  if (core_->accepts(kConfigWce)) wce_ = config_[kWceAt] & 1;
  fill_config();
}

// ---- What befalls it

void VirtioBlk::reset() {
  starved_.assign(queue_count_, false);
  requests_.forget_all();
  wce_ = starts_with_cache_ ? 1 : 0;
  fill_config();
}

// The others may go on where it had taken all the room.
void VirtioBlk::queue_reset(u16 number) {
  starved_[number] = false;
  requests_.forget_queue(number);
}

Result<> VirtioBlk::loaded() {
  TRY(requests_.check_loaded());
  starved_.assign(queue_count_, true);
  fill_config();
  return {};
}

}  // namespace rhea::hw
