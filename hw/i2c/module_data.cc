// SPDX-License-Identifier: GPL-2.0-or-later
// Serial presence detect: JEDEC standard 21-C, 4.1.2, annexes E and J.
#include "hw/i2c/module_data.h"

#include "rhea/util/error.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <span>
#include <string_view>

namespace rhea::hw {
namespace {

constexpr u64 kLeast = 4 * MiB, kMostOfModule = 128 * GiB;
constexpr unsigned kChecksumAt = 63;

/// How a kind of memory tells its size.
struct Kind {
  u8 type;
  u64 least_rank, most_rank;  ///< bytes of one rank that byte 31 has a bit for
  u64 last_bit;               ///< the rank of bit 7; larger ones begin at bit 0
  unsigned most_ranks;
};
constexpr Kind kSdram{.type = 4,
                      .least_rank = 4 * MiB,
                      .most_rank = 512 * MiB,
                      .last_bit = 512 * MiB,
                      .most_ranks = 2};
constexpr Kind kDdr2{.type = 8,
                     .least_rank = 128 * MiB,
                     .most_rank = 16 * GiB,
                     .last_bit = 512 * MiB,
                     .most_ranks = 8};

const Kind& kind_of(u64 module) {
  return module <= kSdram.most_rank * kSdram.most_ranks ? kSdram : kDdr2;
}

// Byte 31: 4 MiB is bit 0 up to 512 MiB in bit 7; 1 GiB is bit 0 again.
u8 density(const Kind& kind, u64 rank) {
  const u64 first = rank <= kind.last_bit ? 4 * MiB : GiB;
  return static_cast<u8>(rank / first);
}

void put(ModuleData& data, unsigned at, std::string_view text, unsigned width) {
  std::fill_n(data.begin() + at, width, u8{' '});
  std::ranges::copy(text.substr(0, width), data.begin() + at);
}

// Times at 133 MHz, CAS latency 3 (or 2).
void describe_sdram(ModuleData& data, unsigned ranks) {
  data[5] = static_cast<u8>(ranks);
  data[8] = 0x01;                   // LVTTL
  data[9] = 0x75, data[10] = 0x54;  // 7.5 ns a clock, data after 5.4 ns
  data[12] = 0x82;                  // refreshes itself, each 7.8 us
  data[15] = 1;
  data[16] = 0x8f;  // bursts of 1, 2, 4, 8 and a page
  data[17] = 4;
  data[18] = 0x06, data[19] = 0x01, data[20] = 0x01;
  data[22] = 0x0e;
  data[23] = 0xa0, data[24] = 0x60;  // with latency 2: 10 ns, 6 ns
  data[27] = 20, data[28] = 15, data[29] = 20, data[30] = 45;
  data[32] = 0x15, data[33] = 0x08, data[34] = 0x15, data[35] = 0x08;
  data[126] = 0x64, data[127] = 0xaf;
}

// At 200 MHz (DDR2-400), CAS latency 3, 4 or 5.
void describe_ddr2(ModuleData& data, unsigned ranks) {
  data[5] = static_cast<u8>(0x60 | (ranks - 1));  // 30 mm high
  data[8] = 0x05;                                 // SSTL 1.8 V
  data[9] = 0x50, data[10] = 0x60;
  data[12] = 0x82;
  data[16] = 0x0c;
  data[17] = 8;
  data[18] = 0x38;
  data[20] = 0x02;  // unbuffered
  data[23] = 0x50, data[24] = 0x60, data[25] = 0x50, data[26] = 0x60;
  data[27] = 60, data[28] = 30, data[29] = 60, data[30] = 45;
  data[32] = 0x35, data[33] = 0x47, data[34] = 0x15, data[35] = 0x27;
  data[36] = 60, data[37] = 40, data[38] = 30;
  data[41] = 60, data[42] = 105, data[43] = 0x80, data[44] = 35, data[45] = 45;
}

}  // namespace

std::vector<u64> memory_modules(u64 ram, unsigned sockets) {
  std::vector<u64> modules;
  while (modules.size() < sockets && ram >= kLeast) {
    modules.push_back(std::min(std::bit_floor(ram), kMostOfModule));
    ram -= modules.back();
  }
  return modules;
}

ModuleData module_data(u64 size, unsigned number) {
  RHEA_ASSERT(std::has_single_bit(size) && size >= kLeast && size <= kMostOfModule);
  const Kind& kind = kind_of(size);
  const u64 ranks = std::max<u64>(size / kind.most_rank, 1);
  const u64 rank = size / ranks;
  ModuleData data{};
  data[0] = 128;  // written at the factory
  data[1] = 8;    // 2^8 there are
  data[2] = kind.type;
  if (kind.type == kSdram.type)
    describe_sdram(data, static_cast<unsigned>(ranks));
  else
    describe_ddr2(data, static_cast<unsigned>(ranks));
  // Eight bytes wide: rank = 2^(rows + columns) * banks * 8.
  const auto bits = static_cast<unsigned>(std::countr_zero(rank / data[17] / 8));
  data[4] = static_cast<u8>(std::clamp(bits - 13, 8U, 12U));
  data[3] = static_cast<u8>(bits - data[4]);
  data[6] = 64;
  data[13] = 8;  // chips are a byte wide
  data[31] = density(kind, rank);
  data[62] = 0x12;
  data[kChecksumAt] = std::accumulate(data.begin(), data.begin() + kChecksumAt, u8{0},
                                      [](u8 a, u8 b) { return static_cast<u8>(a + b); });
  put(data, 73, "RHEA-DIMM", 18);
  data[95] = static_cast<u8>(number + 1);  // serial number
  return data;
}

}  // namespace rhea::hw
