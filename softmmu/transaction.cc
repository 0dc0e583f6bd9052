// SPDX-License-Identifier: GPL-2.0-or-later
// The memory map: transactions over the graphs of all its address spaces.
#include "rhea/softmmu/address_space.h"
#include "softmmu/map_link.h"

#include <algorithm>

namespace rhea {

Transaction::Transaction(MemoryMap& map) : map_(&map) { map.begin(); }
Transaction::~Transaction() { map_->end(); }

MemoryMap::MemoryMap(LockDomain* default_domain)
    : default_domain_(default_domain),
      generation_(next_generation()),
      link_(std::make_shared<MapLink>()) {
  link_->map = this;
  link_->default_domain = default_domain;
}

MemoryMap::~MemoryMap() { *link_ = {}; }

void MemoryMap::changed() {
  const Transaction transaction(*this);
  pending_ = true;
}

void MemoryMap::end() {
  RHEA_ASSERT(depth_ > 0);
  if (--depth_ == 0 && pending_ && !publishing_) publish();
}

void MemoryMap::publish() {
  RHEA_ASSERT(!publishing_);
  publishing_ = true;
  // Listeners may change the graph when they hear of changes.
  while (pending_) {
    pending_ = false;
    for (std::size_t i = 0; i < spaces_.size(); ++i) spaces_[i]->publish();
  }
  publishing_ = false;
}

std::vector<std::shared_ptr<RamBlock>> MemoryMap::ram_blocks() const {
  std::vector<std::shared_ptr<RamBlock>> blocks;
  for (const auto& weak : link_->blocks)
    if (auto block = weak.lock()) blocks.push_back(std::move(block));
  std::ranges::sort(blocks, {}, &RamBlock::id);
  return blocks;
}

}  // namespace rhea
