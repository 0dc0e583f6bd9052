// SPDX-License-Identifier: GPL-2.0-or-later
// Devices whose handlers run under a lock of their own: what holds which lock, lines, messages and
// map changes from there, timers, unplug.
#include "rhea/hw/isa.h"
#include "rhea/hw/pci.h"
#include "rhea/softmmu/deferred.h"
#include "rhea/softmmu/posted.h"
#include "tests/support/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace rhea::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr u64 kDomainBar = 0xe000'0000;
constexpr unsigned kDomainDevfn = 3 << 3, kDomainLink = 3;
constexpr u64 kElsewhere = 0xe100'0000;

/// Which locks a call came with.
enum class Locks : u8 { None, Own, Machine, Both };

/// Registers: 0 INTx level, 4 message, 8 DMA of a dword to that address, 0xc levels of a line in
/// turn (from bit 0, up to a bit above all), 0x10 window on or off, 0x14 waits for a timer that is
/// due, and cancels it.
class DomainDevice final : public PciDevice {
 public:
  static constexpr std::string_view kName = "test-domain";
  static constexpr PciIdentity kPci{
      .vendor = 0x1b36, .device = 0x7e60, .klass = 0x058000, .interrupt_pin = 1};
  static void describe(Schema<DomainDevice>& s) {
    s.help("handlers under a lock of their own");
    s.computed(
         "locks", "int", [](const DomainDevice& d) -> Value { return i64(d.locks_now()); },
         [](DomainDevice& d, const Value&) -> Result<> {
           d.set_with = d.locks_now();
           return {};
         })
        .settable_when_realized();
    s.state("count", &DomainDevice::count);
    s.state("line", &DomainDevice::line);
  }
  DomainDevice() { set_lock_domain(domain); }

  Locks locks_now() const {
    const bool own = domain.held_by_me();
    const bool machines = in_machine() && machine().lock().held_by_me();
    if (own) return machines ? Locks::Both : Locks::Own;
    return machines ? Locks::Machine : Locks::None;
  }
  void pre_save() override { saved_with = locks_now(); }
  Result<> post_load(unsigned version) override {
    loaded_with = locks_now();
    return PciDevice::post_load(version);
  }

  using PciDevice::intx_level;
  void set_interrupt(bool level) { set_intx(level); }

  LockDomain domain{LockDomain::Kind::Device};
  Locks written_with{}, reset_with{}, saved_with{}, loaded_with{}, set_with{}, timer_with{},
      deferred_with{}, pin_with{};
  MemResult transfer{};
  u32 count{0};
  IrqOutput line;
  Timer timer;
  Deferred later;

 protected:
  Result<> realize() override {
    TRY(PciDevice::realize());
    init_gpio_in<&DomainDevice::pin>(*this, "in", 1);
    registers_.init_io(*this, "test-domain", 0x1000,
                       io<&DomainDevice::read, &DomainDevice::write>());
    window_.init_io(*this, "test-domain-window", 0x1000,
                    io<&DomainDevice::read, &DomainDevice::write>());
    window_.set_enabled(false);
    pci_bus().memory().add(kElsewhere, window_, 1);
    TRY(bar(0, registers_));
    TRY(add_msix_bar(2, 1));
    if (const auto* isa = dynamic_cast<IsaBus*>(machine().find_bus(IsaBus::kName)))
      line.connect(isa->irq(5));
    posted_line_.init(machine(), line);
    move_.init(machine(), [this] {
      const DomainGuard guard(&domain);
      window_.set_enabled(window_wanted_);
    });
    timer.init(machine().virtual_clock(), [this] { timer_with = locks_now(); });
    later.init(machine().loop(), [this] { deferred_with = locks_now(); });
    return {};
  }
  void unrealize() override { pci_bus().memory().remove(window_); }
  void reset(ResetKind) override { reset_with = locks_now(); }

