// SPDX-License-Identifier: GPL-2.0-or-later
// File descriptors that clients pass (SCM_RIGHTS).
#pragma once

#include "monitor/qmp/command.h"

namespace rhea::qmp {

/// Some came. Of those that no command has claimed the oldest are closed.
void keep(Client& client, std::vector<FileDescriptor> descriptors);

}  // namespace rhea::qmp
