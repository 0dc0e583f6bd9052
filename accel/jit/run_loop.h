// SPDX-License-Identifier: GPL-2.0-or-later
// What the run loop's parts share.
#pragma once

namespace rhea::jit {

/// Whether -d asks for something of every block, each time: then none is translated.
bool logs_code();
/// Whether it asks for something of those that the run loop comes to.
bool shows_code();

}  // namespace rhea::jit
