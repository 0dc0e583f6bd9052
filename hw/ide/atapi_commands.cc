// SPDX-License-Identifier: GPL-2.0-or-later
// ide-cd: the packet commands (MMC-3 and SPC-2).
#include "block/media.h"
#include "hw/ide/atapi.h"
#include "hw/ide/trace_events.h"
#include "rhea/util/log.h"

#include <fmt/format.h>

#include <algorithm>

namespace rhea::hw {

struct AtapiCdrom::PacketCommand {
  u8 opcode;
  void (AtapiCdrom::*run)();
  bool needs_medium{false};
  bool reports_attention{true};  ///< fails once after the medium was changed
};

const AtapiCdrom::PacketCommand* AtapiCdrom::find_packet_command(u8 opcode) {
  using Self = AtapiCdrom;
  static constexpr std::array kCommands = {
      PacketCommand{0x00, &Self::test_unit_ready, true},
      PacketCommand{0x03, &Self::request_sense, false, false},
      PacketCommand{0x12, &Self::inquiry, false, false},
      PacketCommand{0x1b, &Self::start_stop},
      PacketCommand{0x1e, &Self::prevent_allow},
      PacketCommand{0x25, &Self::read_capacity, true},
      PacketCommand{0x28, &Self::read_10, true},
      PacketCommand{0x2b, &Self::seek, true},
      PacketCommand{0x2f, &Self::verify, true},
      PacketCommand{0x42, &Self::read_subchannel, true},
      PacketCommand{0x43, &Self::read_toc, true},
      PacketCommand{0x46, &Self::get_configuration, false, false},
      PacketCommand{0x4a, &Self::get_event_status, false, false},
      PacketCommand{0x51, &Self::read_disc_information, true},
      PacketCommand{0x52, &Self::read_track_information, true},
      PacketCommand{0x55, &Self::mode_select},
      PacketCommand{0x5a, &Self::mode_sense},
      PacketCommand{0xa8, &Self::read_12, true},
      PacketCommand{0xad, &Self::read_dvd_structure, true},
      PacketCommand{0xb9, &Self::read_cd_msf, true},
      PacketCommand{0xbb, &Self::set_cd_speed},
      PacketCommand{0xbd, &Self::mechanism_status},
      PacketCommand{0xbe, &Self::read_cd, true},
  };
  const auto* found = std::ranges::find(kCommands, opcode, &PacketCommand::opcode);
  return found == kCommands.end() ? nullptr : found;
}

void AtapiCdrom::execute_packet() {
  if (atapi_packet.enabled())
    atapi_packet(*this, ide_bus().name(), fmt::format("{:02x}", fmt::join(packet_, " ")));
  const PacketCommand* command = find_packet_command(packet_[0]);
  if (command == nullptr) {
    log_guest(kName, "packet command {:#04x} is not known", packet_[0]);
    return fail_packet(sense::kBadOpcode);
  }
  if (unit_attention_ && command->reports_attention) {
    unit_attention_ = false;
    return fail_packet(sense::kMediumChanged);
  }
  if (command->needs_medium && !has_medium()) return fail_packet(not_ready());
  (this->*command->run)();
}

void AtapiCdrom::request_sense() {
  std::vector<u8> data(18);
  if (unit_attention_ && sense_.key == 0) {
    sense_ = sense::kMediumChanged;
    unit_attention_ = false;
  }
  data[0] = 0xf0;  // valid, current error
  data[2] = sense_.key;
  data[7] = 10;
  data[12] = sense_.code;
  data[13] = sense_.qualifier;
  sense_ = sense::kNone;
  reply(std::move(data), packet_[4]);
}

void AtapiCdrom::start_stop() {
  const bool start = (packet_[4] & 1) != 0, tray = (packet_[4] & 2) != 0;
  if ((packet_[4] & 0xf0) != 0 || !tray)
    return succeed();  // power conditions; spinning up and down
  if (!start && locked_ && !tray_open_) return fail_packet(sense::kRemovalPrevented);
  if (start == tray_open_) {
    medium_changed(start);
    block::guest_moved_tray(*drive_, tray_open_);
  }
  succeed();
}

void AtapiCdrom::prevent_allow() {
  locked_ = (packet_[4] & 1) != 0;
  succeed();
}

void AtapiCdrom::read_capacity() {
  const u32 last = medium().blocks - 1;
  reply({static_cast<u8>(last >> 24), static_cast<u8>(last >> 16), static_cast<u8>(last >> 8),
         static_cast<u8>(last), 0, 0, kCdBlockSize >> 8, kCdBlockSize & 0xff},
        8);
}

void AtapiCdrom::read_10() { start_reading(field32(2), field16(7), {}); }
void AtapiCdrom::read_12() { start_reading(field32(2), field32(6), {}); }

namespace {

// The flags of byte 9 and the sub-channels of byte 10; a mode 1 sector has no subheader.
std::optional<SectorParts> parts_of(u8 flags, u8 subchannels) {
  if ((flags & 0x06) != 0 || (subchannels & 7) != 0) return std::nullopt;
  return SectorParts{.sync = (flags & 0x80) != 0,
                     .header = (flags & 0x20) != 0,
                     .data = (flags & 0x10) != 0,
                     .check = (flags & 0x08) != 0};
}

// Expected sector type: any, or mode 1.
bool accepts_mode_1(u8 type) { return (type >> 2 & 7) == 0 || (type >> 2 & 7) == 2; }

}  // namespace

void AtapiCdrom::read_cd() {
  const auto parts = parts_of(packet_[9], packet_[10]);
  if (!parts) return fail_packet(sense::kBadField);
  if (!accepts_mode_1(packet_[1])) return fail_packet(sense::kWrongTrackMode);
  start_reading(field32(2), field24(6), *parts);
}

void AtapiCdrom::read_cd_msf() {
  const auto parts = parts_of(packet_[9], packet_[10]);
  const auto first = to_lba({.minute = packet_[3], .second = packet_[4], .frame = packet_[5]});
  const auto end = to_lba({.minute = packet_[6], .second = packet_[7], .frame = packet_[8]});
  if (!parts || !first || !end || *end < *first) return fail_packet(sense::kBadField);
  if (!accepts_mode_1(packet_[1])) return fail_packet(sense::kWrongTrackMode);
  start_reading(*first, *end - *first, *parts);
}

void AtapiCdrom::seek() {
  if (field32(2) >= medium().blocks) return fail_packet(sense::kOutOfRange);
  succeed();
}

void AtapiCdrom::verify() {
  if (u64{field32(2)} + field16(7) > medium().blocks) return fail_packet(sense::kOutOfRange);
  succeed();
}

// No audio is playing; the current position is block 0.
void AtapiCdrom::read_subchannel() {
  std::vector<u8> data(4);
  data[1] = 0x15;
  if ((packet_[2] & 0x40) != 0) {
    if (packet_[3] != 1) return fail_packet(sense::kBadField);
    data.resize(16);
    data[3] = 12;
    data[4] = 1;
    data[5] = 0x14;
    data[6] = data[7] = 1;
  }
  reply(std::move(data), static_cast<u32>(field16(7)));
}

// The format is in byte 2, or where SFF-8020 had it.
void AtapiCdrom::read_toc() {
  const u8 newer = packet_[2] & 0x0f;
  const TocRequest request{.format = newer != 0 ? newer : static_cast<u8>(packet_[9] >> 6),
                           .first_track = packet_[6],
                           .msf = (packet_[1] & 2) != 0};
  auto answer = toc(medium(), request);
  if (!answer) return fail_packet(sense::kBadField);
  reply(std::move(*answer), field16(7));
}

void AtapiCdrom::get_configuration() {
  const u8 scope = packet_[1] & 3;
  if (scope == 3) return fail_packet(sense::kBadField);
  reply(configuration(medium(), scope, static_cast<u16>(field16(2))), field16(7));
}

// Only polling, and only media events.
void AtapiCdrom::get_event_status() {
  constexpr u8 kMediaClass = 4, kNoEvent = 0x80;
  if ((packet_[1] & 1) == 0) return fail_packet(sense::kBadField);
  if ((packet_[4] & 1 << kMediaClass) == 0)
    return reply({0, 2, kNoEvent, 1 << kMediaClass}, field16(7));
  const u8 status = static_cast<u8>((tray_open_ ? 1 : 0) | (has_medium() ? 2 : 0));
  const u8 code = static_cast<u8>(event_);
  if (field16(7) > 4) event_ = MediaEvent::None;
  reply({0, 6, kMediaClass, 1 << kMediaClass, code, status, 0, 0}, field16(7));
}

void AtapiCdrom::read_disc_information() {
  if ((packet_[1] & 7) != 0) return fail_packet(sense::kBadField);
  reply(disc_information(), field16(7));
}

void AtapiCdrom::read_track_information() {
  const u8 kind = packet_[1] & 3;
  const u32 number = field32(2);
  const bool found = kind == 0 ? number < medium().blocks : kind == 1 && number == 1;
  if (!found) return fail_packet(sense::kBadField);
  reply(track_information(medium()), field16(7));
}

void AtapiCdrom::mechanism_status() {
  std::vector<u8> data(8);
  data[1] = tray_open_ ? 0x10 : 0;
  data[5] = 1;  // slots
  reply(std::move(data), field16(8));
}

void AtapiCdrom::read_dvd_structure() {
  const CdMedium disc = medium();
  if (!disc.is_dvd()) return fail_packet(sense::kWrongFormat);
  auto answer = dvd_structure(disc, packet_[7], packet_[6]);
  if (!answer) return fail_packet(sense::kBadField);
  reply(std::move(*answer), field16(8));
}

}  // namespace rhea::hw
