// SPDX-License-Identifier: GPL-2.0-or-later
// What readers of CDs and DVDs do with their discs, be they on an IDE channel or on a SCSI bus.
#pragma once

#include "hw/scsi/cd_medium.h"
#include "hw/scsi/sense.h"

#include <array>
#include <span>
#include <string_view>
#include <vector>

namespace rhea::hw {

/// What befell the tray, for who polls (MMC-3, 6.7).
enum class MediaEvent : u8 { None, EjectRequest, NewMedia, Removal };

/// What a command comes to.
struct CdAnswer {
  enum class Kind : u8 {
    Good,
    Data,     ///< as much of `data` as was allocated
    Read,     ///< blocks, or parts of them
    Refused,  ///< `sense`
  };
  Kind kind{};
  std::vector<u8> data{};
  u32 allocated{};
  u32 lba{}, count{};
  SectorParts parts{};
  ScsiSense sense{};
};

}  // namespace rhea::hw

namespace rhea {
template <>
struct EnumTraits<hw::MediaEvent> {
  static constexpr std::string_view kType = "MediaEvent";
  static constexpr std::array<std::string_view, 4> kNames = {"none", "eject-request", "new-media",
                                                             "removal"};
};
}  // namespace rhea

namespace rhea::hw {

/// The commands of MMC-3 that readers have on every bus. A base of the drive beside its device's,
/// which declares the state: event_, error_page_, audio_page_.
class CdReader {
 protected:
  using Packet = std::span<const u8>;
  /// The drive as it is just now.
  struct Now {
    CdMedium medium;
    bool tray_open{};
    CdInterface on{};
  };
  struct Command {
    u8 opcode;
    CdAnswer (CdReader::*run)(Packet, const Now&);
    bool needs_medium{false};
    bool reports_attention{true};  ///< fails once after the medium was changed
  };
  /// Null for those that it does not know.
  static const Command* find_cd_command(u8 opcode);
  /// The packet has 12 bytes or more.
  CdAnswer run(const Command& command, Packet packet, const Now& now) {
    return (this->*command.run)(packet, now);
  }
  void reset_reader();

  struct Page {
    u8 code{};
    std::vector<u8> body{};  ///< what follows the length
    bool changeable{};
  };
  /// The mode pages (5.4, and SPC-2, 8.4), as they are or as after a reset.
  std::vector<Page> cd_pages(bool locked, bool as_reset) const;
  /// False for one that does not change.
  bool set_cd_page(u8 code, std::span<const u8> body);

  MediaEvent event_{MediaEvent::None};
  std::array<u8, 6> error_page_{};   ///< mode page 01h after its header
  std::array<u8, 14> audio_page_{};  ///< mode page 0Eh after its header

 private:
  CdAnswer read_capacity(Packet packet, const Now& now);
  CdAnswer read_10(Packet packet, const Now& now);
  CdAnswer read_12(Packet packet, const Now& now);
  CdAnswer read_cd(Packet packet, const Now& now);
  CdAnswer read_cd_msf(Packet packet, const Now& now);
  CdAnswer seek(Packet packet, const Now& now);
  CdAnswer verify(Packet packet, const Now& now);
  CdAnswer read_subchannel(Packet packet, const Now& now);
  CdAnswer read_toc(Packet packet, const Now& now);
  CdAnswer get_configuration(Packet packet, const Now& now);
  CdAnswer get_event_status(Packet packet, const Now& now);
  CdAnswer read_disc_information(Packet packet, const Now& now);
  CdAnswer read_track_information(Packet packet, const Now& now);
  CdAnswer mechanism_status(Packet packet, const Now& now);
  CdAnswer read_dvd_structure(Packet packet, const Now& now);
  CdAnswer set_cd_speed(Packet packet, const Now& now);
};

}  // namespace rhea::hw
