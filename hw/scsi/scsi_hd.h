// SPDX-License-Identifier: GPL-2.0-or-later
// A hard disk on a SCSI bus.
#pragma once

#include "hw/scsi/scsi_disk.h"

namespace rhea::hw {

/// Spec: SPC-4, SBC-3: direct access, blocks of 512 bytes and more, thin provisioning. Commands are
/// done in the order in which they come, whatever their attributes; a host's error of reading is
/// UNRECOVERED READ ERROR, of writing WRITE ERROR. State: complete. Missing: protection
/// information, descriptor sense data, commands of 32 bytes, COMPARE AND WRITE, EXTENDED COPY,
/// persistent reservations, logs, defect lists, saved mode pages; of QEMU's: share-rw, account-…,
/// backend_defaults, lcyls, lheads, lsecs, quirk_mode_page_vendor_specific_apple, the obsolete page
/// of flexible disks.
class ScsiHd final : public ScsiDisk {
 public:
  static constexpr std::string_view kName = "scsi-hd";
  static void describe(Schema<ScsiHd>& s);
  ScsiHd();

  bool writes() const override { return true; }
  void reset(ResetKind kind) override;

 protected:
  Result<> realize() override;
  Result<> check_kind() override;
  DriveUse use() const override { return DriveUse::WriteIfPossible; }
  void execute(const Task& task) override;
  std::optional<std::vector<u8>> vital_page(u8 page) const override;
  std::vector<u8> more_vital_pages() const override;
  std::vector<ModePage> mode_pages(bool as_reset) const override;
  void set_mode_page(const ModePage& page) override;
  u8 device_specific() const override;

 private:
  struct Command;
  static const Command* find_command(u8 opcode);
  /// The blocks that a command is about.
  struct Extent {
    u64 first{}, count{};
  };
  static Extent extent_of(const ScsiTask& task);
  bool on_disk(const Extent& extent) const;
  DiskWork work_on(DiskWork::Kind kind, const Extent& extent) const;

  void read(const Task& task);
  void write(const Task& task);
  void verify(const Task& task);
  void write_same(const Task& task);
  void unmap(const Task& task);
  std::optional<ScsiSense> take_ranges(std::span<const u8> list, DiskWork& work) const;
  void synchronize(const Task& task);
  void seek(const Task& task);
  void format(const Task& task);
  void service_action_in(const Task& task);

  bool starts_with_cache() const;
  bool thin() const { return discard_bytes_ != 0; }
  std::vector<u8> limits_page() const;

  u32 cylinders_{}, heads_{}, track_sectors_{};
  u64 most_unmap_bytes_{};
  u16 rotation_rate_{};
  bool dpofua_{}, removable_property_{};
  bool write_cache_{true};
};

}  // namespace rhea::hw
