// SPDX-License-Identifier: GPL-2.0-or-later
// NOR flash as a board sees it.
#pragma once

#include "hw/block/pflash_saver.h"
#include "rhea/qom/device.h"
#include "rhea/softmmu/region.h"

#include <array>
#include <vector>

namespace rhea::hw {

/// "cfi.pflash01": flash with Intel's command set, eight bits wide (Intel 28F128J3A datasheet,
/// order 290667; JEDEC JEP137; Common Flash Interface, JESD68). State: the command under way, the
/// status register, the write buffer, the blocks' locks (all open after reset); the contents are
/// RAM for snapshots and go to the drive as they change. Programming clears bits, as flash does.
/// The array changes at once; the status register is busy until the drive has the change, and shows
/// an error when it does not take it. Missing: time, suspend, the protection register, flash wider
/// than a byte.
class PflashCfi01 final : public Device {
 public:
  static constexpr std::string_view kName = "cfi.pflash01";
  static void describe(Schema<PflashCfi01>& s);

  void set_drive(BlockBackend& drive) { drive_ = &drive; }
  /// Valid once realized; the board maps it.
  Region& memory() { return memory_; }
  u64 size() const { return u64{blocks_} * block_size_; }

 protected:
  Result<> realize() override;
  void reset(ResetKind) override;
  void pre_save() override;
  Result<> post_load(unsigned version) override;

 private:
  /// What the next write means.
  enum class Phase : u8 {
    Command,
    Program,  ///< a byte of data
    EraseConfirm,
    Lock,         ///< which change of a lock
    BufferCount,  ///< how many bytes follow, less one
    BufferData,
    BufferConfirm,
  };
  static constexpr unsigned kPhases = 7;
  /// What reads give.
  enum class View : u8 { Array, Status, Identifier, Query };
  static constexpr unsigned kViews = 4;
  static constexpr unsigned kBufferBytes = 256;

  MemResult read(Access& access);
  MemResult write(Access& access);
  void command(u64 offset, u8 value);
  void continue_command(u64 offset, u8 value);
  void begin(Phase phase) { phase_ = static_cast<u8>(phase); }
  void show(View view);
  void program(u64 offset, std::span<const u8> data);
  void program_buffer();
  void erase(u64 offset);
  void change_lock(u64 offset, u8 value);
  void fill_buffer(u64 offset, u8 value);
  bool may_change(u64 offset, u8 error);
  /// `error` is the status bit to show if the drive cannot keep it.
  void contents_changed(u64 offset, u64 length, u8 error);
  u8 status() const;
  void saved(bool ok);
  u8 identifier(u64 offset) const;
  u8 query(u64 offset) const;
  u64 block(u64 offset) const { return offset / block_size_; }

  BlockBackend* drive_{};
  u32 blocks_{}, block_size_{};
  u8 width_{};
  bool secure_{};
  u16 id0_{}, id1_{}, id2_{}, id3_{};
  std::string label_;

  u8 phase_{}, view_{};
  u8 status_{};
  u8 at_risk_{};            ///< error bits of changes that are on their way to the drive
  std::vector<u8> locked_;  ///< one a block
  u32 buffer_at_{}, buffer_expected_{}, buffer_count_{};
  std::array<u8, kBufferBytes> buffer_{};
  Region memory_;
  PflashSaver saver_;
};

}  // namespace rhea::hw
