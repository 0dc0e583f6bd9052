// SPDX-License-Identifier: GPL-2.0-or-later
// A guest that does anything with the registers of a transport in memory and the rings behind it.
#include "tests/support/environment.h"
#include "tests/support/fake_rng.h"
#include "tests/virtio/mmio_driver.h"
#include "tests/virtio/pci_driver.h"

#include <gtest/gtest.h>

#include <random>

namespace rhea::test {
namespace {

/// Its parameter: whether the registers are those of version 1.
class HostileMmioGuest : public testing::TestWithParam<bool> {
 protected:
  HostileMmioGuest() { bytes.there = ~std::size_t{0}; }

  u64 pick(u64 below) { return random() % below; }
  u64 value() {
    constexpr u64 ring = VirtioMmioDriver::kRing;
    switch (pick(5)) {
      case 0: return ring + pick(0x2000);
      case 1: return pick(20);
      case 2: return ring / VirtioMmioDriver::kPageBytes;
      case 3: return u64{1} << pick(32);
      default: return pick(8) == 0 ? random() : pick(2);
    }
  }
  void start_over() {
    packed = !GetParam() && pick(2) == 0;
    available = 0;
    const u64 optional = (pick(2) == 0 ? kEventIdx : 0) | kIndirect | kRingReset;
    driver.start(optional | (GetParam() ? 0 : kVersion1) | (packed ? kPacked : 0), packed);
  }
  void describe_something() {
    const u64 at = VirtioMmioDriver::kRing + 16 * pick(VirtioMmioDriver::kEntries);
    const u64 number = pick(8), flags = pick(8) & pick(8);
    bench.store(at, pick(8) == 0 ? random() : 0x2'0000 + pick(0x1000), 8);
    bench.store(at + 8, pick(5) * 16, 4);
    bench.store(at + 12, packed ? number : flags, 2);
    bench.store(at + 14, packed ? flags | (pick(2) == 0 ? 0x80 : 0x8000) : number, 2);
  }
  void touch_registers() {
    const u64 at = VirtioMmioDriver::kRegisters + pick(0x50) * 4;
    const unsigned size = pick(8) == 0 ? 1u << pick(3) : 4;
    bench.store(at, value(), size);
    bench.load(at, size);
  }
  void save_and_load() {
    const auto saved = bench.save();
    refused += !bench.load(saved);
    changed += bench.save() != saved;
  }
  void step() {
    const u64 what = pick(100);
    if (what < 35) return describe_something();
    if (what < 55) {
      bench.store(VirtioMmioDriver::kRing + 128 + 2, ++available, 2);
      return driver.notify(pick(16) == 0 ? random() : 0);
    }
    if (what < 85) return touch_registers();
    if (what < 88) return static_cast<void>(bench.machine().loop().iterate(false));
    if (what < 90) return bench.advance(static_cast<i64>(pick(1'000'000'000)));
    if (what < 91) return save_and_load();
    if (what < 92 && pick(8) == 0) return bench.reset();
    if (what < 95) return start_over();
  }

  std::mt19937_64 random{from_environment("RHEA_RING_SEED", 1)};
  bool packed{false};
  u16 available{0};
  unsigned refused{0}, changed{0};
  Bench bench{1 * MiB};
  FakeRng& bytes = FakeRng::make(bench.machine(), "bytes");
  VirtioMmioDriver driver{bench,
                          GetParam(),
                          "virtio-rng-device",
                          {{"rng", "bytes"}, {"packed", "on"}, {"max-bytes", "100000"}}};
};

TEST_P(HostileMmioGuest, DoesNoHarmAndItsStateIsAlwaysOneThatLoads) {
  const u64 steps = from_environment("RHEA_VIRTIO_STEPS", 20'000);
  for (u64 n = 0; n < steps; ++n) step();
  EXPECT_EQ(refused, 0u);
  EXPECT_EQ(changed, 0u);
  EXPECT_GT((std::size_t{0} - 1) - bytes.there, steps / 100) << "bytes that were given";
}

INSTANTIATE_TEST_SUITE_P(Versions, HostileMmioGuest, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Old" : "New"; });

}  // namespace
}  // namespace rhea::test
