// SPDX-License-Identifier: GPL-2.0-or-later
// An ATAPI CD-ROM and DVD-ROM drive.
#pragma once

#include "hw/ide/ide_device.h"
#include "hw/scsi/cd_reader.h"

#include <optional>

namespace rhea::hw {

/// What the device is doing with the data it moves.
enum class AtapiOp : u8 { None, Packet, DataIn, DataOut, ReadBlocks, Identify };

}  // namespace rhea::hw

namespace rhea {
template <>
struct EnumTraits<hw::AtapiOp> {
  static constexpr std::string_view kType = "AtapiOp";
  static constexpr std::array<std::string_view, 6> kNames = {"none",     "packet",      "data-in",
                                                             "data-out", "read-blocks", "identify"};
};
}  // namespace rhea

namespace rhea::hw {

/// The packet feature set of ATA/ATAPI-6 with the commands of MMC-3 and SPC-2 that readers have.
/// State: complete. Missing: audio, overlap, copy protection (REPORT KEY).
class AtapiCdrom final : public IdeDevice, public MediaDevice, public CdReader {
 public:
  static constexpr std::string_view kName = "ide-cd";
  static void describe(Schema<AtapiCdrom>& s);

  Result<> realize() override;
  void reset(ResetKind kind) override;
  Result<> post_load(unsigned version) override;

  bool has_tray() const override { return true; }
  bool tray_open() const override { return tray_open_; }
  bool medium_locked() const override { return locked_; }
  void eject_requested(bool force) override;
  void medium_changed(bool loaded) override;

 protected:
  void command(u8 code) override;
  void set_signature() override;
  bool device_reset() override;
  void forget() override { op_ = AtapiOp::None; }
  void block_begins(u32 bytes) override;
  void transfer_done() override;
  void drive_done(bool ok, std::vector<u8> data) override;
  MediaDevice* media() override { return this; }

 private:
  struct PacketCommand;
  static const PacketCommand* find_packet_command(u8 opcode);

  // Protocol.
  void abort();
  void set_features();
  void execute_packet();
  void succeed();
  void fail_packet(const ScsiSense& sense);
  /// Sends as much of `data` as the packet allocated.
  void reply(std::vector<u8> data, u32 allocated);
  void send(std::vector<u8> data);
  u32 block_limit(u32 bytes) const;
  void deliver(CdAnswer answer);
  void read_blocks();

  // The medium.
  bool has_medium() const;
  CdMedium medium() const;
  const ScsiSense& not_ready() const;

  /// Two bytes of the packet, most significant first.
  u32 field16(unsigned at) const { return static_cast<u32>(packet_[at] << 8 | packet_[at + 1]); }

  // Commands.
  void test_unit_ready() { succeed(); }
  void request_sense();
  void inquiry();
  void start_stop();
  void prevent_allow();
  void mode_sense();
  void mode_select();
  void mode_parameters();

  AtapiOp op_{AtapiOp::None};
  std::array<u8, 12> packet_{};
  bool packet_dma_{false};
  u16 byte_limit_{0};
  ScsiSense sense_;
  bool unit_attention_{false};
  bool tray_open_{false}, locked_{false};
  SectorParts parts_;  ///< of the READ under way
};

}  // namespace rhea::hw
