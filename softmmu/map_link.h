// SPDX-License-Identifier: GPL-2.0-or-later
// What regions know of the memory map they are part of; outlives the map.
#pragma once

#include "rhea/softmmu/ram_block.h"

#include <memory>
#include <vector>

namespace rhea {

class LockDomain;
class MemoryMap;

struct MapLink {
  MemoryMap* map{};  ///< null once the map is gone
  LockDomain* default_domain{};
  std::vector<std::weak_ptr<RamBlock>> blocks;  ///< of all regions that have joined
};

}  // namespace rhea