 private:
  u64 read(u64, unsigned) { return ++count; }
  void pin(unsigned, bool) { pin_with = locks_now(); }
  void write(u64 offset, u64 value, unsigned) {
    written_with = locks_now();
    switch (offset) {
      case 0x00: return set_intx(value != 0);
      case 0x04:
        if (!notify_msi(static_cast<unsigned>(value))) set_intx(true);
        return;
      case 0x08: transfer = dma().write_value(value, u32{0x600d}); return;
      case 0x0c:
        for (; value > 1; value >>= 1) posted_line_.set((value & 1) != 0);
        return;
      case 0x10: window_wanted_ = value != 0; return move_.post();
      case 0x14:
        waiting = true;
        while (timer.armed()) std::this_thread::yield();
        return timer.cancel();
      default: return;
    }
  }

  bool window_wanted_{false};
  Region registers_, window_;
  PostedLine posted_line_;
  Posted move_;

 public:
  std::atomic<bool> waiting{false};
};

const RegisterType<DomainDevice> registration;

class DeviceDomain : public testing::Test {
 protected:
  DeviceDomain() { map(); }
  void map() {
    bench.config_write(kDomainDevfn, 0x10, kDomainBar, 4);
    bench.config_write(kDomainDevfn, 0x14, kDomainBar + 0x10000, 4);
    bench.config_write(kDomainDevfn, 4, 6, 2);
  }
  /// As a processor does it: on a thread that has no lock; the main thread lets go of its own.
  template <class Work>
  void on_another_thread(Work work) {
    bench.machine().lock().unlock();
    std::thread(work).join();
    bench.machine().lock().lock();
  }
  void guest_writes(u64 offset, u32 value) {
    on_another_thread([&] { bench.machine().memory().store(kDomainBar + offset, value, 4); });
  }
  void enable_msix() {
    const u64 table = kDomainBar + 0x10000;
    bench.store(table, 0xfee0'0000, 8);
    bench.store(table + 8, 0x41, 4);
    bench.store(table + 12, 0, 4);
    bench.config_write(kDomainDevfn, 0x42, 0x8000, 2);
  }

  Bench bench;
  DomainDevice& device = static_cast<DomainDevice&>(bench.add("test-domain", {{"addr", "3"}}));
};

TEST_F(DeviceDomain, HandlersRunUnderItAlone) {
  guest_writes(0x20, 0);
  EXPECT_EQ(device.written_with, Locks::Own);
}

TEST_F(DeviceDomain, AccessesOfTheMachinesLockHaveBoth) {
  bench.store(kDomainBar + 0x20, 0, 4);
  EXPECT_EQ(device.written_with, Locks::Both);
}

TEST_F(DeviceDomain, ResetHasBoth) {
  bench.reset();
  EXPECT_EQ(device.reset_with, Locks::Both);
}

TEST_F(DeviceDomain, StateIsSavedAndLoadedWithBoth) {
  const std::vector<u8> saved = bench.save();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_EQ(device.saved_with, Locks::Both);
  EXPECT_EQ(device.loaded_with, Locks::Both);
}

TEST_F(DeviceDomain, PropertiesAreReadAndSetWithBoth) {
  EXPECT_EQ(to_text(*device.get("locks")), std::to_string(int(Locks::Both)));
  ASSERT_TRUE(device.set("locks", Value(i64{0})));
  EXPECT_EQ(device.set_with, Locks::Both);
}

TEST_F(DeviceDomain, TimersHaveBoth) {
  device.timer.arm_in(10);
  bench.advance(10);
  EXPECT_EQ(device.timer_with, Locks::Both);
}

TEST_F(DeviceDomain, DeferredCallsHaveBoth) {
  device.later.schedule();
  bench.run_until([&] { return !device.later.scheduled(); });
  EXPECT_EQ(device.deferred_with, Locks::Both);
}

TEST_F(DeviceDomain, InputPinsHaveBoth) {
  device.gpio_in("in", 0).set(true);
  EXPECT_EQ(device.pin_with, Locks::Both);
}

TEST_F(DeviceDomain, AnInterruptIsThereBeforeTheAccessIsOver) {
  guest_writes(0x00, 1);
  EXPECT_TRUE(bench.intx(kDomainLink));
  EXPECT_TRUE(device.intx_level());
  guest_writes(0x00, 0);
  EXPECT_FALSE(bench.intx(kDomainLink));
}

TEST_F(DeviceDomain, AMessageIsThereBeforeTheAccessIsOver) {
  enable_msix();
  guest_writes(0x04, 0);
  EXPECT_THAT(bench.messages(), ElementsAre(MsiMessage{.address = 0xfee0'0000, .data = 0x41}));
}

TEST_F(DeviceDomain, AMessageThatIsMaskedBecomesPending) {
  enable_msix();
  guest_writes(0x04, 1);
  EXPECT_THAT(bench.messages(), IsEmpty());
  EXPECT_EQ(bench.load(kDomainBar + 0x10020, 4), 2u);
}

TEST_F(DeviceDomain, TheTableOfMessagesIsTheMachines) {
  const RcuGuard guard;
  const FlatRange* const table = bench.machine().memory().view().find(kDomainBar + 0x10000);
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->region->lock_domain(), &bench.machine().lock());
}

TEST_F(DeviceDomain, WithoutMessagesTheLineIsRaised) {
  guest_writes(0x04, 0);
  EXPECT_TRUE(bench.intx(kDomainLink));
}

TEST_F(DeviceDomain, ALineThatFellAndRoseAgainHasAnotherEdge) {
  guest_writes(0x0c, 0b11);
  EXPECT_EQ(bench.irq_edges(5), 1u);
  guest_writes(0x0c, 0b110);
  EXPECT_TRUE(bench.irq(5));
  EXPECT_EQ(bench.irq_edges(5), 2u);
}

TEST_F(DeviceDomain, APulseOfALineIsAnEdge) {
  guest_writes(0x0c, 0b101);
  EXPECT_FALSE(bench.irq(5));
  EXPECT_EQ(bench.irq_edges(5), 1u);
}

TEST_F(DeviceDomain, ALineGoesOnFromTheLevelThatWasLoaded) {
  guest_writes(0x0c, 0b11);
  const std::vector<u8> high = bench.save();
  guest_writes(0x0c, 0b10);
  ASSERT_TRUE(bench.load(high));
  EXPECT_TRUE(bench.irq(5));
  guest_writes(0x0c, 0b10);
  EXPECT_FALSE(bench.irq(5));
}

TEST_F(DeviceDomain, TheMapHasChangedWhenTheAccessIsOver) {
  u64 there = 0, gone = 0;
  on_another_thread([&] {
    AddressSpace& memory = bench.machine().memory();
    memory.store(kDomainBar + 0x10, 1, 4);
    there = memory.load(kElsewhere, 4);
    memory.store(kDomainBar + 0x10, 0, 4);
    gone = memory.load(kElsewhere, 4);
  });
  EXPECT_EQ(there, 1u);
  EXPECT_EQ(gone, 0xffff'ffffu);
}

TEST_F(DeviceDomain, DmaReachesMemory) {
  guest_writes(0x08, 0x1000);
  EXPECT_EQ(device.transfer, MemResult::Ok);
  EXPECT_EQ(bench.load(0x1000, 4), 0x600du);
}

TEST_F(DeviceDomain, DmaToRegistersOfOthersIsRefusedWhoeverCalls) {
  bench.add("edu", {{"addr", "4"}});
  bench.config_write(4 << 3, 0x10, 0xe200'0000, 4);
  bench.config_write(4 << 3, 4, 2, 2);
  guest_writes(0x08, 0xe200'0004);
  EXPECT_EQ(device.transfer, MemResult::Refused);
  device.transfer = MemResult::Ok;
  bench.store(kDomainBar + 0x08, 0xe200'0004, 4);
  EXPECT_EQ(device.transfer, MemResult::Refused);
}

TEST_F(DeviceDomain, DmaToItsOwnRegistersIsRefused) {
  guest_writes(0x08, kDomainBar);
  EXPECT_EQ(device.transfer, MemResult::Reentrant);
}

// The main loop has taken the timer off its clock and waits for the domain.
TEST_F(DeviceDomain, ATimerThatIsCancelledInItDoesNotCallAnyMore) {
  device.timer.arm_in(10);
  std::thread guest([&] { bench.machine().memory().store(kDomainBar + 0x14, 0, 4); });
  while (!device.waiting) std::this_thread::yield();
  bench.advance(10);
  bench.machine().lock().unlock();
  guest.join();
  bench.machine().lock().lock();
  EXPECT_EQ(device.timer_with, Locks::None);
}

TEST_F(DeviceDomain, WhatWasPostedElsewhereIsDoneByTheMainLoop) {
  bool done = false;
  Posted posted;
  posted.init(bench.machine(), [&] { done = true; });
  on_another_thread([&] { posted.post(); });
  EXPECT_FALSE(done);
  EXPECT_TRUE(bench.run_until([&] { return done; }));
}

TEST_F(DeviceDomain, AnOlderLevelDoesNotOvertakeOneThatIsThere) {
  std::thread([&] {
    const DomainGuard guard(&device.domain);
    device.set_interrupt(true);
  }).join();
  {
    const DomainGuard guard(&device.domain);
    device.set_interrupt(false);
  }
  while (bench.machine().loop().iterate(false)) {
  }
  EXPECT_FALSE(bench.intx(kDomainLink));
}

TEST_F(DeviceDomain, AnAccessWaitsForWhatSomebodyElsePostedBefore) {
  std::thread([&] {
    const DomainGuard guard(&device.domain);
    device.set_interrupt(true);
  }).join();
  bool there = false;
  on_another_thread([&] {
    bench.machine().memory().store(kDomainBar, 1, 4);
    there = bench.intx(kDomainLink);
  });
  EXPECT_TRUE(there);
}

TEST_F(DeviceDomain, WhatIsPostedUnderTheMachinesLockIsDoneAtOnce) {
  bool done = false;
  Posted posted;
  posted.init(bench.machine(), [&] { done = true; });
  posted.post();
  EXPECT_TRUE(done);
}

TEST_F(DeviceDomain, NothingPostedIsDoneOnceItsOwnerHasGone) {
  bool done = false;
  {
    Posted posted;
    posted.init(bench.machine(), [&] { done = true; });
    on_another_thread([&] { posted.post(); });
  }
  bench.machine().loop().iterate(false);
  EXPECT_FALSE(done);
}

TEST_F(DeviceDomain, WhatWasPostedIsSaved) {
  on_another_thread([&] {
    const DomainGuard guard(&device.domain);
    device.set_interrupt(true);
  });
  const std::vector<u8> saved = bench.save();
  bench.reset();
  ASSERT_TRUE(bench.load(saved));
  EXPECT_TRUE(device.intx_level());
}

TEST_F(DeviceDomain, WaitingForTheMachinesLockInItIsAProgrammingError) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(
      {
        bench.machine().lock().unlock();
        const DomainGuard own(&device.domain);
        bench.machine().lock().lock();
      },
      "waits for another");
}

TEST_F(DeviceDomain, AnotherDevicesDomainCanOnlyBeTakenWithTheMachinesLock) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  LockDomain other(LockDomain::Kind::Device);
  {
    const DomainGuard own(&device.domain), another(&other);
  }
  EXPECT_DEATH(
      {
        bench.machine().lock().unlock();
        const DomainGuard own(&device.domain);
        other.lock();
      },
      "waits for another");
}

// Meant for the thread sanitizer, too: guests at all registers, and everything else that calls in.
TEST_F(DeviceDomain, DevicesComeAndGoWhileTheyAreUsed) {
  std::atomic<bool> stop{false};
  const auto guest = [&](u64 seed) {
    AddressSpace& memory = bench.machine().memory();
    for (u64 n = seed; !stop; ++n) {
      memory.store(kDomainBar + 4 * (n % 5), n % 3, 4);
      memory.load(kDomainBar, 4);
    }
  };
  std::thread first(guest, 0), second(guest, 2);
  for (unsigned round = 0; round < 60; ++round) {
    bench.machine().lock().unlock();
    std::this_thread::yield();
    bench.machine().lock().lock();
    bench.reset();
    map();
    bench.save();
    bench.run_until([] { return true; });
    if (round % 4 != 3) continue;
    ASSERT_TRUE(bench.machine().unplug(*static_cast<PciDevice*>(bench.pci().device(kDomainDevfn))));
    bench.add("test-domain", {{"addr", "3"}});
    map();
  }
  stop = true;
  bench.machine().lock().unlock();
  first.join();
  second.join();
  bench.machine().lock().lock();
}

}  // namespace
}  // namespace rhea::test
