// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/scsi/sense.h"

namespace rhea::hw {

void ScsiSense::describe(StateFields<ScsiSense>& s) {
  s.state("key", &ScsiSense::key).range(0, 15);
  s.state("code", &ScsiSense::code);
  s.state("qualifier", &ScsiSense::qualifier);
}

std::array<u8, kFixedSenseBytes> fixed_sense(const ScsiSense& sense) {
  constexpr u8 kCurrent = 0x70;
  std::array<u8, kFixedSenseBytes> data{};
  data[0] = kCurrent;
  data[2] = sense.key;
  data[7] = kFixedSenseBytes - 8;
  data[12] = sense.code;
  data[13] = sense.qualifier;
  return data;
}

}  // namespace rhea::hw
