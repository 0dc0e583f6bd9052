// SPDX-License-Identifier: GPL-2.0-or-later
// Writing flash contents to a drive, behind the guest's back.
#pragma once

#include "rhea/block/block_backend.h"

#include <vector>

namespace rhea::hw {

class PflashSaver;

/// The flashes of a machine: what they have not written yet they write when it ends.
class PflashSavers final : public MachineService {
 public:
  explicit PflashSavers(Machine&) {}
  void shutdown() override;

 private:
  friend class PflashSaver;
  std::vector<PflashSaver*> savers_;
};

/// Collects changes until the main loop's next turn, then hands the drive one write.
class PflashSaver {
 public:
  PflashSaver() = default;
  ~PflashSaver() { close(); }
  PflashSaver(const PflashSaver&) = delete;
  PflashSaver& operator=(const PflashSaver&) = delete;

  /// `contents` is the flash; it stays where it is until close().
  void open(Machine& machine, BlockBackend& drive, std::span<const u8> contents);
  void changed(u64 offset, u64 length);
  /// Writes what is outstanding and waits for it.
  void close();

 private:
  friend class PflashSavers;
  void write_out();

  Machine* machine_{};
  BlockBackend* drive_{};
  std::span<const u8> contents_;
  u64 first_{0}, end_{0};            ///< what changed; empty: nothing
  std::shared_ptr<char> scheduled_;  ///< known to the main loop by a weak pointer
};

}  // namespace rhea::hw
