// SPDX-License-Identifier: GPL-2.0-or-later
// The block device (OASIS Virtual I/O Device 1.2, 5.2), however it is reached.
#pragma once

#include "hw/virtio/blk_requests.h"
#include "rhea/hw/boot_order.h"
#include "softmmu/iothread.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::hw {

namespace virtio_blk {

// Feature bits.
inline constexpr unsigned kSegMax = 2, kGeometry = 4, kReadOnly = 5, kBlockSize = 6, kFlush = 9,
                          kTopology = 10, kConfigWce = 11, kMultiQueue = 12, kDiscard = 13,
                          kWriteZeroes = 14;
// Types of requests.
inline constexpr u32 kIn = 0, kOut = 1, kFlushType = 4, kGetId = 8, kDiscardType = 11,
                     kWriteZeroesType = 13;
inline constexpr u32 kBarrier = u32{1} << 31;  ///< of old drivers, and nothing
inline constexpr u8 kOk = 0, kIoError = 1, kUnsupported = 2;
// Configuration.
inline constexpr std::size_t kCapacityAt = 0, kSegMaxAt = 12, kCylindersAt = 16, kHeadsAt = 18,
                             kSectorsAt = 19, kBlockSizeAt = 20, kPhysicalExpAt = 24, kMinIoAt = 26,
                             kOptIoAt = 28, kWceAt = 32, kQueuesAt = 34, kMostDiscardAt = 36,
                             kDiscardSegAt = 40, kDiscardAlignAt = 44, kMostZeroesAt = 48,
                             kZeroesSegAt = 52, kZeroesUnmapAt = 56, kConfigBytes = 60;
inline constexpr u64 kHeaderBytes = 16, kRangeBytes = 16, kIdBytes = 20, kSector = 512;
inline constexpr u32 kUnmap = 1;

inline constexpr std::array kFeatures{
    VirtioFeature{"config-wce", kConfigWce, true, "the driver may switch the write cache; on"},
    VirtioFeature{"discard", kDiscard, true, "ranges that are needed no more; on"},
    VirtioFeature{"write-zeroes", kWriteZeroes, true, "ranges of zeroes; on"}};

}  // namespace virtio_blk

/// A disk: reads, writes, flushes, discards, zeroes and its serial number, on as many queues as
/// there are processors. Errors are the request's status. Requests go to the drive in the order in
/// which they come, of all queues.
class VirtioBlk : public VirtioFunction {
 public:
  template <class Self>
  static void declare(Schema<Self>& s);

  VirtioKind kind() const final;
  Result<> start(Device& owner, VirtioCore& core) final;
  void serve(u16 number) final;
  void reset() final;
  void queue_reset(u16 number) final;
  void resumed() final { requests_.resumed(); }
  Result<> loaded() final;
  std::span<u8> config() final { return config_; }
  void config_written(u64 offset, unsigned size) final;

 protected:
  VirtioBlk() = default;
  ~VirtioBlk() = default;

 private:
  static constexpr u16 kAutoQueues = 0xffff, kMostQueues = 1022;
  static constexpr u32 kAll = ~u32{0};
  struct Range {
    u64 sector{};
    u32 count{}, flags{};
  };

  Result<> check_properties() const;
  Result<> check_sizes() const;
  Result<> choose_geometry();
  void choose_queues();
  void offer();
  void fill_config();
  bool caches() const;

  // One request: its answer, or nothing when it goes to the drive.
  void take(u16 number);
  void answer(const VirtBuffer& buffer, u16 number, u8 status, u64 data_bytes);
  std::optional<u8> begin(u16 number, u32 kind, u64 sector, u64& data_bytes);
  std::optional<u8> move_data(u16 number, bool write, u64 sector);
  std::optional<u8> change_range(u16 number, bool zeroes);
  u8 send_id(u64& data_bytes);
  bool is_on_disk(u64 sector, u64 bytes) const;
  void add(BlkRequest request);

