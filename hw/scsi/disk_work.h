// SPDX-License-Identifier: GPL-2.0-or-later
// What commands have a drive do: many at a time, each of which its initiator may forget.
#pragma once

#include "hw/scsi/scsi_bus.h"
#include "rhea/block/block_backend.h"
#include "rhea/softmmu/deferred.h"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace rhea::hw {

/// The work of one command. Offsets and lengths are bytes of the disk, and checked.
struct DiskWork {
  enum class Kind : u8 {
    Read,
    Write,
    Check,    ///< that it can be read
    Compare,  ///< with the initiator's data, or with `pattern` over and over
    Flush,
    Discard,  ///< `ranges`
    Zeroes,
    Fill,  ///< with `pattern` over and over
  };
  struct Range {
    u64 offset{}, length{};
  };
  Kind kind{};
  u64 offset{}, length{};
  bool may_unmap{false};     ///< of zeroes: their place may be freed
  bool reaches_disk{false};  ///< what is written is flushed before the command ends
  /// What is done with the range after it was written and has reached the disk.
  std::optional<Kind> afterwards{};
  std::vector<Range> ranges{};
  std::vector<u8> pattern{};
  /// What of a piece that was read, so many bytes from the start, the initiator sees; empty: all.
  std::function<std::vector<u8>(std::span<const u8> data, u64 at)> shown{};
  u64 fetched{0};  ///< bytes of the initiator's data that went into these
};

/// All that a drive was asked for and has not answered. A member of a logical unit, used under the
/// machine's lock.
///
/// Bounded: so many tasks, and so many bytes of memory for their data, with those that were
/// forgotten and that the disk is still at; and so many bytes in one turn, since they are copied
/// under the lock. Long ones go piece by piece, each copied once. The drive does one after the
/// other.
/// A task whose error stops the machine is done again from where it was when that goes on.
class DiskTransfers final : public ObjectMember {
 public:
  static constexpr std::size_t kMost = 1024;
  static constexpr u64 kPiece = 1 * MiB, kMostBytes = 8 * MiB, kTurnBytes = 2 * MiB;
  /// A read of what failed, or a write: what the initiator hears.
  using Failed = std::function<ScsiSense(bool write)>;

  DiskTransfers() = default;
  ~DiskTransfers() override { end(); }

  /// From realize().
  void init(Machine& machine, ScsiHost& host, BlockBackend& drive, Failed failed);
  bool has_room() const { return jobs_.size() + forgotten_.size() < kMost; }
  /// For a moment when has_room().
  void add(const SharedScsiTask& task, DiskWork work);
  /// Nobody hears of it any more; a write that the drive has is still done.
  void drop(const ScsiTask& task);
  void resumed();

 protected:
  void end() override;

 private:
  using Kind = DiskWork::Kind;
  struct Job {
    SharedScsiTask task;
    DiskWork work;
    u64 done{0};           ///< bytes, from the first
    u64 moved{0};          ///< of the initiator's data
    std::size_t range{0};  ///< the next of `ranges`
    bool flushing{false};
    bool with_drive{false};  ///< its own thread touches the data
    bool forgotten{false};
    std::vector<u8> data{};
    BlockBackend::Ticket ticket{};
    DiskTransfers* owner{};
  };
  using Shared = std::shared_ptr<Job>;

  static bool has_data(const Job& job);
  void withdraw_forgotten();
  void hand_over();
  bool has_memory_for(const Job& job) const;
  void start(const Shared& job);
  void free_memory(Job& job);
  static bool fill(Job& job);
  void submit(const Shared& job);
  void completed(const Shared& job, bool ok, ErrorAction action);
  void go_on(const Shared& job, bool ok);
  void next_step(const Shared& job);
  void again(const Shared& job);
  /// Takes it off, for its end.
  SharedScsiTask take(const Shared& job);

  ScsiHost* host_{};
  BlockBackend* drive_{};
  Failed failed_;
  Deferred later_;                 ///< what is left of a turn
  std::vector<Shared> jobs_;       ///< in the order in which they came
  std::deque<Shared> waiting_;     ///< of those: for the drive
  std::deque<Shared> stopped_;     ///< of those: until the machine goes on
  std::vector<Shared> forgotten_;  ///< with the drive still
  u64 bytes_{0};                   ///< of memory for data
  u64 turn_bytes_{kTurnBytes};     ///< that may be copied yet in this turn
};

}  // namespace rhea::hw
