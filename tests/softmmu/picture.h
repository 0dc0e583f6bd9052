// SPDX-License-Identifier: GPL-2.0-or-later
// A listener that keeps a picture of its address space from the differences it is told.
#pragma once

#include "rhea/softmmu/address_space.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace rhea::test {

/// Rebuilds the view from what it is told, and complains when that makes no sense.
class Picture final : public MemoryListener {
 public:
  void begin() override {
    EXPECT_FALSE(inside_);
    inside_ = true;
    last_deleted_.reset();
    last_added_.reset();
    deleted_.clear();
  }
  void region_del(const FlatRange& range) override {
    EXPECT_TRUE(inside_ && !last_added_);
    EXPECT_TRUE(!last_deleted_ || range.first < *last_deleted_) << "removals go downwards";
    last_deleted_ = range.first;
    const auto it = ranges.find(range.first);
    ASSERT_TRUE(it != ranges.end());
    EXPECT_EQ(it->second, range);
    deleted_.push_back(range);
    ranges.erase(it);
  }
  void region_add(const FlatRange& range) override {
    ascend(range);
    const auto after = ranges.lower_bound(range.first);
    EXPECT_TRUE(after == ranges.end() || after->second.first > range.last);
    EXPECT_TRUE(after == ranges.begin() || std::prev(after)->second.last < range.first);
    EXPECT_EQ(std::ranges::find(deleted_, range), deleted_.end())
        << "removed and added for nothing";
    ranges.emplace(range.first, range);
  }
  void region_nop(const FlatRange& range) override {
    ascend(range);
    ASSERT_TRUE(ranges.contains(range.first));
    FlatRange known = ranges.at(range.first);
    known.log_clients = range.log_clients;
    EXPECT_EQ(known, range);
  }
  void log_change(const FlatRange& range, unsigned old_clients, unsigned new_clients) override {
    ASSERT_TRUE(ranges.contains(range.first));
    EXPECT_EQ(ranges.at(range.first).log_clients, old_clients);
    EXPECT_EQ(range.log_clients, new_clients);
    ranges.at(range.first).log_clients = new_clients;
  }
  void commit() override {
    EXPECT_TRUE(inside_);
    inside_ = false;
  }
  void eventfd_add(u64 address, const IoEventFd& e) override {
    EXPECT_TRUE(eventfds.insert({address, e.size, e.fd}).second);
  }
  void eventfd_del(u64 address, const IoEventFd& e) override {
    EXPECT_EQ(eventfds.erase({address, e.size, e.fd}), 1u);
  }
  void coalesced_add(u64 address, u64 size) override {
    EXPECT_TRUE(coalesced.insert({address, size}).second);
  }
  void coalesced_del(u64 address, u64 size) override {
    EXPECT_EQ(coalesced.erase({address, size}), 1u);
  }

  std::map<u64, FlatRange> ranges;
  std::set<std::tuple<u64, unsigned, int>> eventfds;
  std::set<std::pair<u64, u64>> coalesced;

 private:
  void ascend(const FlatRange& range) {
    EXPECT_TRUE(inside_);
    EXPECT_TRUE(!last_added_ || range.first > *last_added_) << "additions go upwards";
    last_added_ = range.first;
  }

  bool inside_{false};
  std::optional<u64> last_deleted_, last_added_;
  std::vector<FlatRange> deleted_;
};

}  // namespace rhea::test
