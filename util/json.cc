// SPDX-License-Identifier: GPL-2.0-or-later
// The one place that the JSON library is instantiated in.
#include "util/json.h"

template class nlohmann::basic_json<>;
