// SPDX-License-Identifier: GPL-2.0-or-later
// The note of a plug-in for another Rhea.
#pragma once

#include "rhea/util/build_identity.h"

#undef RHEA_BUILD_IDENTITY
#define RHEA_BUILD_IDENTITY "0.0.9-0123456789abcdef"
#include "rhea/plugin.h"
