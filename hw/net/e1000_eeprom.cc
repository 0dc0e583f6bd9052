// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/net/e1000_eeprom.h"

namespace rhea::hw {
namespace {

constexpr u16 kSum = 0xbaba;

// Words of Intel's map.
enum Word : u8 {
  kMac = 0x00,
  kCompatibility = 0x03,
  kLedSettings = 0x04,
  kBoardNumber = 0x08,
  kInitControl1 = 0x0a,
  kSubsystem = 0x0b,
  kSubsystemVendor = 0x0c,
  kDevice = 0x0d,
  kVendor = 0x0e,
  kInitControl2 = 0x0f,
  kChecksum = 0x3f,
};

}  // namespace

void program_e1000(Eeprom93c46& eeprom, const MacAddress& mac, u16 device_id) {
  std::array<u16, Eeprom93c46::kWords> words{};
  words.fill(0xffff);
  for (unsigned n = 0; n < 3; ++n)
    words[kMac + n] = static_cast<u16>(mac.bytes[2 * n] | mac.bytes[2 * n + 1] << 8);
  words[kCompatibility] = 0;
  words[kLedSettings] = 0xffff;
  words[kBoardNumber] = words[kBoardNumber + 1] = 0;
  // The signature of a valid EEPROM, and that identifiers are to be taken from here.
  words[kInitControl1] = 0x4003;
  words[kSubsystem] = 0x1100;
  words[kSubsystemVendor] = 0x1af4;
  words[kDevice] = device_id;
  words[kVendor] = 0x8086;
  words[kInitControl2] = 0;
  u16 sum = 0;
  for (unsigned n = 0; n < kChecksum; ++n) sum = static_cast<u16>(sum + words[n]);
  words[kChecksum] = static_cast<u16>(kSum - sum);
  eeprom.program(words);
}

MacAddress mac_of_e1000(const Eeprom93c46& eeprom) {
  MacAddress mac;
  for (unsigned n = 0; n < 3; ++n) {
    mac.bytes[2 * n] = static_cast<u8>(eeprom.word(kMac + n));
    mac.bytes[2 * n + 1] = static_cast<u8>(eeprom.word(kMac + n) >> 8);
  }
  return mac;
}

}  // namespace rhea::hw
