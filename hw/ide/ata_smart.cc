// SPDX-License-Identifier: GPL-2.0-or-later
// The SMART pages of a disk that never ails (ATA/ATAPI-6, 8.41; attributes as drives commonly
// number them).
#include "hw/ide/ata_disk.h"

#include <numeric>

namespace rhea::hw {
namespace {

struct Attribute {
  u8 id;
  u16 flags;  ///< bit 0: failure would be imminent; bit 1: updated on line
  u8 value, worst, threshold;
  u8 raw;
};

constexpr std::array kAttributes = {
    Attribute{1, 0x03, 100, 100, 6, 0},   // raw read errors
    Attribute{3, 0x03, 100, 100, 0, 0},   // spin-up time
    Attribute{4, 0x02, 100, 100, 20, 1},  // starts and stops
    Attribute{5, 0x03, 100, 100, 36, 0},  // reallocated sectors
    Attribute{9, 0x03, 100, 100, 0, 1},   // hours of operation
    Attribute{12, 0x03, 100, 100, 0, 1},  // power cycles
    Attribute{194, 0x22, 70, 70, 0, 30},  // degrees Celsius
};

std::vector<u8> page() {
  std::vector<u8> data(512);
  data[0] = 0x10;  // structure revision
  return data;
}

std::vector<u8> with_checksum(std::vector<u8> data) {
  const unsigned sum = std::accumulate(data.begin(), data.end() - 1, 0U);
  data.back() = static_cast<u8>(0x100 - (sum & 0xff));
  return data;
}

}  // namespace

std::vector<u8> smart_data() {
  std::vector<u8> data = page();
  for (std::size_t i = 0; i < kAttributes.size(); ++i) {
    const Attribute& attribute = kAttributes[i];
    u8* entry = &data[2 + 12 * i];
    entry[0] = attribute.id;
    entry[1] = static_cast<u8>(attribute.flags);
    entry[3] = attribute.value;
    entry[4] = attribute.worst;
    entry[5] = attribute.raw;
  }
  data[362] = 0x02;  // off-line collection completed
  data[364] = 0x01;  // seconds it takes
  data[367] = 0x01;  // EXECUTE OFF-LINE is implemented
  data[368] = 0x03;  // attributes are saved
  data[370] = 0x01;  // error logging
  return with_checksum(std::move(data));
}

std::vector<u8> smart_thresholds() {
  std::vector<u8> data = page();
  for (std::size_t i = 0; i < kAttributes.size(); ++i) {
    data[2 + 12 * i] = kAttributes[i].id;
    data[3 + 12 * i] = kAttributes[i].threshold;
  }
  return with_checksum(std::move(data));
}

// The directory, the error summary and the self-test log, all without entries.
std::optional<std::vector<u8>> smart_log(u8 address) {
  std::vector<u8> data(512);
  data[0] = 1;
  switch (address) {
    case 0x00:
      data[2 * 0x01] = data[2 * 0x06] = 1;  // sectors in each log
      return data;
    case 0x01:
    case 0x06: return with_checksum(std::move(data));
    default: return std::nullopt;
  }
}

}  // namespace rhea::hw
