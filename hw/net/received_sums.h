// SPDX-License-Identifier: GPL-2.0-or-later
// Checks the checksums of frames that came, as network cards do.
#pragma once

#include "rhea/net/netdev.h"
#include "rhea/util/types.h"

namespace rhea::hw {

struct SumCheck {
  enum class Result : u8 { NotChecked, Good, Bad };
  bool is_ip{false};
  Result ip{}, tcp_udp{};
};

/// Of the IP packet at `at`, whose EtherType stands before it. Fragments' TCP and UDP are not
/// checked, nor UDP without a checksum, nor IPv6 with extension headers.
SumCheck check_sums(Frame frame, std::size_t at);

}  // namespace rhea::hw
