// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "rhea/util/error.h"

namespace rhea::net::user {

/// From here on this process opens no file, starts nothing and binds no socket, whatever a guest
/// makes of it; what is refused fails like others.
Result<> enter_sandbox();

}  // namespace rhea::net::user
