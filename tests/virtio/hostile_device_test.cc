// SPDX-License-Identifier: GPL-2.0-or-later
// A guest that does anything with a virtio device: its registers, its rings, resets, saves.
#include "hw/virtio/virtio_balloon.h"
#include "hw/virtio/virtio_serial.h"
#include "rhea/ui/input.h"
#include "tests/support/environment.h"
#include "tests/support/fake_rng.h"
#include "tests/virtio/pci_driver.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>

namespace rhea::test {
namespace {

constexpr u64 kAnyData = 0x2'0000, kAnyTable = 0x3'0000, kLegacyRing = 0x4'0000;

class HostileVirtioGuest : public testing::Test {
 protected:
  HostileVirtioGuest(std::string_view type, Properties properties) {
    properties.emplace_back("packed", "on");
    driver.emplace(bench, type, properties);
  }

  void run() {
    const u64 steps = from_environment("RHEA_VIRTIO_STEPS", 15'000);
    for (u64 n = 0; n < steps; ++n) step();
    EXPECT_EQ(refused, 0u);
    EXPECT_EQ(changed, 0u);
    EXPECT_GT(used, steps / 1000) << "buffers came back";
  }

  u64 pick(u64 below) { return random() % below; }
  u64 address() {
    const std::array<u64, 9> places{place.descriptors, place.driver, place.device,
                                    kAnyData,          kAnyTable,    kLegacyRing,
                                    kLegacyRing + 128, kModern,      0xffff'f000};
    return pick(8) == 0 ? random() : places[pick(places.size())] + pick(64);
  }
  u64 value() {
    switch (pick(4)) {
      case 0: return address();
      case 1: return pick(20);
      case 2: return random() & 0x8087;
      default: return pick(16) == 0 ? random() : pick(2);
    }
  }
  void describe_something() {
    const u64 table = pick(4) == 0 ? kAnyTable : pick(4) == 0 ? kLegacyRing : place.descriptors;
    const u64 at = table + 16 * pick(8), flags = pick(8) & pick(8), number = pick(8);
    memory.store(at, address(), 8);
    memory.store(at + 8, pick(5) * 16, 4);
    memory.store(at + 12, packed ? number : flags, 2);
    memory.store(at + 14, packed ? flags | (pick(2) == 0 ? 0x80 : 0x8000) : number, 2);
  }
  void make_available() {
    const u64 before = memory.load(place.device, 4);
    memory.store(place.driver + 2, ++available, 2);
    driver->notify(static_cast<u16>(pick(16) == 0 ? random() : pick(queues)));
    used += memory.load(place.device, 4) != before;
  }
  void start_over() {
    packed = pick(2) == 0;
    available = 0;
    const u64 optional = (pick(2) == 0 ? kEventIdx : 0) | kIndirect | kRingReset;
    driver->map();
    if (!driver->negotiate(kVersion1 | optional | own | (packed ? kPacked : 0))) return;
    for (u16 n = 0; n < queues; ++n) driver->enable_queue(n, place);
    driver->drive();
  }
  void touch_registers() {
    const unsigned size = 1u << pick(4);
    const u64 at = pick(0x40) & ~u64{size - 1};
    pick(4) == 0 ? driver->legacy(pick(0x20) & ~3u, value(), 4) : driver->modern(at, value(), size);
  }
  void touch_config() {
    const unsigned reg = 0x40 + static_cast<unsigned>(pick(0x68)) / 4 * 4;
    bench.config_write(VirtioPciDriver::kDevfn, reg, static_cast<u32>(value()), 4);
    bench.config_read(VirtioPciDriver::kDevfn, reg, 4);
  }
  void save_and_load() {
    const auto saved = bench.save();
    const auto loaded = bench.load(saved);
    refused += !loaded;
    changed += bench.save() != saved;
  }
  /// What is no doing of the guest's.
  virtual void happen() {}
  void step() {
    const u64 what = pick(100);
    if (what < 35) return describe_something();
    if (what < 55) return memory.store(address(), value(), 1u << pick(4));
    if (what < 80) return make_available();
    if (what < 88) return touch_registers();
    if (what < 90) return touch_config();
    if (what < 92) return bench.advance(static_cast<i64>(pick(1'000'000'000)));
    if (what < 95) {
      happen();
      return static_cast<void>(bench.machine().loop().iterate(false));
    }
    if (what < 96 && pick(4) == 0) return save_and_load();
    if (what < 97 && pick(8) == 0) return bench.reset();
    if (what < 98) return start_over();
    if (what < 99) return static_cast<void>(driver->start_legacy());
  }

  static constexpr u64 kModern = VirtioPciDriver::kModern;
  std::mt19937_64 random{from_environment("RHEA_RING_SEED", 1)};
  RingPlace place;
  bool packed{false};
  u16 available{0};
  u64 own{0};     ///< features of the type's
  u16 queues{4};  ///< all of them with one ring
  unsigned refused{0}, changed{0};
  u64 used{0};
  Bench bench;
  FakeRng& source = FakeRng::make(bench.machine(), "source");
  AddressSpace& memory = bench.machine().memory();
  std::optional<VirtioPciDriver> driver;
};

class HostileRngGuest : public HostileVirtioGuest {
 protected:
  HostileRngGuest()
      : HostileVirtioGuest("virtio-rng-pci", {{"rng", "source"}, {"max-bytes", "100000"}}) {
    source.there = ~std::size_t{0};
  }
};

TEST_F(HostileRngGuest, DoesNoHarmAndItsStateIsAlwaysOneThatLoads) {
  run();
  EXPECT_LT(source.there, ~std::size_t{0} - 400) << "bytes that were given";
}

class HostileBalloonGuest : public HostileVirtioGuest {
 protected:
  HostileBalloonGuest()
      : HostileVirtioGuest("virtio-balloon-pci",
                           {{"free-page-reporting", "on"}, {"guest-stats-polling-interval", "1"}}) {
    own = hw::virtio::bit(hw::virtio_balloon::kStatistics) |
          hw::virtio::bit(hw::virtio_balloon::kReporting);
  }
};

TEST_F(HostileBalloonGuest, DoesNoHarmAndItsStateIsAlwaysOneThatLoads) { run(); }

class HostileSerialGuest : public HostileVirtioGuest {
 protected:
  HostileSerialGuest() : HostileVirtioGuest("virtio-serial-pci", {{"max_ports", "4"}}) {
    bench.add("virtconsole", {{"chardev", "screen"}});
    bench.add("virtserialport", {{"chardev", "agent"}, {"name", "org.test.0"}});
    own = hw::virtio::bit(hw::virtio_serial::kMultiport);
    queues = 6;
  }
  void happen() override {
    for (u64 at = kAnyData; at < kAnyData + 64; at += 8)
      memory.store(at, pick(3) | pick(8) << 32 | pick(2) << 48, 8);
    FakeChardev& peer = pick(2) == 0 ? screen : agent;
    switch (pick(4)) {
      case 0: peer.room = pick(64); break;
      case 1: peer.make_room(1000); break;
      case 2: peer.tell(pick(2) == 0 ? ChardevEvent::Opened : ChardevEvent::Closed); break;
      default: peer.say("something");
    }
  }
  FakeChardev& screen = FakeChardev::make(bench, "screen");
  FakeChardev& agent = FakeChardev::make(bench, "agent");
};

TEST_F(HostileSerialGuest, DoesNoHarmAndItsStateIsAlwaysOneThatLoads) { run(); }

class HostileInputGuest : public HostileVirtioGuest {
 protected:
  HostileInputGuest() : HostileVirtioGuest("virtio-mouse-pci", {{"wheel-axis", "off"}}) {
    queues = 2;
  }
  void happen() override {
    bench.machine().service<InputHub>().pointer({.dx = static_cast<int>(pick(3)) - 1,
                                                 .dz = static_cast<int>(pick(3)) - 1,
                                                 .buttons = static_cast<u8>(pick(32))});
  }
};

TEST_F(HostileInputGuest, DoesNoHarmAndItsStateIsAlwaysOneThatLoads) { run(); }

}  // namespace
}  // namespace rhea::test
