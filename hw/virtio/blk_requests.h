// SPDX-License-Identifier: GPL-2.0-or-later
// Requests of a virtio disk on their way: many at a time, each of which its driver may forget.
#pragma once

#include "hw/virtio/virtio_core.h"
#include "rhea/block/block_backend.h"
#include "rhea/softmmu/deferred.h"
#include "rhea/softmmu/posted.h"

#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace rhea::hw {

/// One request, as it is saved.
struct BlkRequest {
  enum class Op : u8 { Read, Write, Flush, Discard, WriteZeroes };
  VirtBuffer buffer;
  u16 queue{};
  Op op{};
  u64 offset{}, length{};  ///< bytes of the disk
  u64 done{};              ///< bytes, from the first
  bool unmap{};            ///< of zeroes: their place may be freed
  bool write_through{};    ///< complete when it has reached the disk

  static void describe(StateFields<BlkRequest>& s);
};

}  // namespace rhea::hw

namespace rhea {
template <>
struct EnumTraits<hw::BlkRequest::Op> {
  static constexpr std::string_view kType = "BlkRequestOp";
  static constexpr std::array<std::string_view, 5> kNames = {"read", "write", "flush", "discard",
                                                             "write-zeroes"};
};
}  // namespace rhea

namespace rhea::hw {

/// All that a driver has asked for and not been answered. A member of the device; used in its
/// domain. The drive's side runs under the machine's lock as well: what is added without that is
/// posted.
///
/// Bounded: so many requests, and so many bytes of memory for their data, with those that were
/// forgotten and that the disk is still at; and so many bytes in one turn, since they are copied
/// under the machine's lock. The drive does one after the other: more of them would not be faster.
/// Long ones go piece by piece, each copied once.
/// State: the requests. Loaded ones are made again when the machine goes on, as are those
/// whose errors stopped it: a request may be done twice, but none is lost.
class BlkRequests final : public ObjectMember {
 public:
  static constexpr std::size_t kMost = 1024;
  static constexpr u64 kPiece = 1 * MiB, kMostBytes = 8 * MiB, kTurnBytes = 2 * MiB;
  /// How the request ended.
  using Done = std::function<void(const BlkRequest&, bool ok)>;

  BlkRequests() = default;
  ~BlkRequests() override { end(); }

  /// From realize(). `room` is called when has_room() may have become true.
  void init(Machine& machine, VirtioCore& core, BlockBackend& drive, Done done,
            std::function<void()> room);
  bool has_room() const { return jobs_.size() + forgotten_.size() < kMost; }
  /// For a moment when has_room(); the caller has checked offset and length against the disk.
  void add(BlkRequest request);
  /// Nobody hears of them any more; writes that the drive has are still done. There may be room
  /// then.
  void forget_all();
  void forget_queue(u16 number);
  void resumed();
  /// After a load.
  Result<> check_loaded() const;

 protected:
  void end() override;

 private:
  friend struct rhea::StateCodec<BlkRequests>;
  enum class Stage : u8 {
    Waiting,    ///< for the drive
    WithDrive,  ///< its own thread touches the data
    Stopped,    ///< until the machine goes on
  };
  struct Job {
    BlkRequest request;
    Stage stage{Stage::Stopped};
    bool flushing{false};
    bool forgotten{false};
    std::vector<u8> data;
    BlockBackend::Ticket ticket{};
    BlkRequests* owner{};
  };
  using Shared = std::shared_ptr<Job>;

  void forget(const std::function<bool(const Job&)>& which);
  bool withdraw_forgotten();
  void hand_over();
  bool start(const Shared& job);
  void take_memory(Job& job, u64 bytes);
  void free_memory(Job& job);
  bool fill(Job& job);
  void submit(const Shared& job);
  void completed(const Shared& job, bool ok, ErrorAction action);
  void go_on(const Shared& job, bool ok);
  void finish(const Shared& job, bool ok);
  void tell_room();

  VirtioCore* core_{};
  BlockBackend* drive_{};
  Done done_;
  std::function<void()> room_;
  Posted posted_;
  Deferred later_;                 ///< what is left of a turn
  std::vector<Shared> jobs_;       ///< in the order in which they came
  std::deque<Shared> waiting_;     ///< of those
  std::vector<Shared> forgotten_;  ///< with the drive still
  u64 bytes_{0};                   ///< of memory for data
  u64 turn_bytes_{kTurnBytes};     ///< that may be copied yet in this turn
};

}  // namespace rhea::hw

namespace rhea {
template <>
struct StateCodec<hw::BlkRequests> {
  static void save(const hw::BlkRequests& requests, StateWriter& out);
  static Result<> load(hw::BlkRequests& requests, StateReader& in, const StateField& field);
};
}  // namespace rhea
