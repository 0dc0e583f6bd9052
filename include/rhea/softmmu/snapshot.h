// SPDX-License-Identifier: GPL-2.0-or-later
// Saving and loading the described state of a whole machine, or of one object.
#pragma once

#include "rhea/qom/state.h"
#include "rhea/softmmu/machine.h"

#include <span>
#include <vector>

namespace rhea {

/// One object's section: path, type, version, fields, subsections, CRC-32 (zlib) at its end.
void save_object(Object& object, StateWriter& out);
/// Refuses anything but a section of this very object; on error the object may hold part of the
/// state.
Result<> load_object(Object& object, StateReader& in);

/// Every object below the machine that declares state, in tree order, then the RAM blocks.
/// The vCPUs must be stopped.
std::vector<u8> save_machine(Machine& machine);
Result<> load_machine(Machine& machine, std::span<const u8> stream);

}  // namespace rhea
