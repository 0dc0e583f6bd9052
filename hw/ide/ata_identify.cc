// SPDX-License-Identifier: GPL-2.0-or-later
// Words of the IDENTIFY answers.
#include "hw/ide/ata_identify.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace rhea::hw {
namespace {

class Words {
 public:
  void set(unsigned word, u16 value) { words_[word] = value; }
  void set32(unsigned word, u32 value) {
    words_[word] = static_cast<u16>(value);
    words_[word + 1] = static_cast<u16>(value >> 16);
  }
  void set64(unsigned word, u64 value) {
    set32(word, static_cast<u32>(value));
    set32(word + 2, static_cast<u32>(value >> 32));
  }
  // Text is padded with blanks; the first character of each pair is the high byte.
  void text(unsigned word, unsigned count, std::string_view text) {
    const auto at = [text](unsigned i) { return static_cast<u8>(i < text.size() ? text[i] : ' '); };
    for (unsigned i = 0; i < count; ++i)
      words_[word + i] = static_cast<u16>(at(2 * i) << 8 | at(2 * i + 1));
  }
  // The last word makes the sum of all bytes zero.
  std::vector<u8> bytes() {
    std::vector<u8> data(512);
    for (unsigned i = 0; i < 255; ++i) {
      data[2 * i] = static_cast<u8>(words_[i]);
      data[2 * i + 1] = static_cast<u8>(words_[i] >> 8);
    }
    data[510] = 0xa5;
    const unsigned sum = std::accumulate(data.begin(), data.end() - 1, 0U);
    data[511] = static_cast<u8>(0x100 - (sum & 0xff));
    return data;
  }

 private:
  std::array<u16, 256> words_{};
};

constexpr u16 bits(std::initializer_list<unsigned> set) {
  u16 value = 0;
  for (const unsigned bit : set) value = static_cast<u16>(value | 1u << bit);
  return value;
}

void common_words(Words& words, const AtaIdentity& id) {
  words.text(10, 10, id.serial);
  words.text(23, 4, id.version);
  words.text(27, 20, id.model);
  words.set(48, 1);                     // the host may use 32-bit PIO
  words.set(49, bits({8, 9, 10, 11}));  // DMA, LBA, IORDY may be disabled, IORDY
  words.set(53, bits({1, 2}));          // words 64..70 and 88 are valid
  words.set(63, static_cast<u16>(0x07 | id.modes.multiword << 8));
  words.set(64, 0x03);                                                // PIO modes 3 and 4
  for (unsigned word = 65; word <= 68; ++word) words.set(word, 120);  // ns per cycle
  words.set(80, bits({4, 5, 6, 7}));                                  // ATA/ATAPI-4 to -7
  words.set(88, static_cast<u16>(0x3f | id.modes.ultra << 8));
  words.set(93, bits({0, 13, 14}));  // device 0 is there, on an 80-conductor cable
}

void wwn_words(Words& words, u64 wwn) {
  for (unsigned i = 0; i < 4; ++i) words.set(108 + i, static_cast<u16>(wwn >> (48 - 16 * i)));
}

void geometry_words(Words& words, const AtaIdentity& id) {
  words.set(1, static_cast<u16>(id.native.cylinders));
  words.set(3, static_cast<u16>(id.native.heads));
  words.set(6, static_cast<u16>(id.native.sectors));
  words.set(54, static_cast<u16>(id.current.cylinders));
  words.set(55, static_cast<u16>(id.current.heads));
  words.set(56, static_cast<u16>(id.current.sectors));
  words.set32(57, static_cast<u32>(id.current.total()));
  words.set32(60, static_cast<u32>(std::min<u64>(id.sectors, 0x0fffffff)));
  words.set64(100, id.sectors);
  if (id.physical_block > id.logical_block)
    words.set(106, static_cast<u16>(bits({13, 14}) |
                                    (std::bit_width(id.physical_block / id.logical_block) - 1)));
}

}  // namespace

// The kind in the upper five bits, the mode in the lower three.
bool set_transfer_mode(AtaModes& modes, u8 value) {
  const u8 mode = value & 7;
  const auto one = static_cast<u8>(1u << mode);
  switch (value >> 3) {
    case 0: return mode <= 1;  // PIO default, with or without IORDY
    case 1: return mode <= 4;  // PIO with flow control
    case 4:
      if (mode > 2) return false;
      modes = {.multiword = one, .ultra = 0};
      return true;
    case 8:
      if (mode > 5) return false;
      modes = {.multiword = 0, .ultra = one};
      return true;
    default: return false;
  }
}

std::vector<u8> identify_disk(const AtaIdentity& id) {
  Words words;
  words.set(0, bits({6}));  // not removable
  common_words(words, id);
  geometry_words(words, id);
  words.set(47, static_cast<u16>(0x8000 | id.max_multiple));
  words.set(50, bits({14}));
  words.set(51, 0x0200);
  words.set(53, bits({0, 1, 2}));
  if (id.multiple != 0) words.set(59, static_cast<u16>(0x0100 | id.multiple));
  // NOP, READ and WRITE BUFFER, look-ahead, write cache, power management, SMART.
  words.set(82, bits({14, 13, 12, 6, 5, 3, 0}));
  words.set(83, bits({14, 13, 12, 10}));  // FLUSH CACHE EXT, FLUSH CACHE, 48-bit addresses
  const u16 named = id.wwn != 0 ? bits({8}) : u16{0};
  words.set(84, static_cast<u16>(bits({14, 6}) | named));  // WRITE DMA FUA EXT
  words.set(85, static_cast<u16>(bits({14, 13, 12, 3}) | (id.look_ahead ? bits({6}) : 0) |
                                 (id.write_cache ? bits({5}) : 0) | (id.smart ? bits({0}) : 0)));
  words.set(86, bits({13, 12, 10}));
  words.set(87, static_cast<u16>(bits({14, 6}) | named));
  if (id.wwn != 0) wwn_words(words, id.wwn);
  words.set(105, 8);          // blocks of ranges that TRIM takes at a time
  words.set(169, bits({0}));  // TRIM
  return words.bytes();
}

std::vector<u8> identify_packet(const AtaIdentity& id) {
  Words words;
  // ATAPI, CD-ROM, removable, DRQ within 50 us of PACKET, 12-byte packets.
  words.set(0, static_cast<u16>(bits({15, 7, 6}) | 0x05 << 8));
  common_words(words, id);
  words.set(71, 30);  // us from PACKET to bus release
  words.set(72, 30);
  words.set(82, bits({14, 9, 4}));  // NOP, DEVICE RESET, PACKET
  words.set(83, bits({14}));
  words.set(84, static_cast<u16>(bits({14}) | (id.wwn != 0 ? bits({8}) : 0)));
  words.set(85, bits({14, 9, 4}));
  words.set(87, static_cast<u16>(bits({14}) | (id.wwn != 0 ? bits({8}) : 0)));
  if (id.wwn != 0) wwn_words(words, id.wwn);
  return words.bytes();
}

}  // namespace rhea::hw
