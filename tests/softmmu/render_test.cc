// SPDX-License-Identifier: GPL-2.0-or-later
// Rendering where random graphs do not go: the ends of the address space, depth, cycles, the PC's
// windows.
#include "rhea/softmmu/address_space.h"

#include <gtest/gtest.h>

#include <chrono>
#include <deque>

namespace rhea {
namespace {

constexpr u64 kTop = ~u64{0};

Region& make_container(std::deque<Region>& regions, u128 size = Region::kWholeSpace) {
  Region& region = regions.emplace_back();
  region.init_container(nullptr, "container", size);
  return region;
}

Region& make_io(std::deque<Region>& regions, std::string name, u64 size) {
  Region& region = regions.emplace_back();
  region.init_io(nullptr, std::move(name), size, RegionOps{}, nullptr);
  return region;
}

Region& make_alias(std::deque<Region>& regions, Region& target, u64 offset, u128 size) {
  Region& region = regions.emplace_back();
  region.init_alias(nullptr, "alias", target, offset, size);
  return region;
}

TEST(RenderTest, EmptyContainerShowsNothing) {
  std::deque<Region> r;
  EXPECT_TRUE(render(make_container(r)).empty());
}

TEST(RenderTest, RegionMayEndAtTheTopOfTheSpace) {
  std::deque<Region> r;
  Region& root = make_container(r);
  root.add(kTop - 0xfff, make_io(r, "top", 0x1000));
  const auto ranges = render(root);
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_EQ(ranges[0].first, kTop - 0xfff);
  EXPECT_EQ(ranges[0].last, kTop);
}

TEST(RenderTest, RegionBeyondTheTopIsClipped) {
  std::deque<Region> r;
  Region& root = make_container(r);
  root.add(kTop - 0xff, make_io(r, "over", 0x1000));
  const auto ranges = render(root);
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_EQ(ranges[0].length(), 0x100u);
}

TEST(RenderTest, AliasOfTheWholeSpaceShowsTheWholeSpace) {
  std::deque<Region> r;
  Region& whole = make_container(r);
  whole.add(0, make_io(r, "low", 1));
  whole.add(kTop, make_io(r, "high", 1));
  const auto ranges = render(make_alias(r, whole, 0, Region::kWholeSpace));
  ASSERT_EQ(ranges.size(), 2u);
  EXPECT_EQ(ranges[0].first, 0u);
  EXPECT_EQ(ranges[1].first, kTop);
}

TEST(RenderTest, AliasOffsetAboveItsPlaceKeepsTheOffset) {
  std::deque<Region> r;
  Region& root = make_container(r);
  Region& target = make_io(r, "target", 0x10000);
  root.add(0x10, make_alias(r, target, 0x8000, 0x20));
  const auto ranges = render(root);
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_EQ(ranges[0].first, 0x10u);
  EXPECT_EQ(ranges[0].last, 0x2fu);
  EXPECT_EQ(ranges[0].offset, 0x8000u);
}

TEST(RenderTest, LaterOneWinsAmongEquals) {
  std::deque<Region> r;
  Region& root = make_container(r);
  root.add(0, make_io(r, "first", 0x100), 1);
  root.add(0x80, make_io(r, "second", 0x100), 1);
  const auto ranges = render(root);
  ASSERT_EQ(ranges.size(), 2u);
  EXPECT_EQ(ranges[0].last, 0x7fu);
  EXPECT_EQ(ranges[1].region->name(), "second");
}

TEST(RenderTest, PriorityCountsOnlyInsideItsContainer) {
  std::deque<Region> r;
  Region& root = make_container(r);
  Region& low = make_container(r, 0x1000);
  low.add(0, make_io(r, "strong inside", 0x100), 1000);
  root.add(0, low, 0);
  root.add(0, make_io(r, "weak outside", 0x100), 1);
  const auto ranges = render(root);
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_EQ(ranges[0].region->name(), "weak outside");
}

TEST(RenderTest, ReadonlyAliasMakesRamReadonlyButNotItsNeighbour) {
  std::deque<Region> r;
  Region& root = make_container(r);
  Region& ram = r.emplace_back();
  ASSERT_TRUE(ram.init_ram(nullptr, "ram", 0x4000));
  Region& pam = make_alias(r, ram, 0x1000, 0x1000);
  root.add(0, ram);
  root.add(0x1000, pam, 1);
  pam.set_readonly(true);
  const auto ranges = render(root);
  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_FALSE(ranges[0].readonly);
  EXPECT_TRUE(ranges[1].readonly);
  EXPECT_EQ(ranges[1].offset, 0x1000u);
  EXPECT_FALSE(ranges[2].readonly);
}

TEST(RenderTest, AliasThatShowsTheSameAsItsSurroundingsDisappears) {
  std::deque<Region> r;
  Region& root = make_container(r);
  Region& ram = r.emplace_back();
  ASSERT_TRUE(ram.init_ram(nullptr, "ram", 0x4000));
  root.add(0, ram);
  root.add(0x1000, make_alias(r, ram, 0x1000, 0x1000), 1);
  EXPECT_EQ(render(root).size(), 1u);
}

TEST(RenderTest, ThousandContainersDeepStillShows) {
  std::deque<Region> r;
  Region* inner = &make_io(r, "bottom", 0x10);
  for (int depth = 0; depth < 1000; ++depth) {
    Region& outer = make_container(r, 0x100000);
    outer.add(1, *inner);
    inner = &outer;
  }
  const auto ranges = render(*inner);
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_EQ(ranges[0].first, 1000u);
  while (!r.empty()) r.pop_back();  // outermost first, without recursion
}

TEST(RenderTest, AliasOfItsOwnContainerShowsNothingInside) {
  std::deque<Region> r;
  Region& root = make_container(r, 0x10000);
  root.add(0, make_io(r, "device", 0x100));
  root.add(0x1000, make_alias(r, root, 0, 0x10000));
  const auto ranges = render(root);
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_EQ(ranges[0].region->name(), "device");
}

TEST(RenderTest, AliasesOfEachOtherEnd) {
  std::deque<Region> r;
  Region& a = make_container(r, 0x10000);
  Region& b = make_container(r, 0x10000);
  a.add(0x1000, make_alias(r, b, 0, 0x1000));
  b.add(0x100, make_alias(r, a, 0, 0x1000));
  b.add(0, make_io(r, "device", 0x10));
  ASSERT_EQ(render(a).size(), 1u);
}

TEST(RenderTest, DenselyTangledAliasesEndInTime) {
  std::deque<Region> r;
  std::vector<Region*> containers;
  for (int i = 0; i < 24; ++i) containers.push_back(&make_container(r));
  for (Region* from : containers)
    for (Region* to : containers) from->add(1, make_alias(r, *to, 0, Region::kWholeSpace));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(render(*containers[0]).empty());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(RenderTest, DoublingAliasesEndInTime) {
  std::deque<Region> r;
  Region* below = &make_io(r, "leaf", 1);
  for (int i = 0; i < 40; ++i) {
    Region& container = make_container(r);
    container.add(0, make_alias(r, *below, 0, u128{1} << i));
    container.add(u64{1} << i, make_alias(r, *below, 0, u128{1} << i));
    below = &container;
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(render(*below).empty());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

}  // namespace
}  // namespace rhea
