// SPDX-License-Identifier: GPL-2.0-or-later
// What the RTL8139 does at most before others have their turn.
#pragma once

#include "hw/net/rtl8139.h"

namespace rhea::hw {

struct Rtl8139::SendTurn {
  unsigned descriptors{256};
  unsigned batches{4};
  u32 bytes{512 * KiB};
  u16 causes{0};

  bool goes_on() const { return descriptors != 0 && batches != 0 && bytes != 0; }
};

}  // namespace rhea::hw
