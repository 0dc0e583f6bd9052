// SPDX-License-Identifier: GPL-2.0-or-later
// What a network card lets in, as people are shown it.
#pragma once

#include "rhea/net/mac_address.h"

#include <vector>

namespace rhea {

/// As QMP's query-rx-filter has it.
struct RxFilterState {
  enum class Kind : u8 { Normal, None, All };
  bool promiscuous{}, broadcast{true};
  Kind multicast{}, unicast{}, vlan{};
  bool multicast_overflow{}, unicast_overflow{};
  MacAddress main;
  std::vector<u16> vlans;
  std::vector<MacAddress> unicast_table, multicast_table;
};

}  // namespace rhea
