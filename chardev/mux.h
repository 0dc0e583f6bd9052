// SPDX-License-Identifier: GPL-2.0-or-later
// One terminal for several front ends, switched by Ctrl-A.
#pragma once

#include "rhea/chardev/chardev.h"

#include <memory>

namespace rhea::chardev {

/// A mux on `base`, which must be free.
Result<std::unique_ptr<Chardev>> make_mux(Machine& machine, Chardev& base);

}  // namespace rhea::chardev
