// SPDX-License-Identifier: GPL-2.0-or-later
// Commands of a virtio SCSI host on their way: many at a time, each of which its driver may forget.
#pragma once

#include "hw/scsi/scsi_bus.h"
#include "hw/virtio/virtio_core.h"

#include <functional>
#include <memory>
#include <vector>

namespace rhea::hw {

namespace virtio_scsi {

/// Before a command's own bytes, and before its sense data.
inline constexpr u32 kHeadBytes = 19, kResponseBytes = 12;

/// OASIS Virtual I/O Device 1.2, 5.6.6.1 and 5.6.6.2.
enum class Response : u8 {
  Ok,
  Overrun,
  Aborted,
  BadTarget,
  Reset,
  Busy,
  TransportFailure,
  TargetFailure,
  NexusFailure,
  Failure,
  FunctionSucceeded,
  FunctionRejected,
  IncorrectUnit
};

}  // namespace virtio_scsi

/// What is saved of a command.
struct VirtioScsiCommand {
  VirtBuffer buffer;
  u16 queue{};
  u64 tag{};
  u32 head_bytes{};   ///< of the buffer's, before the data
  u32 sense_bytes{};  ///< room for sense data in its answer
  u32 channel{}, target{}, unit{};
  std::array<u8, ScsiTask::kCdbBytes> cdb{};
  bool admitted{};

  ScsiAddress address() const { return {channel, target, unit}; }
  u64 before_data_in() const { return virtio_scsi::kResponseBytes + u64{sense_bytes}; }
  static void describe(StateFields<VirtioScsiCommand>& s);
};

/// All that a driver has asked for and not been answered. A member of the device, which outlives
/// its units' work. Under the machine's lock and in the domain, unless it says otherwise.
/// Bounded: so many, with those that were forgotten and that units still have.
/// State: the commands. Loaded ones are begun again when the machine goes on: one may be done
/// twice, but none is lost.
class VirtioScsiTasks {
 public:
  static constexpr std::size_t kMost = 1024;
  using Response = virtio_scsi::Response;
  using Which = std::function<bool(const VirtioScsiCommand&)>;

  /// `room` is called when has_room() may have become true.
  void init(Device& owner, VirtioCore& core, ScsiBus& bus, std::function<void()> room);
  bool has_room() const { return all_.size() + forgotten_.size() < kMost; }
  /// For a moment when has_room(). `response`: other than Ok, it ends with that.
  void begin(VirtioScsiCommand command, Response response);
  /// Those that were loaded.
  void begin_loaded();
  bool any(const Which& which) const;
  /// Their units drop them, and the driver hears of it.
  void end_all(Response response, const Which& which);
  /// Nobody hears of them any more. In the domain alone; drop_forgotten() has to follow.
  void forget(const Which& which);
  void drop_forgotten();
  /// After a load.
  Result<> check_loaded() const;

 private:
  friend struct rhea::StateCodec<VirtioScsiTasks>;
  class Task;
  using Shared = std::shared_ptr<Task>;

  Shared make(VirtioScsiCommand command);
  void submit(const Shared& task);
  void drop(const Shared& task);
  void ended(Task& task, const ScsiEnding& ending);
  void answer(Task& task, Response response, const ScsiEnding& ending);

  Device* owner_{};
  VirtioCore* core_{};
  ScsiBus* bus_{};
  std::function<void()> room_;
  std::vector<Shared> all_;        ///< in the order in which they came
  std::vector<Shared> forgotten_;  ///< that their units have still
};

}  // namespace rhea::hw

namespace rhea {
template <>
struct StateCodec<hw::VirtioScsiTasks> {
  static void save(const hw::VirtioScsiTasks& tasks, StateWriter& out);
  static Result<> load(hw::VirtioScsiTasks& tasks, StateReader& in, const StateField& field);
};
}  // namespace rhea
