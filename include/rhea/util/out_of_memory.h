// SPDX-License-Identifier: GPL-2.0-or-later
// What becomes of the process when the host gives no more memory: one line, and an orderly end.
#pragma once

namespace rhea {

/// Says so on standard error and ends the process with status 1 by std::quick_exit. Takes no memory
/// itself; from any thread.
[[noreturn]] void out_of_memory();

/// From now on `new` that fails ends in out_of_memory(): no part of the program could go on, and an
/// exception on a vCPU's thread would end in std::terminate.
void end_when_out_of_memory();

}  // namespace rhea
