// SPDX-License-Identifier: GPL-2.0-or-later
// By which a guest's kernel tells of its own end, whatever bus it is on.
#pragma once

#include "rhea/util/types.h"

namespace rhea {
class Machine;
}  // namespace rhea

namespace rhea::hw {

/// The one register (spec: QEMU's docs/specs/pvpanic): a read says which events there are, a write
/// tells of one.
class PanicEvents {
 public:
  static constexpr u8 kPanicked = 0x01, kCrashLoaded = 0x02, kAll = kPanicked | kCrashLoaded;
  /// Under the machine's lock. The worst counts where the guest tells of several.
  static void told(Machine& machine, u8 events);
};

}  // namespace rhea::hw
