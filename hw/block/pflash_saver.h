// SPDX-License-Identifier: GPL-2.0-or-later
// Writing flash contents to a drive while the guest goes on.
#pragma once

#include "rhea/block/block_backend.h"
#include "rhea/softmmu/deferred.h"
#include "rhea/util/message_limit.h"

#include <functional>
#include <vector>

namespace rhea::hw {

class PflashSaver;

/// The flashes of a machine: what they have not written yet they write when it ends.
class PflashSavers final : public MachineService {
 public:
  explicit PflashSavers(Machine& machine) : machine_(&machine) {}
  void shutdown() override;

 private:
  friend class PflashSaver;
  Machine* machine_;
  std::vector<PflashSaver*> savers_;
};

/// However fast the guest writes and however slow the drive is: one write is under way, and what
/// changes meanwhile is one span, written after it. What could not be written stays in the span and
/// is tried again with the next change, and at the end.
class PflashSaver {
 public:
  PflashSaver() = default;
  ~PflashSaver() { close(); }
  PflashSaver(const PflashSaver&) = delete;
  PflashSaver& operator=(const PflashSaver&) = delete;

  /// `contents` is the flash; it stays where it is until close(), which comes when the device is
  /// unrealized. `settled` hears when everything was written, or that it could not be.
  void open(Device& device, BlockBackend& drive, std::span<const u8> contents,
            std::function<void(bool ok)> settled);
  void changed(u64 offset, u64 length);
  /// Whether nothing is on its way: the last outcome is the outcome of all changes so far.
  bool is_settled() const { return !write_out_.scheduled() && !writing_; }
  /// Waits until that is so.
  void settle();
  /// Writes what is outstanding and waits for it, as long as the disk may take at an end.
  void close();

 private:
  friend class PflashSavers;
  void write_out();
  void written(u64 offset, u64 length, const Result<>& result);
  void add(u64 offset, u64 length);

  Machine* machine_{};
  BlockBackend* drive_{};
  std::span<const u8> contents_;
  std::function<void(bool)> settled_;
  u64 first_{0}, end_{0};  ///< what is not written; empty: nothing
  Deferred write_out_;
  bool writing_{false};
  bool again_{false};  ///< something changed while writing
  MessageLimit warnings_;
};

}  // namespace rhea::hw
