// SPDX-License-Identifier: GPL-2.0-or-later
// The SCSI host device (OASIS Virtual I/O Device 1.2, 5.6), however it is reached: logical units on
// a bus of its own.
#pragma once

#include "hw/virtio/scsi_tasks.h"
#include "rhea/softmmu/posted.h"
#include "softmmu/iothread.h"

#include <array>
#include <optional>
#include <vector>

namespace rhea::hw {

namespace virtio_scsi {

// Feature bits.
inline constexpr unsigned kHotPlug = 1, kParamChange = 2;
// Queues.
inline constexpr u16 kControlQueue = 0, kEventQueue = 1, kFirstRequestQueue = 2;
// Configuration.
inline constexpr std::size_t kQueuesAt = 0, kSegMaxAt = 4, kMaxSectorsAt = 8, kPerUnitAt = 12,
                             kEventBytesAt = 16, kSenseBytesAt = 20, kCdbBytesAt = 24,
                             kMaxChannelAt = 28, kMaxTargetAt = 30, kMaxUnitAt = 32,
                             kConfigBytes = 36;
inline constexpr u32 kUsualSenseBytes = 96, kUsualCdbBytes = 32;
inline constexpr u32 kEventBytes = 16;
inline constexpr ScsiAddress kLast{.channel = 0, .target = 255, .unit = 16383};

/// Of the control queue.
inline constexpr u32 kTaskManagement = 0, kQuery = 1, kSubscribe = 2;
enum class TaskFunction : u32 {
  AbortTask,
  AbortTaskSet,
  ClearAca,
  ClearTaskSet,
  NexusReset,
  UnitReset,
  QueryTask,
  QueryTaskSet
};
// Events, and why.
inline constexpr u32 kNoEvent = 0, kTransportReset = 1, kParametersChanged = 3,
                     kEventsMissed = u32{1} << 31;
inline constexpr u32 kRescan = 1, kRemoved = 2;

inline constexpr std::array kFeatures{
    VirtioFeature{"hotplug", kHotPlug, true, "events for units that come and go; on"},
    VirtioFeature{"param_change", kParamChange, true, "events for capacities that change; on"}};

}  // namespace virtio_scsi

/// Takes commands for the units of its bus, and gives their answers back. Queues are looked at
/// under the machine's lock as well as in the domain: what stands on the bus is the machine's.
/// State: complete, with the commands under way.
class VirtioScsi : public VirtioFunction, private ScsiHost {
 public:
  template <class Self>
  static void declare(Schema<Self>& s);

  VirtioKind kind() const final;
  Result<> start(Device& owner, VirtioCore& core) final;
  void serve(u16 number) final;
  void reset() final;
  void queue_reset(u16 number) final;
  void resumed() final;
  Result<> loaded() final;
  std::span<u8> config() final { return config_; }
  void config_written(u64 offset, unsigned size) final;

 protected:
  VirtioScsi() = default;
  ~VirtioScsi() = default;

 private:
  static constexpr u32 kAutoQueues = ~u32{0}, kMostQueues = 1022;
  static constexpr u32 kMostSenseBytes = 0xffff, kMostCdbBytes = 256;
  using Response = virtio_scsi::Response;

  Result<> check_properties() const;
  void offer();
  void add_bus();
  void fill_config();

  // Under the machine's lock, in the domain.
  void work();
  void take_requests(u16 number);
  void take(u16 number);
  void tell_room();
  void take_controls();
  void take_control();
  Response manage(std::span<const u8> request);
  Response manage_unit(virtio_scsi::TaskFunction function, const ScsiAddress& at, u64 tag);
  Response find(const std::optional<ScsiAddress>& at) const;
  void reset_target(const ScsiAddress& at);
  /// Puts an event on its queue, or remembers that there was no buffer.
  void tell(u32 event, const ScsiDevice* unit, u32 reason);
  void tell_missed();

  bool held() const final { return core_->held(); }
  void unit_added(ScsiDevice& unit) final;
  void unit_removed(ScsiDevice& unit) final;
  void unit_reset(ScsiDevice& unit) final;
  void unit_changed(ScsiDevice& unit, const ScsiSense& what) final;

  u64 features_{usually_offered(virtio_scsi::kFeatures)};  ///< that properties switch
  VirtioCore* core_{};
  Device* owner_{};
  IoThreadObject* io_thread_{};
  u32 queues_property_{}, queue_entries_{}, max_sectors_{}, per_unit_{};
  bool seg_max_adjust_{};
  u32 request_queues_{1};

  ScsiBus* bus_{};
  std::array<u8, virtio_scsi::kConfigBytes> config_{};
  u32 sense_bytes_{virtio_scsi::kUsualSenseBytes}, cdb_bytes_{virtio_scsi::kUsualCdbBytes};
  Posted posted_;
  std::vector<bool> pending_;  ///< queues that were notified
  std::vector<bool> starved_;  ///< queues with more than there was room for
  VirtioScsiTasks tasks_;
  bool reset_bus_{false};  ///< the units are to be reset as well
  bool missed_{false};     ///< there was no buffer for an event
  VirtBuffer buffer_;
};

template <class Self>
void VirtioScsi::declare(Schema<Self>& s) {
  declare_features<Self>(s, virtio_scsi::kFeatures, [](Self& self) -> u64& {
    return static_cast<VirtioScsi&>(self).features_;
  });
  s.link("iothread", &VirtioScsi::io_thread_).help("who serves the queues (-object iothread)");
  s.property("num_queues", &VirtioScsi::queues_property_, VirtioScsi::kAutoQueues)
      .help("of requests; all ones: as many as processors");
  s.property("virtqueue_size", &VirtioScsi::queue_entries_, u32{256})
      .help("entries, a power of two");
  s.property("seg_max_adjust", &VirtioScsi::seg_max_adjust_, true)
      .help("off: commands of 126 segments at most, however large the queues are");
  s.property("max_sectors", &VirtioScsi::max_sectors_, u32{0xffff})
      .help("of 512 bytes, that drivers put into one command");
  s.property("cmd_per_lun", &VirtioScsi::per_unit_, u32{128})
      .help("commands that drivers give a unit at a time");
  s.state("sense-bytes", &VirtioScsi::sense_bytes_).range(0, VirtioScsi::kMostSenseBytes);
  s.state("cdb-bytes", &VirtioScsi::cdb_bytes_).range(0, VirtioScsi::kMostCdbBytes);
  s.state("missed", &VirtioScsi::missed_);
  s.state("tasks", &VirtioScsi::tasks_);
}

}  // namespace rhea::hw
