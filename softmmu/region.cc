// SPDX-License-Identifier: GPL-2.0-or-later
// Memory regions: initialisation, the graph and its changes.
#include "rhea/softmmu/region.h"

#include "rhea/softmmu/address_space.h"
#include "rhea/softmmu/machine.h"
#include "rhea/util/lock.h"
#include "rhea/util/rcu.h"
#include "softmmu/map_link.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <thread>
#include <utility>

namespace rhea {
namespace {

/// How far set_log follows containers and aliases.
constexpr unsigned kMaxLogDepth = 32;

bool sane(const AccessSizes& sizes) {
  return std::has_single_bit(sizes.min) && std::has_single_bit(sizes.max) &&
         sizes.min <= sizes.max && sizes.max <= 8;
}

}  // namespace

Region::~Region() { reset(); }

void Region::init(RegionKind kind, Device* owner, std::string name, u128 size) {
  RHEA_ASSERT(kind_ == RegionKind::None);
  RHEA_ASSERT(size > 0 && size <= kWholeSpace);
  kind_ = kind;
  owner_ = owner;
  name_ = std::move(name);
  size_ = size;
  if (owner != nullptr && owner->lock_domain() != nullptr) set_lock_domain(owner->lock_domain());
  if (owner != nullptr && owner->in_machine()) connect(owner->machine().map().link_);
}

void Region::init_container(Device* owner, std::string name, u128 size) {
  init(RegionKind::Container, owner, std::move(name), size);
}

Result<> Region::init_ram(Device* owner, std::string name, u64 size, const RamOptions& options) {
  std::string id =
      owner != nullptr && owner->in_machine() ? fmt::format("{}/{}", owner->path(), name) : name;
  std::shared_ptr<RamBlock> block = TRY(RamBlock::create(std::move(id), size, options));
  init(RegionKind::Ram, owner, std::move(name), size);
  adopt_ram(std::move(block));
  return {};
}

void Region::init_ram_shared(Device* owner, std::string name, std::shared_ptr<RamBlock> block) {
  init(RegionKind::Ram, owner, std::move(name), block->size());
  adopt_ram(std::move(block));
}

void Region::adopt_ram(std::shared_ptr<RamBlock> block) {
  ram_ = std::move(block);
  enlist_ram();
}

/// Makes the block known to the map, once.
void Region::enlist_ram() {
  if (!ram_ || !link_) return;
  std::erase_if(link_->blocks, [](const auto& known) { return known.expired(); });
  const auto same = [this](const auto& known) { return known.lock() == ram_; };
  if (std::ranges::none_of(link_->blocks, same)) link_->blocks.push_back(ram_);
}

Result<> Region::init_rom(Device* owner, std::string name, u64 size) {
  TRY(init_ram(owner, std::move(name), size));
  kind_ = RegionKind::Rom;
  readonly_ = true;
  return {};
}

Result<> Region::init_rom_device(Device* owner, std::string name, u64 size, const RegionOps& ops,
                                 void* opaque) {
  RHEA_ASSERT(sane(ops.valid) && sane(ops.impl));
  TRY(init_ram(owner, std::move(name), size));
  kind_ = RegionKind::RomDevice;
  ops_ = ops;
  opaque_ = opaque;
  return {};
}

void Region::init_io(Device* owner, std::string name, u64 size, const RegionOps& ops,
                     void* opaque) {
  RHEA_ASSERT(sane(ops.valid) && sane(ops.impl));
  init(RegionKind::Mmio, owner, std::move(name), size);
  ops_ = ops;
  opaque_ = opaque;
}

void Region::init_alias(Device* owner, std::string name, Region& target, u64 offset, u128 size) {
  RHEA_ASSERT(target.initialised());
  init(RegionKind::Alias, owner, std::move(name), size);
  alias_ = &target;
  alias_offset_ = offset;
  target.aliases_.push_back(this);
  if (link_) target.connect(link_);
}

void Region::init_iommu(Device* owner, std::string name, u128 size, IommuTranslate function,
                        void* opaque) {
  init(RegionKind::Iommu, owner, std::move(name), size);
  iommu_ = function;
  opaque_ = opaque;
}

void Region::reset() {
  if (kind_ == RegionKind::None) return;
  MemoryMap* const map = link_ ? link_->map : nullptr;
  {
    std::optional<Transaction> transaction;
    if (map != nullptr) transaction.emplace(*map);
    detach();
    if (map != nullptr) map->changed();
  }
  if (ever_visible_) {
    // The view must not name this region any longer, also inside a transaction that goes on.
    if (map != nullptr) map->publish();
    await_readers();
  }
  kind_ = RegionKind::None;
  enabled_ = romd_ = true;
  readonly_ = own_domain_ = ever_visible_ = false;
  log_clients_ = 0;
  priority_ = 0;
  address_ = alias_offset_ = 0;
  size_ = 0;
  link_.reset();
  owner_ = nullptr;
  domain_ = nullptr;
  ops_ = {};
  name_.clear();
  ram_.reset();
  eventfds_.clear();
  coalesced_.clear();
}

/// Cuts every tie to other regions.
void Region::detach() {
  if (container_ != nullptr) container_->remove(*this);
  for (Region* child : children_) child->container_ = nullptr;
  children_.clear();
  for (Region* alias : aliases_) alias->alias_ = nullptr;
  aliases_.clear();
  if (alias_ != nullptr) std::erase(alias_->aliases_, this);
  alias_ = nullptr;
}

/// Called when no published view names this region any more: returns when no thread uses it.
void Region::await_readers() {
  rcu_synchronize();
  while (pins_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
}

void Region::connect(const std::shared_ptr<MapLink>& link) {
  if (link_ == link) return;
  link_ = link;
  enlist_ram();
  for (Region* child : children_) child->connect(link);
  if (alias_ != nullptr) alias_->connect(link);
}

void Region::changed() {
  if (link_ && link_->map != nullptr) link_->map->changed();
}

/// Before the first one of the same or a lower priority: among equals the later comer wins.
void Region::insert_child(Region& child) {
  const auto at = std::find_if(children_.begin(), children_.end(), [&](const Region* other) {
    return other->priority_ <= child.priority_;
  });
  children_.insert(at, &child);
}

void Region::add(u64 offset, Region& child, int priority) {
  RHEA_ASSERT(initialised() && kind_ != RegionKind::Alias);
  RHEA_ASSERT(child.initialised() && child.container_ == nullptr);
  for (const Region* above = this; above != nullptr; above = above->container_)
    RHEA_ASSERT(above != &child);
  child.container_ = this;
  child.address_ = offset;
  child.priority_ = priority;
  insert_child(child);
  if (link_) child.connect(link_);
  changed();
}

void Region::remove(Region& child) {
  RHEA_ASSERT(child.container_ == this);
  child.container_ = nullptr;
  std::erase(children_, &child);
  changed();
}

void Region::set_enabled(bool enabled) {
  if (std::exchange(enabled_, enabled) != enabled) changed();
}

void Region::set_address(u64 offset) {
  if (std::exchange(address_, offset) != offset) changed();
}

void Region::set_priority(int priority) {
  if (std::exchange(priority_, priority) == priority || container_ == nullptr) return;
  std::erase(container_->children_, this);
  container_->insert_child(*this);
  changed();
}

void Region::set_size(u128 size) {
  RHEA_ASSERT(ram_ == nullptr && size > 0 && size <= kWholeSpace);
  if (size_ == size) return;
  {
    const DomainGuard lock(lock_domain());
    size_ = size;
  }
  changed();
}

void Region::set_alias_offset(u64 offset) {
  RHEA_ASSERT(kind_ == RegionKind::Alias);
  if (std::exchange(alias_offset_, offset) != offset) changed();
}

void Region::set_readonly(bool readonly) {
  RHEA_ASSERT(kind_ != RegionKind::Rom || readonly);
  {
    const DomainGuard lock(lock_domain());
    if (std::exchange(readonly_, readonly) == readonly) return;
  }
  changed();
}

void Region::set_romd_mode(bool romd) {
  RHEA_ASSERT(kind_ == RegionKind::RomDevice);
  {
    const DomainGuard lock(lock_domain());
    if (std::exchange(romd_, romd) == romd) return;
  }
  changed();
}

void Region::set_log(DirtyClient client, bool on) {
  const unsigned bit = 1u << static_cast<unsigned>(client);
  const unsigned clients = on ? log_clients_ | bit : log_clients_ & ~bit;
  if (std::exchange(log_clients_, clients) == clients) return;
  update_logging(client, 0);
  changed();
}

void Region::update_logging(DirtyClient client, unsigned depth) {
  if (depth > kMaxLogDepth) return;
  if (ram_) ram_->set_logging(client, logged_from_above(client, 0));
  for (Region* child : children_) child->update_logging(client, depth + 1);
  if (alias_ != nullptr) alias_->update_logging(client, depth + 1);
}

/// Whether this region, or anything that shows it, is logged.
bool Region::logged_from_above(DirtyClient client, unsigned depth) const {
  if ((log_clients_ & (1u << static_cast<unsigned>(client))) != 0) return true;
  if (depth > kMaxLogDepth) return false;
  if (container_ != nullptr && container_->logged_from_above(client, depth + 1)) return true;
  return std::any_of(aliases_.begin(), aliases_.end(), [&](const Region* alias) {
    return alias->logged_from_above(client, depth + 1);
  });
}

void Region::add_eventfd(const IoEventFd& eventfd) {
  {
    const DomainGuard lock(lock_domain());
    if (std::find(eventfds_.begin(), eventfds_.end(), eventfd) != eventfds_.end()) return;
    eventfds_.push_back(eventfd);
  }
  changed();
}

void Region::remove_eventfd(const IoEventFd& eventfd) {
  {
    const DomainGuard lock(lock_domain());
    if (std::erase(eventfds_, eventfd) == 0) return;
  }
  changed();
}

void Region::set_coalesced(u64 offset, u64 size) {
  coalesced_.push_back({offset, size});
  changed();
}

void Region::clear_coalesced() {
  if (coalesced_.empty()) return;
  coalesced_.clear();
  changed();
}

void Region::set_lock_domain(LockDomain* domain) {
  own_domain_ = true;
  domain_ = domain;
}

LockDomain* Region::lock_domain() const {
  if (own_domain_) return domain_;
  return link_ ? link_->default_domain : nullptr;
}

}  // namespace rhea
