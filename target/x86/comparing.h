// SPDX-License-Identifier: GPL-2.0-or-later
// What a processor does otherwise while somebody compares two ways of executing the same code. Of
// the whole process; to be set while nothing executes.
#pragma once

#include <atomic>

namespace rhea::x86::comparing {

/// Flags that an instruction leaves undefined are the host's; see interp/host_flags.h.
inline std::atomic<bool> host_flags{false};
/// The interpreter does one instruction, and one element of a repeated one, before the run loop
/// looks around; nothing is translated.
inline std::atomic<bool> one_by_one{false};
/// JitVcpu::run_briefly() goes along the ways between translated blocks, and leaves them after so
/// many looks around.
inline std::atomic<bool> linked{false};

inline bool is(const std::atomic<bool>& what) { return what.load(std::memory_order_relaxed); }

}  // namespace rhea::x86::comparing
