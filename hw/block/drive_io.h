// SPDX-License-Identifier: GPL-2.0-or-later
// One disk request at a time, which its device may forget: buffers belong to the request, not to
// the device.
#pragma once

#include "rhea/block/block_backend.h"
#include "rhea/qom/state.h"

#include <functional>
#include <memory>
#include <vector>

namespace rhea::hw {

/// A request that waits for the machine to run again, as it is saved.
struct HeldRequest {
  enum class Kind : u8 { None, Read, Write, Flush, Discard };
  Kind kind{};
  u64 offset{};
  u32 bytes{};
  std::vector<u8> data;

  static void describe(StateFields<HeldRequest>& s);
  static constexpr u32 kMostBytes = 64 * MiB;
};

/// A member of the device. After cancel(), and when the device was unrealized, nothing is called
/// back.
/// However often the guest forgets a request and gives another, the drive has one of them: the next
/// waits here until the disk is through with a forgotten one that could not be withdrawn.
class DriveIo final : public ObjectMember {
 public:
  /// How it went, and the data (of reads what was read, of writes the buffer handed in).
  using Done = std::function<void(bool ok, std::vector<u8> data)>;

  DriveIo() = default;
  ~DriveIo() override { end(); }

  // Starting a request cancels the one before.
  void read(BlockBackend& drive, u64 offset, u32 bytes, Done done);
  void write(BlockBackend& drive, u64 offset, std::vector<u8> data, Done done);
  void flush(BlockBackend& drive, Done done);
  void discard(BlockBackend& drive, u64 offset, u32 bytes, Done done);
  /// Nobody hears of the request any more. A write that the drive has is still done; of a read
  /// nothing is left unless the disk is at it.
  void cancel();
  // With a drive that decides about errors (BlockBackend::let_policy_decide) a request whose error
  // stops the machine is held, and made again when that runs.
  /// What is held; nothing if its kind is None.
  HeldRequest held() const;
  /// Holds a request that was saved.
  void hold(BlockBackend& drive, HeldRequest request, Done done);
  bool busy() const {
    return held_ != nullptr || next_ != nullptr || (current_ != nullptr && !current_->forgotten);
  }

 protected:
  void end() override;

 private:
  using Kind = HeldRequest::Kind;
  struct Request {
    Kind kind{};
    BlockBackend* drive{};
    u64 offset{};
    u32 bytes{};
    std::vector<u8> data;
    Done done;
    DriveIo* owner{};
    BlockBackend::Ticket ticket{};
    bool forgotten{false};
  };
  void start(Request request);
  void submit(std::shared_ptr<Request> request);
  void completed(bool ok, ErrorAction action);
  void hold(std::shared_ptr<Request> request);

  std::shared_ptr<Request> current_;  ///< with the drive
  std::shared_ptr<Request> next_;
  std::shared_ptr<Request> held_;
};

}  // namespace rhea::hw

namespace rhea {
template <>
struct EnumTraits<hw::HeldRequest::Kind> {
  static constexpr std::string_view kType = "HeldRequestKind";
  static constexpr std::array<std::string_view, 5> kNames = {"none", "read", "write", "flush",
                                                             "discard"};
};
}  // namespace rhea
