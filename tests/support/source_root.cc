// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/support/source_root.h"

namespace rhea::test {

std::filesystem::path source_root() { return RHEA_SOURCE_ROOT; }

}  // namespace rhea::test
