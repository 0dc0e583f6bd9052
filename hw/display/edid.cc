// SPDX-License-Identifier: GPL-2.0-or-later
// Filling in the fields of an EDID base block.
#include "hw/display/edid.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <string_view>

namespace rhea::hw {
namespace {

constexpr u32 kUsualWidth = 1280, kUsualHeight = 800;
constexpr u32 kMostInTiming = 4095;  // twelve bits
constexpr u32 kRefreshHz = 60;
constexpr std::size_t kDescriptor = 18;

/// Reduced blanking as VESA's CVT has it.
constexpr u32 kHBlank = 160, kHFront = 48, kHSync = 32, kVBlank = 30, kVFront = 3, kVSync = 6;

u8 low(u32 value) { return static_cast<u8>(value); }
u8 high_pair(u32 first, u32 second) {
  return static_cast<u8>((first >> 8 & 15) << 4 | (second >> 8 & 15));
}
u32 millimetres(u32 pixels) { return pixels * 254 / 1000; }  // at 100 dots per inch

void put_timing(std::span<u8> out, u32 width, u32 height) {
  const u64 hertz = u64{width + kHBlank} * (height + kVBlank) * kRefreshHz;
  const auto clock = static_cast<u32>(std::min<u64>(hertz / 10'000, 0xffff));
  out[0] = low(clock);
  out[1] = low(clock >> 8);
  out[2] = low(width);
  out[3] = low(kHBlank);
  out[4] = high_pair(width, kHBlank);
  out[5] = low(height);
  out[6] = low(kVBlank);
  out[7] = high_pair(height, kVBlank);
  out[8] = kHFront;
  out[9] = kHSync;
  out[10] = kVFront << 4 | kVSync;
  out[12] = low(millimetres(width));
  out[13] = low(millimetres(height));
  out[14] = high_pair(millimetres(width), millimetres(height));
  out[17] = 0x18;  // separate digital syncs
}

void put_text(std::span<u8> out, u8 tag, std::string_view text) {
  out[3] = tag;
  std::ranges::fill(out.subspan(5), u8{' '});
  std::ranges::copy(text, out.begin() + 5);
  out[5 + text.size()] = '\n';
}

void put_limits(std::span<u8> out) {
  out[3] = 0xfd;
  constexpr std::array<u8, 6> limits = {50,  125, 30,
                                        160, 255, 0x01};  // Hz, kHz, 10 MHz; no formula
  std::ranges::copy(limits, out.begin() + 5);
  out[11] = '\n';
  std::ranges::fill(out.subspan(12), u8{' '});
}

struct StandardMode {
  u16 width, height;
  u8 aspect;  ///< as EDID 1.4 codes it: 0 16:10, 1 4:3, 2 5:4, 3 16:9
};
constexpr std::array<StandardMode, 8> kStandardModes = {{{2048, 1152, 3},
                                                         {1920, 1080, 3},
                                                         {1920, 1200, 0},
                                                         {1600, 1200, 1},
                                                         {1680, 1050, 0},
                                                         {1440, 900, 0},
                                                         {1280, 1024, 2},
                                                         {1280, 960, 1}}};

void put_standard_modes(std::span<u8> out, const EdidInfo& info) {
  for (std::size_t i = 0; i < kStandardModes.size(); ++i) {
    const StandardMode& mode = kStandardModes[i];
    const bool fits = (info.max_width == 0 || mode.width <= info.max_width) &&
                      (info.max_height == 0 || mode.height <= info.max_height);
    out[2 * i] = fits ? static_cast<u8>(mode.width / 8 - 31) : 0x01;
    out[2 * i + 1] = fits ? static_cast<u8>(mode.aspect << 6 | (kRefreshHz - 60)) : 0x01;
  }
}

}  // namespace

std::array<u8, 128> make_edid(EdidInfo info) {
  const u32 width = std::min(info.width != 0 ? info.width : kUsualWidth, kMostInTiming);
  const u32 height = std::min(info.height != 0 ? info.height : kUsualHeight, kMostInTiming);
  std::array<u8, 128> edid = {0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00};
  const u16 vendor = ('R' - '@') << 10 | ('H' - '@') << 5 | ('A' - '@');
  edid[8] = vendor >> 8;
  edid[9] = vendor & 0xff;
  edid[10] = 0x34;
  edid[11] = 0x12;
  edid[16] = 42;  // week
  edid[17] = 2022 - 1990;
  edid[18] = 1;  // version 1.4
  edid[19] = 4;
  edid[20] = 0xa5;  // digital, eight bits a colour, DisplayPort
  edid[21] = static_cast<u8>(std::min<u32>(millimetres(width) / 10, 255));
  edid[22] = static_cast<u8>(std::min<u32>(millimetres(height) / 10, 255));
  edid[23] = 120;   // gamma 2.2
  edid[24] = 0x06;  // sRGB, the first timing is preferred
  constexpr std::array<u8, 10> srgb = {0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54};
  std::ranges::copy(srgb, edid.begin() + 25);
  edid[35] = 0x21;  // 640x480 and 800x600 at 60 Hz
  edid[36] = 0x08;  // 1024x768 at 60 Hz
  const std::span<u8> all(edid);
  put_standard_modes(all.subspan(38, 16), info);
  put_timing(all.subspan(54, kDescriptor), width, height);
  put_limits(all.subspan(54 + kDescriptor, kDescriptor));
  put_text(all.subspan(54 + 2 * kDescriptor, kDescriptor), 0xfc, "Rhea Monitor");
  all[54 + 3 * kDescriptor + 3] = 0x10;  // empty
  edid[127] = static_cast<u8>(-std::accumulate(edid.begin(), edid.end() - 1, 0u));
  return edid;
}

}  // namespace rhea::hw
