// SPDX-License-Identifier: GPL-2.0-or-later
// What a drive tells of its disc: table of contents, profiles, disc and track information, DVD
// structures.
#include "hw/scsi/cd_medium.h"

#include <algorithm>
#include <array>

namespace rhea::hw {
namespace {

// Most significant byte first.
class Answer {
 public:
  Answer& byte(u32 value) {
    data_.push_back(static_cast<u8>(value));
    return *this;
  }
  Answer& half(u32 value) { return byte(value >> 8).byte(value); }
  Answer& word(u32 value) { return half(value >> 16).half(value); }
  Answer& zeroes(std::size_t count) {
    data_.resize(data_.size() + count);
    return *this;
  }
  // Writes how many bytes follow into the first two.
  std::vector<u8> with_length16() {
    const std::size_t length = data_.size() - 2;
    data_[0] = static_cast<u8>(length >> 8);
    data_[1] = static_cast<u8>(length);
    return std::move(data_);
  }
  std::vector<u8> with_length32() {
    const std::size_t length = data_.size() - 4;
    data_[2] = static_cast<u8>(length >> 8);
    data_[3] = static_cast<u8>(length);
    return std::move(data_);
  }

 private:
  std::vector<u8> data_;
};

constexpr u32 kDataTrack = 0x14;  // position information, data track, no copy
constexpr u32 kLeadOut = 0xaa;

void address(Answer& answer, u32 lba, bool msf) {
  if (!msf) {
    answer.word(lba);
    return;
  }
  const Msf time = to_msf(lba);
  answer.byte(0).byte(time.minute).byte(time.second).byte(time.frame);
}

std::optional<std::vector<u8>> track_list(const CdMedium& medium, const TocRequest& request) {
  if (request.first_track > 1 && request.first_track != kLeadOut) return std::nullopt;
  Answer answer;
  answer.half(0).byte(1).byte(1);
  if (request.first_track <= 1) {
    answer.byte(0).byte(kDataTrack).byte(1).byte(0);
    address(answer, 0, request.msf);
  }
  answer.byte(0).byte(kDataTrack).byte(kLeadOut).byte(0);
  address(answer, medium.blocks, request.msf);
  return answer.with_length16();
}

std::vector<u8> session_list(bool msf) {
  Answer answer;
  answer.half(0).byte(1).byte(1).byte(0).byte(kDataTrack).byte(1).byte(0);
  address(answer, 0, msf);
  return answer.with_length16();
}

// The lead-in's Q channel: points A0h (first track), A1h (last), A2h (lead-out), and the track.
std::vector<u8> raw_list(const CdMedium& medium) {
  Answer answer;
  answer.half(0).byte(1).byte(1);
  const auto point = [&answer](u32 number, Msf at) {
    answer.byte(1).byte(kDataTrack).byte(0).byte(number).zeroes(4);
    answer.byte(at.minute).byte(at.second).byte(at.frame);
  };
  point(0xa0, {.minute = 1, .second = 0, .frame = 0});
  point(0xa1, {.minute = 1, .second = 0, .frame = 0});
  point(0xa2, to_msf(medium.blocks));
  point(1, to_msf(0));
  return answer.with_length16();
}

struct Feature {
  u16 code;
  u8 version_and_flags;  ///< bit 1: persistent
  bool cd, dvd;          ///< current with such a disc (persistent ones always are)
  std::array<u8, 8> data;
  u8 length;
};

constexpr u16 kCore = 0x0001;
constexpr std::array kFeatures = {
    Feature{kCore, 0x03, true, true, {}, 4},                      // what it is on
    Feature{0x0002, 0x03, true, true, {0x02}, 4},                 // morphing
    Feature{0x0003, 0x03, true, true, {0x29}, 4},                 // removable: tray, eject, lock
    Feature{0x0010, 0x00, true, true, {0, 0, 8, 0, 0, 1, 1}, 8},  // random readable
    Feature{0x001d, 0x00, true, false, {}, 0},                    // multi-read
    Feature{0x001e, 0x00, true, false, {0}, 4},                   // CD read
    Feature{0x001f, 0x00, false, true, {}, 0},                    // DVD read
    Feature{0x0100, 0x03, true, true, {}, 0},                     // power management
    Feature{0x0105, 0x03, true, true, {}, 0},                     // timeout
};

constexpr u16 kProfileCd = 0x0008, kProfileDvd = 0x0010;

bool is_current(const Feature& feature, const CdMedium& medium) {
  if ((feature.version_and_flags & 2) != 0) return true;
  return medium.present && (medium.is_dvd() ? feature.dvd : feature.cd);
}

void profile_list(Answer& answer, const CdMedium& medium) {
  answer.half(0x0000).byte(0x03).byte(8);
  answer.half(kProfileDvd).byte(medium.present && medium.is_dvd()).byte(0);
  answer.half(kProfileCd).byte(medium.present && !medium.is_dvd()).byte(0);
}

std::vector<u8> physical_format(const CdMedium& medium) {
  constexpr u32 kFirst = 0x30000;
  Answer answer;
  answer.half(0).half(0);
  answer.byte(0x01);  // DVD-ROM, part version 1
  answer.byte(0x0f);  // 120 mm, no minimum rate
  answer.byte(0x01);  // one layer, read-only
  answer.byte(0x00);
  answer.word(kFirst).word(kFirst + medium.blocks - 1).word(0);
  answer.zeroes(2048 - 16);
  return answer.with_length16();
}

}  // namespace

std::optional<std::vector<u8>> toc(const CdMedium& medium, const TocRequest& request) {
  switch (request.format) {
    case 0: return track_list(medium, request);
    case 1: return session_list(request.msf);
    case 2: return raw_list(medium);
    default: return std::nullopt;
  }
}

std::vector<u8> configuration(const CdMedium& medium, CdInterface on, u8 scope, u16 first) {
  Answer answer;
  const u16 profile = medium.is_dvd() ? kProfileDvd : kProfileCd;
  answer.word(0).half(0).half(medium.present ? profile : 0);
  if (first == 0) profile_list(answer, medium);
  for (const Feature& feature : kFeatures) {
    const bool current = is_current(feature, medium);
    if (scope == 2 ? feature.code != first : feature.code < first || (scope == 1 && !current))
      continue;
    answer.half(feature.code).byte(feature.version_and_flags | current).byte(feature.length);
    if (feature.code == kCore)
      answer.word(static_cast<u32>(on));
    else
      for (unsigned i = 0; i < feature.length; ++i) answer.byte(feature.data[i]);
  }
  return answer.with_length32();
}

std::vector<u8> disc_information() {
  Answer answer;
  answer.half(0);
  answer.byte(0x0e);  // complete disc, complete last session
  answer.byte(1).byte(1).byte(1).byte(
      1);             // first track; sessions; first and last track of the last one
  answer.byte(0x20);  // use is unrestricted
  answer.byte(0x00);  // CD-DA or CD-ROM
  answer.zeroes(34 - 9);
  return answer.with_length16();
}

std::vector<u8> track_information(const CdMedium& medium) {
  Answer answer;
  answer.half(0).byte(1).byte(1).byte(0);
  answer.byte(0x04);  // a data track
  answer.byte(0x01);  // mode 1
  answer.byte(0);
  answer.word(0);  // starts at
  answer.word(0).word(0).word(0);
  answer.word(medium.blocks);
  answer.zeroes(36 - 28);
  return answer.with_length16();
}

std::optional<std::vector<u8>> dvd_structure(const CdMedium& medium, u8 format, u8 layer) {
  Answer answer;
  switch (format) {
    case 0x00:
      if (layer != 0) return std::nullopt;
      return physical_format(medium);
    case 0x01: return answer.half(0).half(0).zeroes(4).with_length16();     // no copy protection
    case 0x04: return answer.half(0).half(0).zeroes(2048).with_length16();  // manufacturer's words
    case 0xff:                                                              // the list of these
      answer.half(0).half(0);
      for (const u32 listed : {0x00u, 0x01u, 0x04u})
        answer.byte(listed).byte(0x40).half(listed == 1 ? 8 : 2052);
      return answer.with_length16();
    default: return std::nullopt;
  }
}

}  // namespace rhea::hw
