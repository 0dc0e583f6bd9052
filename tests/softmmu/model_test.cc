// SPDX-License-Identifier: GPL-2.0-or-later
// Random region graphs against a brute-force model: what each byte shows is found by walking the
// graph for that byte alone, and listeners must be able to rebuild every view from the differences
// they are told.
#include "rhea/softmmu/address_space.h"
#include "tests/softmmu/picture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <tuple>
#include <vector>

namespace rhea {
namespace {

using test::Picture;

/// One region and what the model knows of it. A node's children and an alias's target have higher
/// numbers than the node, so there are no cycles.
struct Node {
  std::unique_ptr<Region> region;
  RegionKind kind{};
  u64 size{};
  u64 address{};
  int priority{};
  unsigned sequence{};  // later additions win among equals
  bool enabled{true};
  bool readonly{false};
  bool romd{true};
  unsigned log{0};
  int parent{-1};
  int target{-1};
  u64 target_offset{};
  std::vector<IoEventFd> eventfds;
  std::vector<CoalescedRange> coalesced;
};

/// What one byte of an address space shows.
struct Shown {
  int node{-1};
  u64 offset{};
  bool readonly{};
  bool romd{};
  unsigned log{};
  friend bool operator==(const Shown&, const Shown&) = default;
};

constexpr RegionOps kNoOps{};

class World {
 public:
  World(unsigned seed, u64 span) : random_(seed), span_(span) {
    const int count = static_cast<int>(pick(3, 14));
    nodes_.resize(static_cast<std::size_t>(count));
    make_root(0);
    make_root(1);
    for (int i = count - 1; i > 1; --i) make(i);
    for (int i = count - 1; i > 1; --i)
      if (chance(85)) place(i);
    for (int s = 0; s < 2; ++s) {
      spaces_[s] = std::make_unique<AddressSpace>(map_, "space", *at(s).region);
      spaces_[s]->add_listener(pictures_[s]);
    }
  }

  void change() {
    const Transaction transaction(map_);
    for (u64 n = pick(1, 5); n > 0; --n) change_one();
  }

  void check() {
    for (int s = 0; s < 2; ++s) {
      const auto& ranges = spaces_[s]->view().ranges();
      std::vector<FlatRange> rebuilt;
      for (const auto& [first, range] : pictures_[s].ranges) rebuilt.push_back(range);
      ASSERT_EQ(rebuilt, ranges);
      check_bytes(s, ranges);
      check_merged(ranges);
    }
  }

 private:
  Node& at(int i) { return nodes_[static_cast<std::size_t>(i)]; }
  u64 pick(u64 low, u64 high) { return std::uniform_int_distribution<u64>(low, high)(random_); }
  bool chance(unsigned percent) { return pick(0, 99) < percent; }

  void make_root(int i) {
    Node& node = at(i);
    node.region = std::make_unique<Region>();
    node.kind = RegionKind::Container;
    node.size = span_;
    node.region->init_container(nullptr, "root", span_);
  }

  /// A region of a random kind, in no container.
  void make(int i) {
    Node& node = at(i);
    node = Node{};
    node.region = std::make_unique<Region>();
    node.size = chance(30) ? pick(1, span_) : pick(1, span_ / 4);
    const std::string name = std::to_string(i);
    const bool last = i + 1 == static_cast<int>(nodes_.size());
    const u64 kind = pick(0, 99);
    if (kind < 25 && !last) {
      node.kind = RegionKind::Alias;
      node.target = static_cast<int>(pick(static_cast<u64>(i) + 1, nodes_.size() - 1));
      node.target_offset = chance(50) ? 0 : pick(0, span_ / 4);
      node.region->init_alias(nullptr, name, *at(node.target).region, node.target_offset,
                              node.size);
    } else if (kind < 45) {
      node.kind = RegionKind::Container;
      node.region->init_container(nullptr, name, node.size);
    } else if (kind < 60) {
      node.kind = RegionKind::Ram;
      node.size = chance(50) ? 0x1000 : 0x2000;
      node.region->init_ram_shared(nullptr, name,
                                   node.size == 0x1000 ? small_block() : large_block());
    } else if (kind < 63) {
      node.kind = RegionKind::Rom;
      node.readonly = true;
      EXPECT_TRUE(node.region->init_rom(nullptr, name, node.size));
    } else if (kind < 66) {
      node.kind = RegionKind::RomDevice;
      EXPECT_TRUE(node.region->init_rom_device(nullptr, name, node.size, kNoOps, nullptr));
    } else {
      node.kind = RegionKind::Mmio;
      node.region->init_io(nullptr, name, node.size, kNoOps, nullptr);
    }
  }

