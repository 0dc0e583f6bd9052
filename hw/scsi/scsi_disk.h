// SPDX-License-Identifier: GPL-2.0-or-later
// What hard disks and CD-ROM drives on a SCSI bus have in common: a drive, what they say of
// themselves, mode pages, trays.
#pragma once

#include "hw/scsi/disk_work.h"
#include "hw/scsi/scsi_device.h"

#include <optional>
#include <string>
#include <vector>

namespace rhea::hw {

/// State: complete. What is under way is the adapter's state, and begun again after a load.
class ScsiDisk : public ScsiDevice, public MediaDevice {
 public:
  static constexpr std::string_view kName = "scsi-disk-base";
  using Extendable = ScsiDisk;
  static void describe(Schema<ScsiDisk>& s);

  void drop(const ScsiTask& task) final { transfers_.drop(task); }
  void resumed() final { transfers_.resumed(); }
  void reset(ResetKind kind) override;

  bool has_tray() const final { return removable_; }
  bool tray_open() const final { return tray_open_; }
  bool medium_locked() const final { return locked_; }
  void eject_requested(bool force) override;
  void medium_changed(bool loaded) override;

 protected:
  using Task = SharedScsiTask;
  /// What kinds differ in.
  struct Kind {
    u8 type{};  ///< peripheral device type
    std::string_view product{};
    u32 block_bytes{};
    bool removable{};
  };
  explicit ScsiDisk(const Kind& kind) : kind_(kind), removable_(kind.removable) {}
  Result<> realize() override;
  /// Checks the properties of the kind; the block size is known.
  virtual Result<> check_kind() { return {}; }
  virtual DriveUse use() const { return DriveUse::Read; }

  // The medium.
  bool has_medium() const { return drive_->inserted() && !tray_open_; }
  u64 blocks() const { return has_medium() ? drive_->size() / block_bytes_ : 0; }
  /// What keeps commands from the medium; kNone: nothing.
  ScsiSense not_ready() const;

  // Commands.
  void test_unit_ready(const Task& task);
  void request_sense(const Task& task);
  void inquiry(const Task& task);
  void mode_sense(const Task& task);
  void mode_select(const Task& task);
  void start_stop(const Task& task);
  void prevent_allow(const Task& task);
  /// Nothing to do for one initiator, whatever it reserves.
  void reserve(const Task& task);
  void send_diagnostic(const Task& task);
  void read_capacity(const Task& task);
  /// Gives `work` to the drive.
  void begin(const Task& task, DiskWork work);

  // Vital product data; nullopt for pages that there are not.
  virtual std::optional<std::vector<u8>> vital_page(u8 page) const;
  /// Numbers of the pages that the kind adds.
  virtual std::vector<u8> more_vital_pages() const { return {}; }

  // Mode pages.
  enum class Values : u8 { Current, Changeable, Default, Saved };
  struct ModePage {
    u8 code{};
    std::vector<u8> body{};        ///< what follows the length
    std::vector<u8> changeable{};  ///< the bits that MODE SELECT changes
  };
  /// As they are, or as after a reset.
  virtual std::vector<ModePage> mode_pages(bool as_reset) const = 0;
  /// One that was changed.
  virtual void set_mode_page(const ModePage& page) = 0;
  virtual u8 medium_type() const { return 0; }
  virtual u8 device_specific() const { return 0; }
  virtual bool has_block_descriptor() const { return true; }

  BlockBackend* drive_{};
  u32 block_bytes_{}, physical_bytes_{}, min_io_bytes_{}, opt_io_bytes_{}, discard_bytes_{};
  u64 most_io_bytes_{};
  OnOffAuto write_cache_property_{};
  bool tray_open_{false}, locked_{false}, stopped_{false};

 private:
  static constexpr u32 kAll = ~u32{0};
  Result<> check_texts() const;
  Result<> check_sizes();
  void identify();
  std::vector<u8> identification_page() const;
  std::vector<u8> mode_block(const ScsiTask& task, bool longer) const;
  bool append_pages(std::vector<u8>& data, u8 wanted, Values values) const;
  std::optional<ScsiSense> apply_modes(std::span<const u8> list, bool longer);
  std::optional<ScsiSense> apply_page(u8 code, std::span<const u8> body,
                                      std::vector<ModePage>& changed) const;

  const Kind kind_;
  BootIndex boot_index_;
  std::string serial_, vendor_, product_, version_, device_id_;
  u64 wwn_{}, port_wwn_{};
  u16 port_index_{};
  i32 scsi_version_{};
  OnError on_read_error_{}, on_write_error_{};
  DiskTransfers transfers_;

 protected:
  bool removable_;
};

}  // namespace rhea::hw
