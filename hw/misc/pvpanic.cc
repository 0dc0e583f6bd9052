// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/misc/pvpanic.h"

#include "rhea/softmmu/actions.h"
#include "rhea/util/log.h"

namespace rhea::hw {

void PanicEvents::told(Machine& machine, u8 events) {
  if ((events & ~kAll) != 0) log_guest("pvpanic", "unknown event {:#x}", events);
  if ((events & kPanicked) != 0)
    machine.service<MachineActions>().guest_panicked();
  else if ((events & kCrashLoaded) != 0)
    machine.service<MachineActions>().guest_crash_loaded();
}

}  // namespace rhea::hw