  static std::shared_ptr<RamBlock> small_block() {
    static const std::shared_ptr<RamBlock> block = *RamBlock::create("small", 0x1000, {});
    return block;
  }
  static std::shared_ptr<RamBlock> large_block() {
    static const std::shared_ptr<RamBlock> block = *RamBlock::create("large", 0x2000, {});
    return block;
  }

  /// Adds the node to a container (or another thing that takes children) with a lower number.
  void place(int i) {
    const int parent = static_cast<int>(pick(0, static_cast<u64>(i) - 1));
    if (at(parent).kind == RegionKind::Alias) return;
    Node& node = at(i);
    node.parent = parent;
    node.address = pick(0, span_ - 1);
    node.priority = static_cast<int>(pick(0, 4)) - 2;
    node.sequence = ++sequence_;
    at(parent).region->add(node.address, *node.region, node.priority);
  }

  void take_out(int i) {
    at(at(i).parent).region->remove(*at(i).region);
    at(i).parent = -1;
  }

  void destroy(int i) {
    at(i).region.reset();
    for (Node& node : nodes_) {
      if (node.parent == i) node.parent = -1;
      if (node.target == i) node.target = -1;
    }
  }

  void change_one() {
    const int i = static_cast<int>(pick(0, nodes_.size() - 1));
    Node& node = at(i);
    Region& region = *node.region;
    switch (pick(0, 12)) {
      case 0:
      case 1: region.set_enabled(node.enabled = !node.enabled); break;
      case 2:
        if (i > 1) region.set_address(node.address = pick(0, span_ - 1));
        break;
      case 3: change_priority(i); break;
      case 4: change_size(node); break;
      case 5:
        if (node.kind == RegionKind::Alias)
          region.set_alias_offset(node.target_offset = pick(0, span_));
        break;
      case 6:
        if (node.kind != RegionKind::Rom) region.set_readonly(node.readonly = !node.readonly);
        break;
      case 7:
        if (node.kind == RegionKind::RomDevice) region.set_romd_mode(node.romd = !node.romd);
        break;
      case 8: change_log(node); break;
      case 9:
        if (i <= 1) break;
        if (node.parent >= 0) take_out(i);
        place(i);
        break;
      case 10:
        if (i <= 1) break;
        destroy(i);
        make(i);
        place(i);
        break;
      case 11: change_eventfds(node); break;
      default: change_coalesced(node); break;
    }
  }

  void change_priority(int i) {
    Node& node = at(i);
    const int priority = static_cast<int>(pick(0, 4)) - 2;
    if (priority == node.priority || node.parent < 0) return;
    node.priority = priority;
    node.sequence = ++sequence_;
    node.region->set_priority(priority);
  }

  void change_size(Node& node) {
    if (node.kind != RegionKind::Container && node.kind != RegionKind::Alias &&
        node.kind != RegionKind::Mmio)
      return;
    node.size = pick(1, span_);
    node.region->set_size(node.size);
  }

  void change_log(Node& node) {
    const unsigned bit = static_cast<unsigned>(pick(0, kDirtyClients - 1));
    node.log ^= 1u << bit;
    node.region->set_log(static_cast<DirtyClient>(bit), (node.log & (1u << bit)) != 0);
  }

  void change_eventfds(Node& node) {
    if (node.kind != RegionKind::Mmio) return;
    if (!node.eventfds.empty() && chance(50)) {
      node.region->remove_eventfd(node.eventfds.back());
      node.eventfds.pop_back();
      return;
    }
    const IoEventFd eventfd{
        .offset = pick(0, node.size - 1), .size = static_cast<u8>(1u << pick(0, 3)), .fd = ++fd_};
    node.eventfds.push_back(eventfd);
    node.region->add_eventfd(eventfd);
  }

  void change_coalesced(Node& node) {
    if (node.kind != RegionKind::Mmio) return;
    if (!node.coalesced.empty() && chance(30)) {
      node.coalesced.clear();
      node.region->clear_coalesced();
      return;
    }
    node.coalesced.push_back({pick(0, node.size - 1), pick(1, 64)});
    node.region->set_coalesced(node.coalesced.back().offset, node.coalesced.back().size);
  }

  /// The model: what the byte at `offset` of a node shows.
  std::optional<Shown> resolve(int i, u64 offset) {
    const Node& node = at(i);
    if (!node.enabled || offset >= node.size) return {};
    std::optional<Shown> shown;
    for (const int child : children_[static_cast<std::size_t>(i)]) {
      const Node& below = at(child);
      if (offset < below.address) continue;
      shown = resolve(child, offset - below.address);
      if (shown) break;
    }
    if (!shown && node.kind == RegionKind::Alias && node.target >= 0)
      shown = resolve(node.target, offset + node.target_offset);
    if (!shown && node.kind != RegionKind::Alias && node.kind != RegionKind::Container)
      shown = Shown{
          .node = i, .offset = offset, .romd = node.kind == RegionKind::RomDevice && node.romd};
    if (!shown) return {};
    shown->readonly |= node.readonly;
    if (at(shown->node).kind != RegionKind::Mmio) shown->log |= node.log;
    return shown;
  }

