// SPDX-License-Identifier: GPL-2.0-or-later
// What a guest's firmware reads of CMOS and fw_cfg.
#pragma once

#include "tests/support/pc.h"

#include <bit>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rhea::test {

inline u64 cmos(Pc& pc, u8 index) {
  pc.machine().io().store(0x70, index, 1);
  return pc.machine().io().load(0x71, 1);
}

/// Where a fw_cfg file is by the directory that the guest reads; key 0 when there is none.
struct FwCfgPlace {
  u64 bytes{}, key{};
};
inline FwCfgPlace fw_cfg_place(Pc& pc, std::string_view name) {
  constexpr u16 kSelector = 0x510, kData = 0x511, kDirectory = 0x19;
  const auto& io = pc.machine().io();
  const auto read_big_endian = [&io](unsigned bytes) {
    u64 value = 0;
    for (unsigned i = 0; i < bytes; ++i) value = value << 8 | io.load(kData, 1);
    return value;
  };
  io.store(kSelector, kDirectory, 2);
  for (u64 left = read_big_endian(4); left > 0; --left) {
    FwCfgPlace place{.bytes = read_big_endian(4), .key = read_big_endian(2)};
    read_big_endian(2);
    std::string text;
    for (unsigned i = 0; i < 56; ++i) text += static_cast<char>(read_big_endian(1));
    if (text.c_str() == name) return place;
  }
  return {};
}

/// A fw_cfg file as the guest finds and reads it; empty when there is none.
inline std::vector<u8> fw_cfg_file(Pc& pc, std::string_view name) {
  const FwCfgPlace place = fw_cfg_place(pc, name);
  std::vector<u8> contents(place.bytes);
  pc.machine().io().store(0x510, place.key, 2);
  for (u8& byte : contents) byte = static_cast<u8>(pc.machine().io().load(0x511, 1));
  return contents;
}

/// Writes a fw_cfg file from its beginning by fw_cfg's DMA, as firmware does. Uses memory from
/// 0x1000 on.
inline void write_fw_cfg_file(Pc& pc, std::string_view name, std::span<const u8> data) {
  constexpr u64 kDescriptor = 0x1000, kData = 0x2000;
  constexpr u32 kSelect = 8, kWrite = 16;
  auto& memory = pc.machine().memory();
  for (std::size_t i = 0; i < data.size(); ++i) memory.store(kData + i, data[i], 1);
  const auto key = static_cast<u32>(fw_cfg_place(pc, name).key);
  memory.store(kDescriptor, std::byteswap(key << 16 | kSelect | kWrite), 4);
  memory.store(kDescriptor + 4, std::byteswap(static_cast<u32>(data.size())), 4);
  memory.store(kDescriptor + 8, std::byteswap(kData), 8);
  pc.machine().io().store(0x514, 0, 4);
  pc.machine().io().store(0x518, std::byteswap(static_cast<u32>(kDescriptor)), 4);
  pc.machine().loop().iterate(false);
}

/// A fw_cfg file as text, without the zero at its end.
inline std::string fw_cfg_text(Pc& pc, std::string_view name) {
  const auto file = fw_cfg_file(pc, name);
  std::string text(file.begin(), file.end());
  if (text.ends_with('\0')) text.pop_back();
  return text;
}

/// A numbered fw_cfg item of `bytes` bytes, least significant first.
inline u64 fw_cfg_item(Pc& pc, u16 key, unsigned bytes) {
  pc.machine().io().store(0x510, key, 2);
  u64 value = 0;
  for (unsigned i = 0; i < bytes; ++i) value |= pc.machine().io().load(0x511, 1) << (8 * i);
  return value;
}

}  // namespace rhea::test
