// SPDX-License-Identifier: GPL-2.0-or-later
// Commands on their way from an initiator to a logical unit and back (SAM-5, 5).
#pragma once

#include "hw/scsi/sense.h"

#include <memory>
#include <span>

namespace rhea::hw {

/// Where a logical unit is on its bus.
struct ScsiAddress {
  u32 channel{}, target{}, unit{};
  friend bool operator==(const ScsiAddress&, const ScsiAddress&) = default;
};

/// SAM-5, 5.3.
enum class ScsiStatus : u8 { Good = 0x00, CheckCondition = 0x02, TaskSetFull = 0x28 };

/// How a task ended.
struct ScsiEnding {
  enum class Delivery : u8 {
    Complete,  ///< the unit has answered
    Overrun,   ///< the command wants more room for data than there is
    Failed,    ///< the initiator's memory could not be reached
  };
  Delivery delivery{};
  ScsiStatus status{};
  ScsiSense sense{};  ///< of CheckCondition
  u64 moved{};        ///< bytes of data
};

/// One command; its adapter derives from it. Under the machine's lock, like everything on the bus.
/// It ends once, perhaps within the call that began it. A unit that was told to drop it has
/// forgotten it.
class ScsiTask {
 public:
  static constexpr std::size_t kCdbBytes = 16;

  ScsiTask() = default;
  virtual ~ScsiTask() = default;
  ScsiTask(const ScsiTask&) = delete;
  ScsiTask& operator=(const ScsiTask&) = delete;

  ScsiAddress address;
  /// The command descriptor block; zeroes behind its end.
  std::array<u8, kCdbBytes> cdb{};
  u64 out_bytes{};       ///< of data from the initiator
  u64 in_bytes{};        ///< room for data to it
  bool admitted{false};  ///< it has passed what its unit had to tell first

  u8 opcode() const { return cdb[0]; }
  /// `size` bytes of the block from `at` on, as a number.
  u64 field(std::size_t at, unsigned size) const;

  // Data, `at` bytes from its start. False when there is no such memory.
  virtual bool fetch(u64 at, std::span<u8> data) = 0;
  virtual bool give(u64 at, std::span<const u8> data) = 0;
  virtual void end(const ScsiEnding& ending) = 0;

  // The usual endings.
  void succeed(u64 moved = 0) { end({.moved = moved}); }
  void refuse(const ScsiSense& sense) {
    end({.status = ScsiStatus::CheckCondition, .sense = sense});
  }
  void overrun() { end({.delivery = ScsiEnding::Delivery::Overrun}); }
  void fail() { end({.delivery = ScsiEnding::Delivery::Failed}); }
  /// Gives as much of `data` as the command allocated.
  void reply(std::span<const u8> data, u64 allocated);
  /// Fetches all of `parameters`; false when that ended the task.
  bool fetch_parameters(std::span<u8> parameters);
};

using SharedScsiTask = std::shared_ptr<ScsiTask>;

}  // namespace rhea::hw
