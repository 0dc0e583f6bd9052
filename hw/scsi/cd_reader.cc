// SPDX-License-Identifier: GPL-2.0-or-later
// The commands that readers of CDs and DVDs have on every bus (MMC-3, 6).
#include "hw/scsi/cd_reader.h"

#include "hw/scsi/big_endian.h"

#include <algorithm>

namespace rhea::hw {
namespace {

u32 field(std::span<const u8> packet, std::size_t at, unsigned size) {
  return static_cast<u32>(get_be(packet, at, size));
}

CdAnswer refused(const ScsiSense& sense) {
  return {.kind = CdAnswer::Kind::Refused, .sense = sense};
}

CdAnswer reply(std::vector<u8> data, u32 allocated) {
  return {.kind = CdAnswer::Kind::Data, .data = std::move(data), .allocated = allocated};
}

CdAnswer read(const CdMedium& medium, u32 lba, u32 count, const SectorParts& parts) {
  if (count != 0 && (lba >= medium.blocks || count > medium.blocks - lba))
    return refused(sense::kOutOfRange);
  if (count == 0 || parts.size() == 0) return {};
  return {.kind = CdAnswer::Kind::Read, .lba = lba, .count = count, .parts = parts};
}

}  // namespace

const CdReader::Command* CdReader::find_cd_command(u8 opcode) {
  using Self = CdReader;
  static constexpr std::array kCommands = {
      Command{0x25, &Self::read_capacity, true},
      Command{0x28, &Self::read_10, true},
      Command{0x2b, &Self::seek, true},
      Command{0x2f, &Self::verify, true},
      Command{0x42, &Self::read_subchannel, true},
      Command{0x43, &Self::read_toc, true},
      Command{0x46, &Self::get_configuration, false, false},
      Command{0x4a, &Self::get_event_status, false, false},
      Command{0x51, &Self::read_disc_information, true},
      Command{0x52, &Self::read_track_information, true},
      Command{0xa8, &Self::read_12, true},
      Command{0xad, &Self::read_dvd_structure, true},
      Command{0xb9, &Self::read_cd_msf, true},
      Command{0xbb, &Self::set_cd_speed},
      Command{0xbd, &Self::mechanism_status},
      Command{0xbe, &Self::read_cd, true},
  };
  const auto* found = std::ranges::find(kCommands, opcode, &Command::opcode);
  return found == kCommands.end() ? nullptr : found;
}

// ---- Blocks

CdAnswer CdReader::read_capacity(Packet, const Now& now) {
  std::vector<u8> data(8);
  put_be(data, 0, now.medium.blocks - 1, 4);
  put_be(data, 4, kCdBlockSize, 4);
  return reply(std::move(data), 8);
}

CdAnswer CdReader::read_10(Packet packet, const Now& now) {
  return read(now.medium, field(packet, 2, 4), field(packet, 7, 2), {});
}

CdAnswer CdReader::read_12(Packet packet, const Now& now) {
  return read(now.medium, field(packet, 2, 4), field(packet, 6, 4), {});
}

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

CdAnswer CdReader::read_cd(Packet packet, const Now& now) {
  const auto parts = parts_of(packet[9], packet[10]);
  if (!parts) return refused(sense::kBadField);
  if (!accepts_mode_1(packet[1])) return refused(sense::kWrongTrackMode);
  return read(now.medium, field(packet, 2, 4), field(packet, 6, 3), *parts);
}

CdAnswer CdReader::read_cd_msf(Packet packet, const Now& now) {
  const auto parts = parts_of(packet[9], packet[10]);
  const auto first = to_lba({.minute = packet[3], .second = packet[4], .frame = packet[5]});
  const auto end = to_lba({.minute = packet[6], .second = packet[7], .frame = packet[8]});
  if (!parts || !first || !end || *end < *first) return refused(sense::kBadField);
  if (!accepts_mode_1(packet[1])) return refused(sense::kWrongTrackMode);
  return read(now.medium, *first, *end - *first, *parts);
}

CdAnswer CdReader::seek(Packet packet, const Now& now) {
  return field(packet, 2, 4) >= now.medium.blocks ? refused(sense::kOutOfRange) : CdAnswer{};
}

CdAnswer CdReader::verify(Packet packet, const Now& now) {
  const bool beyond = u64{field(packet, 2, 4)} + field(packet, 7, 2) > now.medium.blocks;
  return beyond ? refused(sense::kOutOfRange) : CdAnswer{};
}

// ---- What the disc is

// No audio is playing; the current position is block 0.
CdAnswer CdReader::read_subchannel(Packet packet, const Now&) {
  std::vector<u8> data(4);
  data[1] = 0x15;
  if ((packet[2] & 0x40) != 0) {
    if (packet[3] != 1) return refused(sense::kBadField);
    data.resize(16);
    data[3] = 12;
    data[4] = 1;
    data[5] = 0x14;
    data[6] = data[7] = 1;
  }
  return reply(std::move(data), field(packet, 7, 2));
}

// The format is in byte 2, or where SFF-8020 had it.
CdAnswer CdReader::read_toc(Packet packet, const Now& now) {
  const u8 newer = packet[2] & 0x0f;
  const TocRequest request{.format = newer != 0 ? newer : static_cast<u8>(packet[9] >> 6),
                           .first_track = packet[6],
                           .msf = (packet[1] & 2) != 0};
  auto answer = toc(now.medium, request);
  if (!answer) return refused(sense::kBadField);
  return reply(std::move(*answer), field(packet, 7, 2));
}

CdAnswer CdReader::get_configuration(Packet packet, const Now& now) {
  const u8 scope = packet[1] & 3;
  if (scope == 3) return refused(sense::kBadField);
  return reply(configuration(now.medium, now.on, scope, static_cast<u16>(field(packet, 2, 2))),
               field(packet, 7, 2));
}

// Only polling, and only media events.
CdAnswer CdReader::get_event_status(Packet packet, const Now& now) {
  constexpr u8 kMediaClass = 4, kNoEvent = 0x80;
  const u32 allocated = field(packet, 7, 2);
  if ((packet[1] & 1) == 0) return refused(sense::kBadField);
  if ((packet[4] & 1 << kMediaClass) == 0)
    return reply({0, 2, kNoEvent, 1 << kMediaClass}, allocated);
  const u8 status = static_cast<u8>((now.tray_open ? 1 : 0) | (now.medium.present ? 2 : 0));
  const u8 code = static_cast<u8>(event_);
  if (allocated > 4) event_ = MediaEvent::None;
  return reply({0, 6, kMediaClass, 1 << kMediaClass, code, status, 0, 0}, allocated);
}

CdAnswer CdReader::read_disc_information(Packet packet, const Now&) {
  if ((packet[1] & 7) != 0) return refused(sense::kBadField);
  return reply(disc_information(), field(packet, 7, 2));
}

CdAnswer CdReader::read_track_information(Packet packet, const Now& now) {
  const u8 kind = packet[1] & 3;
  const u32 number = field(packet, 2, 4);
  const bool found = kind == 0 ? number < now.medium.blocks : kind == 1 && number == 1;
  if (!found) return refused(sense::kBadField);
  return reply(track_information(now.medium), field(packet, 7, 2));
}

CdAnswer CdReader::mechanism_status(Packet packet, const Now& now) {
  std::vector<u8> data(8);
  data[1] = now.tray_open ? 0x10 : 0;
  data[5] = 1;  // slots
  return reply(std::move(data), field(packet, 8, 2));
}

CdAnswer CdReader::read_dvd_structure(Packet packet, const Now& now) {
  if (!now.medium.is_dvd()) return refused(sense::kWrongFormat);
  auto answer = dvd_structure(now.medium, packet[7], packet[6]);
  if (!answer) return refused(sense::kBadField);
  return reply(std::move(*answer), field(packet, 8, 2));
}

CdAnswer CdReader::set_cd_speed(Packet, const Now&) { return {}; }

// ---- Mode pages

namespace {

constexpr u8 kErrorPage = 0x01, kAudioPage = 0x0e, kPowerPage = 0x1a, kCapabilitiesPage = 0x2a;
constexpr std::size_t kPowerBytes = 10;

constexpr std::array<u8, 6> kUsualErrors = {0x00, 0x05};  // five retries
// Stop at the end; two ports, full volume.
constexpr std::array<u8, 14> kUsualAudio = {0x04, 0, 0, 0, 0, 0, 0x01, 0xff, 0x02, 0xff};
// Reads CD-R, CD-RW and DVD; tray, lock, eject; 2 MiB of buffer at 50 times 176 kB/s.
constexpr std::array<u8, 20> kCapabilities = {0x3b, 0x00, 0x70, 0x60, 0x29, 0x00, 0x22,
                                              0x76, 0x00, 0x02, 0x08, 0x00, 0x22, 0x76,
                                              0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
constexpr u8 kCapabilityLockByte = 4, kCapabilityLocked = 0x02;

std::vector<u8> bytes_of(std::span<const u8> body) { return {body.begin(), body.end()}; }

}  // namespace

void CdReader::reset_reader() {
  event_ = MediaEvent::None;
  error_page_ = kUsualErrors;
  audio_page_ = kUsualAudio;
}

std::vector<CdReader::Page> CdReader::cd_pages(bool locked, bool as_reset) const {
  std::vector<u8> capabilities = bytes_of(kCapabilities);
  if (locked) capabilities[kCapabilityLockByte] |= kCapabilityLocked;
  std::vector<Page> pages;
  pages.push_back({kErrorPage, bytes_of(as_reset ? kUsualErrors : error_page_), true});
  pages.push_back({kAudioPage, bytes_of(as_reset ? kUsualAudio : audio_page_), true});
  pages.push_back({kPowerPage, std::vector<u8>(kPowerBytes), false});
  pages.push_back({kCapabilitiesPage, std::move(capabilities), false});
  return pages;
}

bool CdReader::set_cd_page(u8 code, std::span<const u8> body) {
  if (code == kErrorPage && body.size() == error_page_.size())
    std::ranges::copy(body, error_page_.begin());
  else if (code == kAudioPage && body.size() == audio_page_.size())
    std::ranges::copy(body, audio_page_.begin());
  else
    return false;
  return true;
}

}  // namespace rhea::hw
