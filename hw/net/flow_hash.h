// SPDX-License-Identifier: GPL-2.0-or-later
// Which flow a frame belongs to, the same in both directions.
#pragma once

#include "rhea/net/netdev.h"
#include "rhea/util/types.h"

namespace rhea::hw {

/// Of the IP addresses, and of the ports of TCP and UDP that is no fragment; 0 for all else.
u8 flow_hash(Frame frame);

}  // namespace rhea::hw
