// SPDX-License-Identifier: GPL-2.0-or-later
// What a data disc looks like to a drive: one session, one track, and its sectors.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/util/types.h"

#include <optional>
#include <span>
#include <vector>

namespace rhea::hw {

inline constexpr u32 kCdBlockSize = 2048, kCdRawSize = 2352;
/// A CD holds 80 minutes; what is larger must be a DVD.
inline constexpr u32 kCdMaxBlocks = 80 * 60 * 75;

/// Which parts of a mode 1 sector READ CD asks for (MMC-3, 6.17: the flags of byte 9).
struct SectorParts {
  bool sync{}, header{}, data{true}, check{};

  u32 size() const {
    return (sync ? 12u : 0) + (header ? 4u : 0) + (data ? kCdBlockSize : 0) + (check ? 288u : 0);
  }
  static void describe(StateFields<SectorParts>& s);
};

/// Whether there is a disc, and how long it is.
struct CdMedium {
  bool present{};
  u32 blocks{};
  bool is_dvd() const { return blocks > kCdMaxBlocks; }
};

/// Minute, second, frame of a block, counted from the start of the lead-in.
struct Msf {
  u8 minute{}, second{}, frame{};
};
Msf to_msf(u32 lba);
/// nullopt when it lies before block 0 or is no time.
std::optional<u32> to_lba(Msf msf);

/// The asked parts of consecutive mode 1 sectors whose user data is `data`.
std::vector<u8> cut_sectors(std::span<const u8> data, u32 lba, const SectorParts& parts);

/// READ TOC/PMA/ATIP (MMC-3, 6.26), formats 0, 1 and 2; nullopt when the fields make no sense.
struct TocRequest {
  u8 format{}, first_track{};
  bool msf{};
};
std::optional<std::vector<u8>> toc(const CdMedium& medium, const TocRequest& request);

/// What the drive is on, as its core feature has it (5.3.1).
enum class CdInterface : u8 { Scsi = 1, Atapi = 2 };
/// GET CONFIGURATION (6.6): `scope` 0 all features, 1 current ones, 2 only `first`.
std::vector<u8> configuration(const CdMedium& medium, CdInterface on, u8 scope, u16 first);
std::vector<u8> disc_information();
std::vector<u8> track_information(const CdMedium& medium);
/// READ DVD STRUCTURE (6.22); nullopt for formats there are none of.
std::optional<std::vector<u8>> dvd_structure(const CdMedium& medium, u8 format, u8 layer);

}  // namespace rhea::hw
