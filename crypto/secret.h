// SPDX-License-Identifier: GPL-2.0-or-later
// -object secret: a password or key that other objects name by its id.
#pragma once

#include "rhea/qom/user_object.h"
#include "rhea/util/types.h"

#include <string>
#include <vector>

namespace rhea {

class Machine;

namespace crypto {

/// The bytes of the secret `id`. Errors name it.
Result<std::vector<u8>> secret_bytes(Machine& machine, const std::string& id);

}  // namespace crypto
}  // namespace rhea
