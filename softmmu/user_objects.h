// SPDX-License-Identifier: GPL-2.0-or-later
// Objects that users make: -object, object-add, object-del.
#pragma once

#include "rhea/qom/user_object.h"
#include "rhea/qom/value.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rhea {

class Machine;

/// Makes, sets and completes; on an error nothing is left of it.
Result<UserObject*> add_user_object(Machine& machine, std::string_view type,
                                    const std::vector<std::pair<std::string, Value>>& properties,
                                    const std::string& id);
Result<> remove_user_object(Machine& machine, std::string_view id);

}  // namespace rhea
