// SPDX-License-Identifier: GPL-2.0-or-later
// What QMP tells of images.
#pragma once

#include "monitor/qmp/json_text.h"
#include "rhea/block/block_node.h"

namespace rhea::qmp {

/// BlockDeviceInfo.
Json node_info(const BlockNode& node);

}  // namespace rhea::qmp
