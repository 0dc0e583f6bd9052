// SPDX-License-Identifier: GPL-2.0-or-later
// Exchanges a plug-in's device for one of the plug-in's new build while the machine runs.
#pragma once

#include "rhea/softmmu/machine.h"

namespace rhea {

/// Whether the device can be exchanged at all: it comes from a plug-in, nothing is plugged into it
/// and nothing else refers to it.
Result<> check_reloadable(Device& device);

/// Loads the plug-in's file anew and puts a device of the new code into the old one's place: same
/// id, bus and address, the properties that differ from their defaults, all state and memory. The
/// guest stands still meanwhile (the run state is "save-vm"). When the new code does not take a
/// property or the state the old device is put back, and the error says so. Main thread, with the
/// machine's lock.
Result<> reload_device(Machine& machine, Device& device);

}  // namespace rhea
