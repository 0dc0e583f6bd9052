// SPDX-License-Identifier: GPL-2.0-or-later
// SIMD floating-point exceptions that the guest has unmasked (SDM vol. 1, 11.5): the host traps as
// the guest's processor would.
#pragma once

#include "rhea/util/types.h"

namespace rhea::x86::interp {

/// Runs `call(argument)` with `mxcsr` loaded, which becomes what the host's then is. False: an
/// unmasked exception kept the instruction from completing; it has changed nothing. Which flags are
/// set then (tiny but exact results, inexact ones before denormalisation, operands' exceptions that
/// forestall results') only the hardware knows cheaply, so it is asked: SIGFPE comes back here.
bool run_unmasked(u32& mxcsr, void (*call)(void*), void* argument);

}  // namespace rhea::x86::interp
