// SPDX-License-Identifier: GPL-2.0-or-later
// The processors that -cpu names.
#pragma once

#include "rhea/util/error.h"
#include "target/x86/cpuid.h"

namespace rhea {
class Machine;
}  // namespace rhea

namespace rhea::x86 {

/// The model that the machine's -cpu asks for, without what belongs to one processor.
Result<CpuModel> make_model(Machine& machine);

}  // namespace rhea::x86
