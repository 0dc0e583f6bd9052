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
      link_(std::make_shared<MapLink>(MapLink{.map = this, .default_domain = default_domain})) {}

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

namespace {

/// Everything below the roots, hidden or not, each region once.
class RamCollector {
 public:
  void visit(const Region& region) {
    if (std::find(seen_.begin(), seen_.end(), &region) != seen_.end()) return;
    seen_.push_back(&region);
    if (region.ram()) add(region.ram());
    for (const Region* child : region.children()) visit(*child);
    if (region.alias_target() != nullptr) visit(*region.alias_target());
  }
  std::vector<std::shared_ptr<RamBlock>> take() {
    std::sort(blocks_.begin(), blocks_.end(),
              [](const auto& a, const auto& b) { return a->id() < b->id(); });
    return std::move(blocks_);
  }

 private:
  void add(const std::shared_ptr<RamBlock>& block) {
    if (std::find(blocks_.begin(), blocks_.end(), block) == blocks_.end()) blocks_.push_back(block);
  }
  std::vector<const Region*> seen_;
  std::vector<std::shared_ptr<RamBlock>> blocks_;
};

}  // namespace

std::vector<std::shared_ptr<RamBlock>> MemoryMap::ram_blocks() const {
  RamCollector collector;
  for (const AddressSpace* space : spaces_) collector.visit(space->root());
  return collector.take();
}

}  // namespace rhea
