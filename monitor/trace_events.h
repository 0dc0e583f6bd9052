// SPDX-License-Identifier: GPL-2.0-or-later
// Trace events of the monitors.
#pragma once

#include "rhea/util/trace.h"

#include <string_view>

namespace rhea {

inline trace::Event<std::string_view> qmp_command{"qmp_command", "{}"};
inline trace::Event<std::string_view> hmp_command{"hmp_command", "{}"};
inline trace::Event<std::string_view> qtest_command{"qtest_command", "{}"};

}  // namespace rhea
