// SPDX-License-Identifier: GPL-2.0-or-later
// Readers while a writer publishes, and devices that go while they are being accessed. Meant for
// the thread sanitizer; without it these tests still find deadlocks and uses after free.
#include "rhea/softmmu/address_space.h"
#include "rhea/util/lock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace rhea {
namespace {

constexpr auto kDuration = std::chrono::milliseconds(400);

/// Runs `work` on several threads until told to stop.
class Crew {
 public:
  template <class Work>
  Crew(unsigned count, Work work) {
    for (unsigned i = 0; i < count; ++i)
      threads_.emplace_back([this, work, i] {
        while (!stop_.load(std::memory_order_relaxed)) work(i);
      });
  }
  ~Crew() {
    stop_ = true;
    for (auto& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

// For a while, and more than a few times however busy the host is.
template <class Work>
unsigned repeat(Work work) {
  constexpr unsigned kLeast = 6;
  unsigned rounds = 0;
  for (const auto end = std::chrono::steady_clock::now() + kDuration;
       rounds < kLeast || std::chrono::steady_clock::now() < end; ++rounds)
    work();
  return rounds;
}

/// A device whose handlers notice when they are called after its end.
struct Counter {
  static constexpr u32 kAlive = 0x600dda7a;
  ~Counter() { alive = 0xdeadbeef; }
  u64 read(u64, unsigned) { return alive; }
  void write(u64, u64, unsigned) { ++writes; }
  u32 alive{kAlive};
  unsigned writes{0};
};

struct Device {
  explicit Device(u64 size) {
    region.init_io(nullptr, "device", size, io<&Counter::read, &Counter::write>(), &counter);
  }
  Counter counter;
  Region region;
};

class ConcurrencyTest : public testing::Test {
 protected:
  ConcurrencyTest() {
    const DomainGuard guard(&lock_);
    root_.init_container(nullptr, "root", Region::kWholeSpace);
    EXPECT_TRUE(ram_.init_ram(nullptr, "ram", 0x10000));
    root_.add(0, ram_);
  }
  /// One register of the device that may or may not be there just now.
  void read_and_write_device(unsigned n) {
    const u64 value = space_.load(0x20000 + 4 * n, 4);
    if (value != Counter::kAlive && value != 0xffffffff) ++strange_;
    space_.store(0x20000, 1, 4);
  }

  LockDomain lock_;
  MemoryMap map_{&lock_};
  Region root_, ram_;
  AddressSpace space_{map_, "memory", root_};
  std::atomic<u64> strange_{0};
};

// A thread remembers where it was last.
TEST_F(ConcurrencyTest, TheSameAddressReachesWhateverDeviceIsThereNow) {
  const auto add = [this](Device& device, int priority) {
    const DomainGuard guard(&lock_);
    root_.add(0x20000, device.region, priority);
  };
  Device first(0x1000);
  add(first, 1);
  for (unsigned n = 1; n <= 3; ++n) {
    space_.store(0x20000 + 4 * n, 0, 4);
    EXPECT_EQ(first.counter.writes, n);
  }
  {
    Device over(0x10);
    add(over, 2);
    space_.store(0x20004, 0, 4);
    space_.store(0x20014, 0, 4);  // behind its end
    EXPECT_EQ(over.counter.writes, 1u);
    EXPECT_EQ(first.counter.writes, 4u);
    space_.store(0x20004, 0, 4);
    const DomainGuard guard(&lock_);
    root_.remove(over.region);
    over.region.reset();
  }
  space_.store(0x20004, 0, 4);
  EXPECT_EQ(first.counter.writes, 5u);
  const DomainGuard guard(&lock_);
  root_.remove(first.region);
  EXPECT_EQ(space_.load(0x20004, 4), 0xffff'ffffu);
}

// What a thread remembers of a space that is gone is not for one that has come to lie there.
TEST_F(ConcurrencyTest, ASpaceInTheSamePlaceIsAnother) {
  Region root, empty;
  root.init_container(nullptr, "root", Region::kWholeSpace);
  empty.init_container(nullptr, "empty", Region::kWholeSpace);
  Device device(0x10);
  std::optional<AddressSpace> space;
  {
    const DomainGuard guard(&lock_);
    root.add(0, device.region);
    space.emplace(map_, "first", root);
  }
  EXPECT_EQ(space->load(0, 4), Counter::kAlive);
  {
    const DomainGuard guard(&lock_);
    space.emplace(map_, "second", empty);
  }
  EXPECT_EQ(space->load(0, 4), 0xffff'ffffU);
  const DomainGuard guard(&lock_);
  space.reset();
  root.remove(device.region);
}

TEST_F(ConcurrencyTest, ReadersSeeOldOrNewViewWhileAWriterPublishes) {
  Region window;
  window.init_alias(nullptr, "window", ram_, 0x8000, 0x1000);
  ram_.host()[0] = 1;
  ram_.host()[0x8000] = 2;
  const Crew readers(3, [&](unsigned) {
    const u64 value = space_.load(0, 1);
    if (value != 1 && value != 2) ++strange_;
    const RcuGuard guard;
    for (const FlatRange& range : space_.view().ranges())
      if (range.region != &ram_) ++strange_;
  });
  bool shown = false;
  EXPECT_GT(repeat([&] {
              const DomainGuard guard(&lock_);
              shown ? root_.remove(window) : root_.add(0, window, 1);
              shown = !shown;
            }),
            5u);
  EXPECT_EQ(strange_, 0u);
}

TEST_F(ConcurrencyTest, DeviceOfTheMachinesDomainMayGoWhileProcessorsAccessIt) {
  const Crew processors(3, [&](unsigned i) { read_and_write_device(i); });
  EXPECT_GT(repeat([&] {
              const DomainGuard guard(&lock_);
              const auto device = std::make_unique<Device>(0x100);
              root_.add(0x20000, device->region);
              lock_.unlock();
              std::this_thread::yield();
              lock_.lock();
            }),
            5u);
  EXPECT_EQ(strange_, 0u);
}

TEST_F(ConcurrencyTest, DeviceOfAnOwnDomainMayGoWhileProcessorsAccessIt) {
  const Crew processors(3, [&](unsigned i) { read_and_write_device(i); });
  EXPECT_GT(repeat([&] {
              const DomainGuard guard(&lock_);
              const auto own = std::make_unique<LockDomain>();
              const auto device = std::make_unique<Device>(0x100);
              device->region.set_lock_domain(own.get());
              root_.add(0x20000, device->region);
              std::this_thread::yield();
            }),
            5u);
  EXPECT_EQ(strange_, 0u);
}

TEST_F(ConcurrencyTest, DeviceWithoutALockMayGoWhileAProcessorAccessesIt) {
  const Crew processor(1, [&](unsigned) {
    const u64 value = space_.load(0x20000, 4);
    if (value != Counter::kAlive && value != 0xffffffff) ++strange_;
  });
  EXPECT_GT(repeat([&] {
              const DomainGuard guard(&lock_);
              const auto device = std::make_unique<Device>(0x100);
              device->region.set_lock_domain(nullptr);
              root_.add(0x20000, device->region);
              std::this_thread::yield();
            }),
            5u);
  EXPECT_EQ(strange_, 0u);
}

TEST_F(ConcurrencyTest, MemoryMayGoWhileMastersTransfer) {
  const Crew masters(2, [&](unsigned) {
    std::vector<u8> data(0x1800, 0xff);
    static_cast<void>(space_.read(0x20000, data));
    for (const u8 byte : data)
      if (byte != 0 && byte != 0xff) ++strange_;
  });
  EXPECT_GT(repeat([&] {
              const DomainGuard guard(&lock_);
              Region ram;
              EXPECT_TRUE(ram.init_ram(nullptr, "hot", 0x1000));
              root_.add(0x20800, ram);
              std::this_thread::yield();
            }),
            5u);
  EXPECT_EQ(strange_, 0u);
}

TEST_F(ConcurrencyTest, AlignedAccessesAreNeverTorn) {
  const Crew writers(2, [&](unsigned i) { space_.store(0x1000, i == 0 ? 0 : ~u64{0}, 8); });
  repeat([&] {
    const u64 value = space_.load(0x1000, 8);
    if (value != 0 && value != ~u64{0}) ++strange_;
  });
  EXPECT_EQ(strange_, 0u);
}

TEST_F(ConcurrencyTest, NoWriteIsLostFromTheDirtyLog) {
  {
    const DomainGuard guard(&lock_);
    ram_.set_log(DirtyClient::Display, true);
  }
  RamBlock& block = *ram_.ram();
  std::atomic<u64> counter{0};
  u64 seen = 0;
  {
    const Crew writer(1, [&](unsigned) { space_.store(0x2000, ++counter, 8); });
    repeat([&] {
      if (block.test_and_clear_dirty(DirtyClient::Display, 0x2000, 8))
        seen = space_.load(0x2000, 8);
    });
  }
  if (block.test_and_clear_dirty(DirtyClient::Display, 0x2000, 8)) seen = space_.load(0x2000, 8);
  EXPECT_EQ(seen, counter);
}

}  // namespace
}  // namespace rhea
