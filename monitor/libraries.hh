// SPDX-License-Identifier: GPL-2.0-or-later
// What nearly every file of the monitor includes besides: JSON's header is large.
#include "util/json.h"
#include "util/libraries.hh"
