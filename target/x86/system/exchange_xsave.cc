// SPDX-License-Identifier: GPL-2.0-or-later
// x87 and vector registers in the standard format of XSAVE (SDM vol. 1, 13.4).
#include "target/x86/system/exchange.h"

#include <cstring>

namespace rhea::x86::system {
namespace {

constexpr std::size_t kLegacy = 512, kHeader = 64, kUpperHalves = 576, kEnd = 832, kPkruEnd = 840;
constexpr u64 kX87 = 1, kSse = 2, kAvx = 4, kPkru = 0x200;

template <class T>
void put(std::vector<u8>& area, std::size_t at, T value) {
  std::memcpy(&area[at], &value, sizeof value);
}
template <class T>
T get(const std::vector<u8>& area, std::size_t at) {
  T value;
  std::memcpy(&value, &area[at], sizeof value);
  return value;
}

void save_x87(const X87& x87, std::vector<u8>& area) {
  put(area, 0, x87.fcw);
  put(area, 2, x87.fsw);
  put(area, 4, x87.valid);
  put(area, 6, x87.fop);
  put(area, 8, x87.fip);
  put(area, 16, x87.fdp);
  for (unsigned i = 0; i < 8; ++i) {
    const X87Register& st = x87.reg[(x87.top() + i) % 8];
    put(area, 32 + 16 * i, st.significand);
    put(area, 40 + 16 * i, st.sign_exponent);
  }
}

void load_x87(X87& x87, const std::vector<u8>& area) {
  x87.fcw = get<u16>(area, 0);
  x87.fsw = get<u16>(area, 2);
  x87.valid = get<u8>(area, 4);
  x87.fop = get<u16>(area, 6) & 0x7ff;
  x87.fip = get<u64>(area, 8);
  x87.fdp = get<u64>(area, 16);
  for (unsigned i = 0; i < 8; ++i)
    x87.reg[(x87.top() + i) % 8] = {.significand = get<u64>(area, 32 + 16 * i),
                                    .sign_exponent = get<u16>(area, 40 + 16 * i)};
}

/// PKRU's place is the model's, so it is known of our own areas only.
bool has_pkru(const std::vector<u8>& area) { return area.size() == kPkruEnd; }

}  // namespace

std::vector<u8> save_xsave_area(const Cpu& cpu) {
  const bool avx = cpu.has(Feature::Avx);
  const bool keys = cpu.has(Feature::Pku);
  std::vector<u8> area(keys ? kPkruEnd : avx ? kEnd : kLegacy + kHeader);
  save_x87(cpu.x87, area);
  put(area, 24, cpu.mxcsr);
  put(area, 28, kMxcsrMask);
  for (unsigned i = 0; i < 16; ++i) {
    std::memcpy(&area[160 + 16 * i], cpu.ymm[i].bytes(), 16);
    if (avx) std::memcpy(&area[kUpperHalves + 16 * i], cpu.ymm[i].bytes() + 16, 16);
  }
  if (keys) put(area, kEnd, u64{cpu.pkru});
  put(area, kLegacy, kX87 | kSse | (avx ? kAvx : 0) | (keys ? kPkru : 0));
  return area;
}

void load_xsave_area(Cpu& cpu, const std::vector<u8>& area) {
  if (area.size() < kLegacy + kHeader) return;
  const u64 present = get<u64>(area, kLegacy);
  cpu.x87 = {};
  if ((present & kX87) != 0) load_x87(cpu.x87, area);
  cpu.mxcsr = get<u32>(area, 24) & kMxcsrMask;
  cpu.pkru = (present & kPkru) != 0 && has_pkru(area) ? get<u32>(area, kEnd) : 0;
  cpu.ymm = {};
  for (unsigned i = 0; i < 16; ++i) {
    if ((present & kSse) != 0) std::memcpy(cpu.ymm[i].bytes(), &area[160 + 16 * i], 16);
    if ((present & kAvx) != 0 && area.size() >= kEnd)
      std::memcpy(cpu.ymm[i].bytes() + 16, &area[kUpperHalves + 16 * i], 16);
  }
}

}  // namespace rhea::x86::system
