// SPDX-License-Identifier: GPL-2.0-or-later
// What regions know of the memory map they are part of; outlives the map.
#pragma once

#include "rhea/softmmu/ram_block.h"

#include <atomic>
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

/// Of a published view: never the same twice, whichever map it is of.
inline u64 next_generation() {
  static std::atomic<u64> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace rhea
