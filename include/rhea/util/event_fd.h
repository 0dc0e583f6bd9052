// SPDX-License-Identifier: GPL-2.0-or-later
// Eventfds that another process shares.
#pragma once

#include "rhea/util/types.h"

#include <optional>

namespace rhea {

/// What an eventfd has counted, which begins anew then; nullopt when that is nothing, or it cannot
/// be read. Never waits: O_NONBLOCK belongs to the open file, and so to every process that has it.
/// Any thread.
std::optional<u64> take_events(int fd);

}  // namespace rhea
