// SPDX-License-Identifier: GPL-2.0-or-later
// The command block registers of one IDE device.
#include "hw/ide/ide_device.h"

namespace rhea::hw {

void TaskFile::describe(StateFields<TaskFile>& s) {
  s.state("features", &TaskFile::features);
  s.state("count", &TaskFile::count);
  s.state("lba-low", &TaskFile::lba_low);
  s.state("lba-mid", &TaskFile::lba_mid);
  s.state("lba-high", &TaskFile::lba_high);
  s.state("previous-features", &TaskFile::previous_features);
  s.state("previous-count", &TaskFile::previous_count);
  s.state("previous-lba-low", &TaskFile::previous_lba_low);
  s.state("previous-lba-mid", &TaskFile::previous_lba_mid);
  s.state("previous-lba-high", &TaskFile::previous_lba_high);
  s.state("device", &TaskFile::device);
  s.state("error", &TaskFile::error);
  s.state("status", &TaskFile::status);
}

u8 TaskFile::read(unsigned n, bool previous) const {
  switch (n) {
    case 1: return error;
    case 2: return previous ? previous_count : count;
    case 3: return previous ? previous_lba_low : lba_low;
    case 4: return previous ? previous_lba_mid : lba_mid;
    case 5: return previous ? previous_lba_high : lba_high;
    case 6: return device | 0xa0;
    default: return status;
  }
}

void TaskFile::write(unsigned n, u8 value) {
  const auto push = [value](u8& newest, u8& previous) {
    previous = newest;
    newest = value;
  };
  switch (n) {
    case 1: return push(features, previous_features);
    case 2: return push(count, previous_count);
    case 3: return push(lba_low, previous_lba_low);
    case 4: return push(lba_mid, previous_lba_mid);
    case 5: return push(lba_high, previous_lba_high);
    case 6: device = value; return;
    default: return;
  }
}

}  // namespace rhea::hw
