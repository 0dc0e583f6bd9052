// SPDX-License-Identifier: GPL-2.0-or-later
// An ATA hard disk.
#pragma once

#include "hw/ide/ide_device.h"

#include <optional>

namespace rhea::hw {

/// What the command under way does with sectors (or with its one buffer).
enum class AtaOp : u8 {
  None,
  ReadPio,
  ReadDma,
  WritePio,
  WriteDma,
  Verify,
  Flush,
  DataIn,
  DataOut,
  Trim
};

}  // namespace rhea::hw

namespace rhea {
template <>
struct EnumTraits<hw::AtaOp> {
  static constexpr std::string_view kType = "AtaOp";
  static constexpr std::array<std::string_view, 10> kNames = {
      "none",   "read-pio", "read-dma", "write-pio", "write-dma",
      "verify", "flush",    "data-in",  "data-out",  "trim"};
};
}  // namespace rhea

namespace rhea::hw {

/// The disk of ATA/ATAPI-6 (T13/1410D): the general feature set, 48-bit addresses, power
/// management, SMART; and TRIM (ATA8-ACS-2). State: complete. Missing: security, host protected
/// area, overlapped and queued commands.
class AtaDisk final : public IdeDevice {
 public:
  static constexpr std::string_view kName = "ide-hd";
  static void describe(Schema<AtaDisk>& s);

  Result<> realize() override;
  void reset(ResetKind kind) override;
  Result<> post_load(unsigned version) override;

 protected:
  void command(u8 code) override;
  void set_signature() override;
  void forget() override {
    op_ = AtaOp::None;
    flushing_ = false;
  }
  void transfer_done() override;
  void drive_done(bool ok, std::vector<u8> data) override;

 private:
  struct SectorCommand;
  static const SectorCommand* find_sector_command(u8 code);

  // Commands, by kind.
  void sectors_command(const SectorCommand& command);
  void identify();
  void flush();
  void seek();
  void set_features();
  void set_multiple();
  void initialize_parameters();
  void smart();
  void data_set_management();
  void send(std::vector<u8> data);
  void succeed() { finish(kStatusReady | kStatusSeekComplete, 0, true); }
  void abort(u8 error = kErrorAbort);

  // Sectors.
  void move_chunk(bool first);
  void advance();
  void trim_next();
  bool starts_with_write_cache() const;
  std::optional<u64> address(bool lba48) const;
  void set_address(u64 lba);
  Result<> choose_geometry();

  u32 cylinders_{}, heads_{}, sectors_per_track_{};
  u64 sectors_{0};
  AtaGeometry native_;
  // What the host set.
  u32 chs_heads_{0}, chs_sectors_{0};
  u8 multiple_{0};
  bool write_cache_{true}, look_ahead_{true}, smart_enabled_{true}, standby_{false};
  std::array<u8, 512> sector_buffer_{};
  // The command under way.
  AtaOp op_{AtaOp::None};
  bool lba48_{false};
  u32 block_sectors_{1};
  bool write_through_{false};  ///< each write reaches the disk before the next one
  bool flushing_{false};       ///< and this one is on its way there
  u32 trim_entry_{0};          ///< next of the buffer's ranges
};

/// What SMART READ DATA and SMART READ THRESHOLDS return (ATA/ATAPI-6, 8.41).
std::vector<u8> smart_data();
std::vector<u8> smart_thresholds();
/// nullopt for logs that the disk does not keep.
std::optional<std::vector<u8>> smart_log(u8 address);

}  // namespace rhea::hw
