// SPDX-License-Identifier: GPL-2.0-or-later
// Mode 1 sectors around 2048 bytes of data: sync, header, EDC and ECC (ECMA-130, 14 and annex A).
#include "hw/scsi/cd_medium.h"

#include <algorithm>
#include <array>

namespace rhea::hw {
namespace {

constexpr u32 kLeadIn = 150;  // frames before block 0
constexpr u32 kHeader = 12, kData = 16, kEdc = 2064, kParityP = 2076, kParityQ = 2248;

u8 bcd(u8 value) { return static_cast<u8>(value / 10 << 4 | value % 10); }

constexpr std::array<u32, 256> make_edc_table() {
  std::array<u32, 256> table{};
  for (u32 i = 0; i < 256; ++i) {
    u32 value = i;
    for (unsigned bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? 0xd8018001 : 0);
    table[i] = value;
  }
  return table;
}
constexpr auto kEdcTable = make_edc_table();

// Products and quotients by powers of two in GF(256), polynomial 11Dh.
struct GaloisTables {
  std::array<u8, 256> twice{};       ///< 2 * i
  std::array<u8, 256> over_three{};  ///< the x with 3 * x = i
};
constexpr GaloisTables make_galois_tables() {
  GaloisTables tables;
  for (u32 i = 0; i < 256; ++i) {
    const u32 twice = i << 1 ^ ((i & 0x80) != 0 ? 0x11d : 0);
    tables.twice[i] = static_cast<u8>(twice);
    tables.over_three[(i ^ twice) & 0xff] = static_cast<u8>(i);
  }
  return tables;
}
constexpr auto kGalois = make_galois_tables();

// How the bytes from the header on are laid out for one of the two codes.
struct ParityShape {
  u32 codes;   ///< code words, two interleaved sets of half as many
  u32 length;  ///< bytes in each
  u32 step;    ///< from one byte of a code word to the next
  u32 stride;  ///< from one pair of code words to the next
  u32 where;   ///< of the parity bytes in the sector
};
constexpr ParityShape kShapeP{
    .codes = 86, .length = 24, .step = 86, .stride = 2, .where = kParityP};
constexpr ParityShape kShapeQ{
    .codes = 52, .length = 43, .step = 88, .stride = 86, .where = kParityQ};

void add_parity(std::span<u8> sector, const ParityShape& shape) {
  const u32 total = shape.codes * shape.length;
  for (u32 code = 0; code < shape.codes; ++code) {
    u32 index = code / 2 * shape.stride + code % 2;
    u8 horner = 0, sum = 0;
    for (u32 i = 0; i < shape.length; ++i) {
      const u8 byte = sector[kHeader + index];
      horner = kGalois.twice[horner ^ byte];
      sum ^= byte;
      index += shape.step;
      if (index >= total) index -= total;
    }
    const u8 first = kGalois.over_three[kGalois.twice[horner] ^ sum];
    sector[shape.where + code] = first;
    sector[shape.where + code + shape.codes] = first ^ sum;
  }
}

void build_sector(std::span<const u8> data, u32 lba, std::span<u8> sector) {
  std::ranges::fill(sector, u8{0});
  std::fill_n(sector.begin() + 1, 10, u8{0xff});
  const Msf msf = to_msf(lba);
  sector[kHeader] = bcd(msf.minute);
  sector[kHeader + 1] = bcd(msf.second);
  sector[kHeader + 2] = bcd(msf.frame);
  sector[kHeader + 3] = 1;
  std::ranges::copy(data, sector.begin() + kData);
  u32 edc = 0;
  for (const u8 byte : sector.first(kEdc)) edc = edc >> 8 ^ kEdcTable[(edc ^ byte) & 0xff];
  for (unsigned i = 0; i < 4; ++i) sector[kEdc + i] = static_cast<u8>(edc >> (8 * i));
  add_parity(sector, kShapeP);
  add_parity(sector, kShapeQ);
}

}  // namespace

void SectorParts::describe(StateFields<SectorParts>& s) {
  s.state("sync", &SectorParts::sync);
  s.state("header", &SectorParts::header);
  s.state("data", &SectorParts::data);
  s.state("check", &SectorParts::check);
}

Msf to_msf(u32 lba) {
  const u32 frames = lba + kLeadIn;
  return {.minute = static_cast<u8>(frames / (75 * 60)),
          .second = static_cast<u8>(frames / 75 % 60),
          .frame = static_cast<u8>(frames % 75)};
}

std::optional<u32> to_lba(Msf msf) {
  const u32 frames = (msf.minute * 60u + msf.second) * 75 + msf.frame;
  if (msf.second >= 60 || msf.frame >= 75 || frames < kLeadIn) return std::nullopt;
  return frames - kLeadIn;
}

std::vector<u8> cut_sectors(std::span<const u8> data, u32 lba, const SectorParts& parts) {
  std::vector<u8> result;
  std::array<u8, kCdRawSize> sector;
  const auto append = [&](bool wanted, u32 from, u32 to) {
    if (wanted) result.insert(result.end(), sector.begin() + from, sector.begin() + to);
  };
  for (; data.size() >= kCdBlockSize; data = data.subspan(kCdBlockSize), ++lba) {
    build_sector(data.first(kCdBlockSize), lba, sector);
    append(parts.sync, 0, kHeader);
    append(parts.header, kHeader, kData);
    append(parts.data, kData, kEdc);
    append(parts.check, kEdc, kCdRawSize);
  }
  return result;
}

}  // namespace rhea::hw
