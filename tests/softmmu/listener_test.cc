// SPDX-License-Identifier: GPL-2.0-or-later
// What listeners are told, and in which order.
#include "rhea/softmmu/address_space.h"
#include "tests/softmmu/store_result.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace rhea {
namespace {

/// Writes down what it hears.
class Scribe final : public MemoryListener {
 public:
  explicit Scribe(std::vector<std::string>& log, std::string name = {})
      : log_(&log), name_(std::move(name)) {}
  void begin() override { say("begin"); }
  void commit() override { say("commit"); }
  void region_del(const FlatRange& r) override {
    say(fmt::format("del {} {:x}-{:x}", r.region->name(), r.first, r.last));
  }
  void region_add(const FlatRange& r) override {
    say(fmt::format("add {} {:x}-{:x}", r.region->name(), r.first, r.last));
  }
  void region_nop(const FlatRange& r) override {
    say(fmt::format("nop {} {:x}-{:x}", r.region->name(), r.first, r.last));
  }
  void log_change(const FlatRange& r, unsigned from, unsigned to) override {
    say(fmt::format("log {} {}->{}", r.region->name(), from, to));
  }
  void log_sync(const FlatRange& r) override { say(fmt::format("sync {}", r.region->name())); }
  void log_clear(const FlatRange& r, u64 first, u64 last) override {
    say(fmt::format("clear {} {:x}-{:x}", r.region->name(), first, last));
  }
  void eventfd_add(u64 at, const IoEventFd& e) override {
    say(fmt::format("fd+ {:x} {}", at, e.fd));
  }
  void eventfd_del(u64 at, const IoEventFd& e) override {
    say(fmt::format("fd- {:x} {}", at, e.fd));
  }
  void coalesced_add(u64 at, u64 size) override { say(fmt::format("co+ {:x}/{:x}", at, size)); }
  void coalesced_del(u64 at, u64 size) override { say(fmt::format("co- {:x}/{:x}", at, size)); }

 private:
  void say(const std::string& text) { log_->push_back(name_ + text); }
  std::vector<std::string>* log_;
  std::string name_;
};

using Log = std::vector<std::string>;

class ListenerTest : public testing::Test {
 protected:
  ListenerTest() {
    root_.init_container(nullptr, "root", 0x10000);
    EXPECT_TRUE(ram_.init_ram(nullptr, "ram", 0x4000));
    device_.init_io(nullptr, "dev", 0x100, RegionOps{}, nullptr);
    root_.add(0, ram_);
  }

