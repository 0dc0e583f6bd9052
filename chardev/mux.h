// SPDX-License-Identifier: GPL-2.0-or-later
// One terminal for several front ends, switched by Ctrl-A.
#pragma once

#include "rhea/chardev/chardev.h"

#include <memory>

namespace rhea::chardev {

/// A mux on `base`, which must be free.
Result<std::unique_ptr<Chardev>> make_mux(Machine& machine, Chardev& base);
/// The same under /chardevs/id, on the chardev of another id.
Result<Chardev*> open_mux(Machine& machine, const std::string& id, const std::string& base_id);

}  // namespace rhea::chardev
