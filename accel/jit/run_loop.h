// SPDX-License-Identifier: GPL-2.0-or-later
// What the run loop's parts share.
#pragma once

namespace rhea::jit {

/// Whether -d asks for something of every block.
bool logs_code();

}  // namespace rhea::jit
