// SPDX-License-Identifier: GPL-2.0-or-later
// Lines of `info mtree`.
#pragma once

#include "rhea/softmmu/flat_view.h"

#include <string>

namespace rhea::softmmu {

/// One range of a flat view, with the line feed.
std::string range_text(const FlatRange& range);

}  // namespace rhea::softmmu
