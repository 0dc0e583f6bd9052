// SPDX-License-Identifier: GPL-2.0-or-later
// What a network carries, more or less as it should be.
#pragma once

#include "rhea/net/mac_address.h"
#include "tests/support/net_peer.h"

#include <random>

namespace rhea::test {

/// A frame for a card of that address, for a group or for others: IPv4 or IPv6 with TCP or UDP,
/// ARP, with VLAN tags or without, a pause, or nothing that is known; short, of usual length, or
/// too long.
FrameBytes random_frame(const MacAddress& card, std::mt19937_64& random);

}  // namespace rhea::test