  MemoryMap map_{nullptr};
  Region root_, ram_, device_;
  AddressSpace space_{map_, "memory", root_};
  Log log_;
  Scribe scribe_{log_};
};

TEST_F(ListenerTest, JoiningListenerHearsOfEverything) {
  root_.add(0x8000, device_);
  device_.add_eventfd({.offset = 4, .size = 4, .fd = 7});
  device_.set_coalesced(8, 8);
  space_.add_listener(scribe_);
  EXPECT_EQ(log_, (Log{"begin", "add ram 0-3fff", "add dev 8000-80ff", "fd+ 8004 7", "co+ 8008/8",
                       "commit"}));
}

TEST_F(ListenerTest, SplitRangeGoesAndItsPartsCome) {
  space_.add_listener(scribe_);
  log_.clear();
  root_.add(0x1000, device_, 1);
  EXPECT_EQ(log_, (Log{"begin", "del ram 0-3fff", "add ram 0-fff", "add dev 1000-10ff",
                       "add ram 1100-3fff", "commit"}));
}

TEST_F(ListenerTest, WhatStaysIsOnlyMentioned) {
  space_.add_listener(scribe_);
  log_.clear();
  root_.add(0x8000, device_);
  root_.remove(device_);
  EXPECT_EQ(log_, (Log{"begin", "nop ram 0-3fff", "add dev 8000-80ff", "commit", "begin",
                       "del dev 8000-80ff", "nop ram 0-3fff", "commit"}));
}

TEST_F(ListenerTest, TransactionThatEndsWhereItBeganIsSilent) {
  space_.add_listener(scribe_);
  log_.clear();
  {
    const Transaction transaction(map_);
    root_.add(0x1000, device_, 1);
    ram_.set_enabled(false);
    root_.remove(device_);
    ram_.set_enabled(true);
  }
  EXPECT_TRUE(log_.empty());
}

TEST_F(ListenerTest, NestedTransactionsPublishOnce) {
  space_.add_listener(scribe_);
  log_.clear();
  {
    const Transaction outer(map_);
    {
      const Transaction inner(map_);
      root_.add(0x8000, device_);
    }
    EXPECT_TRUE(log_.empty());
    device_.set_address(0x9000);
  }
  EXPECT_EQ(log_, (Log{"begin", "nop ram 0-3fff", "add dev 9000-90ff", "commit"}));
}

TEST_F(ListenerTest, LoggingOfARangeThatStaysIsAChangeOfItsClients) {
  space_.add_listener(scribe_);
  log_.clear();
  ram_.set_log(DirtyClient::Migration, true);
  EXPECT_EQ(log_, (Log{"begin", "nop ram 0-3fff", "log ram 0->2", "commit"}));
  EXPECT_TRUE(ram_.ram()->logging(DirtyClient::Migration));
}

TEST_F(ListenerTest, LowerPriorityHearsOfAdditionsFirstAndOfRemovalsLast) {
  Scribe late(log_, "late ");
  space_.add_listener(late, 10);
  space_.add_listener(scribe_, 0);
  log_.clear();
  ram_.set_enabled(false);
  EXPECT_EQ(log_, (Log{"begin", "late begin", "late del ram 0-3fff", "del ram 0-3fff", "commit",
                       "late commit"}));
  log_.clear();
  ram_.set_enabled(true);
  EXPECT_EQ(log_, (Log{"begin", "late begin", "add ram 0-3fff", "late add ram 0-3fff", "commit",
                       "late commit"}));
}

TEST_F(ListenerTest, LeavingListenerHearsNothingMore) {
  space_.add_listener(scribe_);
  space_.remove_listener(scribe_);
  log_.clear();
  ram_.set_enabled(false);
  EXPECT_TRUE(log_.empty());
}

TEST_F(ListenerTest, EventfdMovesWithItsRegion) {
  root_.add(0x8000, device_);
  device_.add_eventfd({.offset = 0x10, .size = 2, .fd = 5});
  space_.add_listener(scribe_);
  log_.clear();
  device_.set_address(0x9000);
  EXPECT_EQ(log_, (Log{"begin", "fd- 8010 5", "del dev 8000-80ff", "nop ram 0-3fff",
                       "add dev 9000-90ff", "fd+ 9010 5", "commit"}));
}

TEST_F(ListenerTest, CoveredEventfdIsTakenBackAndCoalescedRangeIsClipped) {
  root_.add(0x8000, device_);
  device_.add_eventfd({.offset = 0x10, .size = 2, .fd = 5});
  device_.add_eventfd({.offset = 0x21, .size = 2, .fd = 6});
  device_.set_coalesced(0x18, 0x20);
  Region cover;
  cover.init_io(nullptr, "cover", 0x22, RegionOps{}, nullptr);
  space_.add_listener(scribe_);
  log_.clear();
  root_.add(0x8000, cover, 1);
  EXPECT_EQ(log_, (Log{"begin", "fd- 8010 5", "fd- 8021 6", "co- 8018/20", "del dev 8000-80ff",
                       "nop ram 0-3fff", "add cover 8000-8021", "add dev 8022-80ff", "co+ 8022/16",
                       "commit"}));
}

TEST_F(ListenerTest, AddingAnEventfdLeavesRangesAlone) {
  root_.add(0x8000, device_);
  space_.add_listener(scribe_);
  const FlatView* const before = &space_.view();
  log_.clear();
  device_.add_eventfd({.offset = 0, .size = 4, .fd = 3});
  device_.remove_eventfd({.offset = 0, .size = 4, .fd = 3});
  EXPECT_EQ(log_, (Log{"begin", "nop ram 0-3fff", "nop dev 8000-80ff", "fd+ 8000 3", "commit",
                       "begin", "fd- 8000 3", "nop ram 0-3fff", "nop dev 8000-80ff", "commit"}));
  EXPECT_EQ(&space_.view(), before);
}

TEST_F(ListenerTest, WriteThatStaysInTheProgramSignalsTheEventfd) {
  const int fd = ::eventfd(0, EFD_NONBLOCK);
  root_.add(0x8000, device_);
  device_.add_eventfd({.offset = 0, .size = 2, .match = true, .value = 3, .fd = fd});
  eventfd_t count = 0;
  EXPECT_EQ(store_result(space_, 0x8000, 2, 2), MemResult::Refused);  // no handlers
  EXPECT_EQ(::eventfd_read(fd, &count), -1);
  EXPECT_EQ(store_result(space_, 0x8000, 3, 2), MemResult::Ok);
  EXPECT_EQ(::eventfd_read(fd, &count), 0);
  EXPECT_EQ(count, 1u);
  ::close(fd);
}

TEST_F(ListenerTest, DestroyedRegionGoesAlsoInsideATransaction) {
  space_.add_listener(scribe_);
  auto doomed = std::make_unique<Region>();
  doomed->init_io(nullptr, "doomed", 0x10, RegionOps{}, nullptr);
  root_.add(0x9000, *doomed);
  log_.clear();
  const Transaction transaction(map_);
  doomed.reset();
  EXPECT_EQ(log_, (Log{"begin", "del doomed 9000-900f", "nop ram 0-3fff", "commit"}));
}

TEST_F(ListenerTest, ListenerThatChangesTheMapIsHeardAfterwards) {
  class Meddler final : public MemoryListener {
   public:
    Meddler(Region& root, Region& extra) : root_(&root), extra_(&extra) {}
    void region_add(const FlatRange& range) override {
      if (range.region != extra_ && extra_->container() == nullptr) root_->add(0xf000, *extra_);
    }

   private:
    Region *root_, *extra_;
  };
  Region extra;
  extra.init_io(nullptr, "extra", 0x10, RegionOps{}, nullptr);
  space_.add_listener(scribe_);
  Meddler meddler(root_, extra);
  extra.set_enabled(true);
  space_.add_listener(meddler);
  EXPECT_EQ(log_.back(), "commit");
  EXPECT_NE(space_.view().find(0xf000), nullptr);
}

TEST_F(ListenerTest, DirtyBitsAreFetchedAndProtectedAgain) {
  ram_.set_log(DirtyClient::Migration, true);
  space_.add_listener(scribe_);
  log_.clear();
  space_.store(0x2345, 1, 1);
  space_.sync_dirty();
  EXPECT_EQ(space_.take_dirty(ram_, DirtyClient::Migration, 1, 2), std::vector<u64>{2});
  EXPECT_EQ(log_, (Log{"sync ram", "clear ram 1000-2fff"}));
  EXPECT_EQ(space_.take_dirty(ram_, DirtyClient::Migration, 1, 2), std::vector<u64>{0});
}

TEST_F(ListenerTest, TakingDirtyBitsLeavesTheOthers) {
  ram_.set_log(DirtyClient::Migration, true);
  space_.store(0x0000, 1, 1);
  space_.store(0x3000, 1, 1);
  EXPECT_EQ(space_.take_dirty(ram_, DirtyClient::Migration, 0, 2), std::vector<u64>{1});
  EXPECT_TRUE(ram_.ram()->test_dirty(DirtyClient::Migration, 0x3000, 1));
}

}  // namespace
}  // namespace rhea
