// SPDX-License-Identifier: GPL-2.0-or-later
// The keys of clients that say only which character or function they mean.
#pragma once

#include "rhea/ui/input.h"

#include <optional>

namespace rhea::ui::vnc {

/// By X's keysym (keysymdef.h); of characters, the key that has it on a US keyboard.
std::optional<KeyNumber> key_of_keysym(u32 keysym);

}  // namespace rhea::ui::vnc
