// SPDX-License-Identifier: GPL-2.0-or-later
// The target description: the registers as XML, as gdb asks for them (qXfer:features:read).
#pragma once

#include "gdbstub/register_list.h"

#include <span>
#include <string>

namespace rhea::gdbstub {

/// The one document, "target.xml".
std::string target_description(Layout layout, std::span<const RegisterFeature> features);

}  // namespace rhea::gdbstub