  void order_children() {
    children_.assign(nodes_.size(), {});
    for (int i = 0; i < static_cast<int>(nodes_.size()); ++i)
      if (at(i).parent >= 0) children_[static_cast<std::size_t>(at(i).parent)].push_back(i);
    for (auto& list : children_)
      std::ranges::sort(list, std::greater{},
                        [&](int i) { return std::pair(at(i).priority, at(i).sequence); });
  }

  void check_bytes(int root, const std::vector<FlatRange>& ranges) {
    order_children();
    std::vector<Shown> bytes(span_);
    for (u64 address = 0; address < span_; ++address)
      if (const auto shown = resolve(root, address)) bytes[address] = *shown;

    std::vector<Shown> flat(span_);
    for (const FlatRange& range : ranges) {
      ASSERT_LT(range.last, span_);
      const int node = std::stoi(range.region->name());
      ASSERT_EQ(at(node).region.get(), range.region);
      for (u64 address = range.first; address <= range.last; ++address)
        flat[address] = {.node = node,
                         .offset = range.offset + (address - range.first),
                         .readonly = range.readonly,
                         .romd = range.romd,
                         .log = range.log_clients};
    }
    ASSERT_TRUE(bytes == flat) << spaces_[root]->view().to_text();
    check_eventfds(root, bytes);
    check_coalesced(root, bytes);
  }

  /// Whether `b`, one byte on, continues the range of `a`.
  static bool continues(const Shown& a, const Shown& b) {
    Shown next = a;
    ++next.offset;
    return next == b;
  }

  void check_eventfds(int root, const std::vector<Shown>& bytes) {
    std::set<std::tuple<u64, unsigned, int>> expected;
    for (u64 address = 0; address < span_; ++address) {
      if (bytes[address].node < 0) continue;
      for (const IoEventFd& e : at(bytes[address].node).eventfds) {
        if (e.offset != bytes[address].offset) continue;
        bool whole = address + e.size <= span_;
        for (u64 next = address + 1; whole && next < address + e.size; ++next)
          whole = continues(bytes[next - 1], bytes[next]);
        if (whole) expected.insert({address, e.size, e.fd});
      }
    }
    ASSERT_EQ(pictures_[root].eventfds, expected);
  }

  void check_coalesced(int root, const std::vector<Shown>& bytes) {
    std::vector<bool> expected(span_), told(span_);
    for (u64 address = 0; address < span_; ++address)
      if (bytes[address].node >= 0)
        for (const CoalescedRange& c : at(bytes[address].node).coalesced)
          if (bytes[address].offset - c.offset < c.size) expected[address] = true;
    for (const auto& [address, size] : pictures_[root].coalesced)
      for (u64 at = address; at < address + size; ++at) told[at] = true;
    ASSERT_EQ(told, expected);
  }

  static void check_merged(const std::vector<FlatRange>& ranges) {
    for (std::size_t i = 1; i < ranges.size(); ++i) {
      const FlatRange &a = ranges[i - 1], &b = ranges[i];
      ASSERT_LT(a.last, b.first);
      ASSERT_FALSE(a.last + 1 == b.first && a.region == b.region &&
                   a.offset + a.length() == b.offset && a.readonly == b.readonly &&
                   a.romd == b.romd && a.log_clients == b.log_clients);
    }
  }

  std::mt19937 random_;
  u64 span_;
  unsigned sequence_{0};
  int fd_{0};
  MemoryMap map_{nullptr};
  std::vector<Node> nodes_;
  std::vector<std::vector<int>> children_;
  Picture pictures_[2];
  std::unique_ptr<AddressSpace> spaces_[2];
};

void run_trees(unsigned first_seed, unsigned count, u64 span, unsigned changes) {
  for (unsigned seed = first_seed; seed < first_seed + count; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    World world(seed, span);
    world.check();
    for (unsigned n = 0; n < changes && !testing::Test::HasFatalFailure(); ++n) {
      world.change();
      world.check();
    }
    if (testing::Test::HasFailure()) return;
  }
}

TEST(MemoryModelTest, TenThousandRandomTreesShowWhatEachByteShows) {
  run_trees(1, 10000, 0x800, 4);
}

TEST(MemoryModelTest, WideRandomTreesShowWhatEachByteShows) { run_trees(100001, 300, 0x10000, 4); }

TEST(MemoryModelTest, ManyChangesOfOneTreeStayTrue) { run_trees(200001, 100, 0x800, 200); }

}  // namespace
}  // namespace rhea
