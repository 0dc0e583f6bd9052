// SPDX-License-Identifier: GPL-2.0-or-later
// An ATAPI CD-ROM and DVD-ROM drive.
#pragma once

#include "hw/ide/cd_medium.h"
#include "hw/ide/ide_device.h"

#include <optional>

namespace rhea::hw {

/// What the device is doing with the data it moves.
enum class AtapiOp : u8 { None, Packet, DataIn, DataOut, ReadBlocks, Identify };

/// Sense key, additional code and qualifier (MMC-3, annex F).
struct AtapiSense {
  u8 key{}, code{}, qualifier{};
  static void describe(StateFields<AtapiSense>& s);
};

namespace sense {
inline constexpr AtapiSense kNone{0x0, 0x00, 0x00}, kNoMedium{0x2, 0x3a, 0x01},
    kTrayOpen{0x2, 0x3a, 0x02}, kReadError{0x3, 0x11, 0x00}, kListLength{0x5, 0x1a, 0x00},
    kBadOpcode{0x5, 0x20, 0x00}, kOutOfRange{0x5, 0x21, 0x00}, kBadField{0x5, 0x24, 0x00},
    kBadParameter{0x5, 0x26, 0x00}, kWrongFormat{0x5, 0x30, 0x00}, kNoSaving{0x5, 0x39, 0x00},
    kRemovalPrevented{0x5, 0x53, 0x02}, kWrongTrackMode{0x5, 0x64, 0x00},
    kMediumChanged{0x6, 0x28, 0x00};
}  // namespace sense

enum class MediaEvent : u8 { None, EjectRequest, NewMedia, Removal };

}  // namespace rhea::hw

namespace rhea {
template <>
struct EnumTraits<hw::AtapiOp> {
  static constexpr std::string_view kType = "AtapiOp";
  static constexpr std::array<std::string_view, 6> kNames = {"none",     "packet",      "data-in",
                                                             "data-out", "read-blocks", "identify"};
};
template <>
struct EnumTraits<hw::MediaEvent> {
  static constexpr std::string_view kType = "MediaEvent";
  static constexpr std::array<std::string_view, 4> kNames = {"none", "eject-request", "new-media",
                                                             "removal"};
};
}  // namespace rhea

namespace rhea::hw {

/// The packet feature set of ATA/ATAPI-6 with the commands of MMC-3 and SPC-2 that readers have.
/// State: complete. Missing: audio, overlap, copy protection (REPORT KEY).
class AtapiCdrom final : public IdeDevice, public MediaDevice {
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
  void fail_packet(const AtapiSense& sense);
  /// Sends as much of `data` as the packet allocated.
  void reply(std::vector<u8> data, u32 allocated);
  void send(std::vector<u8> data);
  u32 block_limit(u32 bytes) const;
  void start_reading(u32 lba, u32 count, SectorParts parts);
  void read_blocks();

  // The medium.
  bool has_medium() const;
  CdMedium medium() const;
  const AtapiSense& not_ready() const;

  // Fields of the packet; most significant byte first.
  u32 field16(unsigned at) const { return static_cast<u32>(packet_[at] << 8 | packet_[at + 1]); }
  u32 field24(unsigned at) const { return u32{packet_[at]} << 16 | field16(at + 1); }
  u32 field32(unsigned at) const { return field16(at) << 16 | field16(at + 2); }

  // Commands.
  void test_unit_ready() { succeed(); }
  void request_sense();
  void inquiry();
  void start_stop();
  void prevent_allow();
  void read_capacity();
  void read_10();
  void read_12();
  void read_cd();
  void read_cd_msf();
  void seek();
  void verify();
  void read_subchannel();
  void read_toc();
  void get_configuration();
  void get_event_status();
  void read_disc_information();
  void read_track_information();
  void mode_sense();
  void mode_select();
  void mode_parameters();
  void mechanism_status();
  void read_dvd_structure();
  void set_cd_speed() { succeed(); }

  AtapiOp op_{AtapiOp::None};
  std::array<u8, 12> packet_{};
  bool packet_dma_{false};
  u16 byte_limit_{0};
  AtapiSense sense_;
  bool unit_attention_{false};
  MediaEvent event_{MediaEvent::None};
  bool tray_open_{false}, locked_{false};
  std::array<u8, 6> error_page_{};   ///< mode page 01h after its header
  std::array<u8, 14> audio_page_{};  ///< mode page 0Eh after its header
  SectorParts parts_;                ///< of the READ under way
};

}  // namespace rhea::hw