  u64 features_{usually_offered(virtio_blk::kFeatures)};  ///< that properties switch
  VirtioCore* core_{};
  Device* owner_{};
  BlockBackend* drive_{};
  IoThreadObject* io_thread_{};
  BootIndex boot_index_;
  std::string serial_;
  u32 class_{}, cylinders_{}, heads_{}, track_sectors_{};
  u32 block_bytes_{}, physical_bytes_{}, min_io_bytes_{}, opt_io_bytes_{}, discard_bytes_{};
  u32 most_discard_{}, most_zeroes_{};
  u16 queues_property_{}, queue_entries_{};
  u16 queue_count_{1};
  bool seg_max_adjust_{}, report_discard_{}, merging_{}, scsi_{};
  OnOffAuto write_cache_{};
  OnError on_read_error_{}, on_write_error_{};

  std::array<u8, virtio_blk::kConfigBytes> config_{};
  u64 sectors_{0};  ///< of 512 bytes
  bool starts_with_cache_{false};
  u8 wce_{0};
  BlkRequests requests_;
  std::vector<bool> starved_;  ///< queues with more than there was room for
  VirtBuffer buffer_;
};

template <class Self>
void VirtioBlk::declare(Schema<Self>& s) {
  declare_features<Self>(s, virtio_blk::kFeatures, [](Self& self) -> u64& {
    return static_cast<VirtioBlk&>(self).features_;
  });
  s.link("drive", &VirtioBlk::drive_).help("ID of a drive, or a node, to use as a backend");
  s.link("iothread", &VirtioBlk::io_thread_).help("who serves the queues (-object iothread)");
  s.property("serial", &VirtioBlk::serial_, "").help("at most 20 characters");
  BootIndex::declare(s, "bootindex", &VirtioBlk::boot_index_);
  s.property("class", &VirtioBlk::class_, u32{0})
      .help("PCI class and subclass: 0x0100 or 0x0180; 0: the first");
  s.property("cyls", &VirtioBlk::cylinders_, u32{0}).range(0, 65535);
  s.property("heads", &VirtioBlk::heads_, u32{0}).range(0, 255);
  s.property("secs", &VirtioBlk::track_sectors_, u32{0}).range(0, 255);
  s.property("logical_block_size", &VirtioBlk::block_bytes_, u32{0}).as_size().help("0: 512");
  s.property("physical_block_size", &VirtioBlk::physical_bytes_, u32{0})
      .as_size()
      .help("0: that of the logical ones");
  s.property("min_io_size", &VirtioBlk::min_io_bytes_, u32{0}).as_size().help("advice; 0: none");
  s.property("opt_io_size", &VirtioBlk::opt_io_bytes_, u32{0}).as_size().help("advice; 0: none");
  s.property("discard_granularity", &VirtioBlk::discard_bytes_, VirtioBlk::kAll)
      .as_size()
      .help("of advice on where to discard; all ones: the logical block size");
  s.property("report-discard-granularity", &VirtioBlk::report_discard_, true)
      .help("off: it is the logical block size, whatever discard_granularity says");
  s.property("max-discard-sectors", &VirtioBlk::most_discard_, u32{4194303})
      .range(1, 4194303)
      .help("of 512 bytes, in one request");
  s.property("max-write-zeroes-sectors", &VirtioBlk::most_zeroes_, u32{4194303})
      .range(1, 4194303)
      .help("of 512 bytes, in one request");
  s.property("num-queues", &VirtioBlk::queues_property_, VirtioBlk::kAutoQueues)
      .help("65535: as many as processors");
  s.property("queue-size", &VirtioBlk::queue_entries_, u16{256}).help("entries, a power of two");
  s.property("seg-max-adjust", &VirtioBlk::seg_max_adjust_, true)
      .help("off: requests of 126 segments at most, however large the queues are");
  s.property("request-merging", &VirtioBlk::merging_, true)
      .help("neighbours may go to the disk as one: none do here, on or off");
  s.property("scsi", &VirtioBlk::scsi_, false).help("SCSI commands for the host's disk: off alone");
  s.property("write-cache", &VirtioBlk::write_cache_, OnOffAuto::Auto)
      .help("off: each write reaches the disk before it completes; auto: as the drive's cache=");
  s.property("rerror", &VirtioBlk::on_read_error_, OnError::Auto)
      .help("when the host fails to read: report, ignore, enospc, stop; auto: as the drive has it");
  s.property("werror", &VirtioBlk::on_write_error_, OnError::Auto).help("when it fails to write");
  s.state("wce", &VirtioBlk::wce_).range(0, 1);
  s.state("requests", &VirtioBlk::requests_);
}

}  // namespace rhea::hw
