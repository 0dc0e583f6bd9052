// SPDX-License-Identifier: GPL-2.0-or-later
// Random register accesses, resets, snapshots and time against disks, a CD and floppies: nothing
// may break.
#include "rhea/block/block_backend.h"
#include "tests/storage/fdc_host.h"
#include "tests/storage/ide_host.h"

#include <gtest/gtest.h>

#include <random>

namespace rhea::test {
namespace {

constexpr unsigned kSteps = 100'000;

// Numbers that matter more often than others.
u64 interesting(std::mt19937_64& random) {
  static constexpr std::array<u64, 16> kNumbers = {0,     1,      2,      0x0f,   0x10, 0x40,
                                                   0x7f,  0x80,   0xa0,   0xe0,   0xec, 0xff,
                                                   0x100, 0x7fff, 0xffff, ~u64{0}};
  return random() % 3 == 0 ? kNumbers[random() % kNumbers.size()] : random();
}

struct PortRange {
  u16 first, count;
};

class Storage {
 public:
  explicit Storage(u64 seed) : random_(seed) {
    bench.add("i8237");
    IdeHost::add_controller(bench);
    bench.add("isa-fdc");
    for (const auto& [id, bytes] : {std::pair{"hd", 4 * MiB}, {"cd", 2 * MiB}, {"fd", 1440 * KiB}})
      make_fake_disk(bench, id, bytes);
    bench.add("ide-hd", {{"drive", "hd"}, {"unit", "0"}}, "ide.0");
    bench.add("ide-cd", {{"drive", "cd"}, {"unit", "1"}}, "ide.0");
    bench.add("floppy", {{"drive", "fd"}});
    // Descriptors that are mostly sane, so that transfers get somewhere.
    for (u32 i = 0; i < 4096; ++i) {
      bench.store(0x1000 + 8 * i, random_() % (2 * MiB), 4);
      bench.store(0x1004 + 8 * i, (random_() & 0xffff) | (random_() % 16 == 0 ? 0x80000000 : 0), 4);
    }
  }

  void step(std::span<const PortRange> ranges) {
    const PortRange& range = ranges[random_() % ranges.size()];
    const auto port = static_cast<u16>(range.first + random_() % range.count);
    const unsigned size = 1u << random_() % 3;
    switch (random_() % 64) {
      case 0: bench.machine().loop().iterate(false); break;
      case 1: bench.advance(static_cast<i64>(random_() % 1'000'000)); break;
      case 2: drain(); break;
      default:
        if (random_() % 3 == 0)
          bench.in(port, size);
        else
          bench.out(port, interesting(random_), size);
    }
  }
  void drain() {
    for (BlockBackend* drive : drives(bench.machine())) drive->drain();
    bench.machine().loop().iterate(false);
  }
  std::mt19937_64& random() { return random_; }

  Bench bench{2 * MiB};

 private:
  std::mt19937_64 random_;
};

constexpr std::array kIdePorts = {PortRange{0x1f0, 8}, PortRange{0x3f6, 1},
                                  PortRange{IdeHost::kMaster, 8}};
constexpr std::array kFdcPorts = {PortRange{0x3f0, 6}, PortRange{0x3f7, 1}, PortRange{0x04, 2},
                                  PortRange{0x0a, 3}, PortRange{0x81, 1}};

// The bench still works after all.
void expect_alive(Storage& storage) {
  storage.bench.reset(ResetKind::Cold);
  storage.drain();
  IdeHost host(storage.bench);
  host.select(0);
  EXPECT_EQ(host.command(0xec), 0x58);
  FdcHost floppy(storage.bench);
  floppy.start();
  EXPECT_EQ(floppy.run({0x10}), std::vector<u8>{0x90});
}

class StorageFuzz : public testing::TestWithParam<u64> {};

TEST_P(StorageFuzz, IdeSurvivesRandomAccesses) {
  Storage storage(GetParam());
  for (unsigned i = 0; i < kSteps; ++i) storage.step(kIdePorts);
  expect_alive(storage);
}

TEST_P(StorageFuzz, FloppySurvivesRandomAccesses) {
  Storage storage(GetParam());
  for (unsigned i = 0; i < kSteps; ++i) storage.step(kFdcPorts);
  expect_alive(storage);
}

// Whole ATA commands with plausible registers, data moved a little, now and then a reset or another
// command.
TEST_P(StorageFuzz, AtaCommandsInAnyOrder) {
  Storage storage(GetParam());
  auto& random = storage.random();
  IdeHost host(storage.bench);
  storage.bench.outl(static_cast<u16>(host.master() + 4), 0x1000);
  for (unsigned i = 0; i < 5000; ++i) {
    if (random() % 50 == 0) {
      host.control(0x04);
      host.control(0x00);
    }
    host.set_reg(6, static_cast<u8>(0xe0 | (random() % 2) << 4));
    for (unsigned n = 1; n <= 5; ++n)
      host.set_reg(n, static_cast<u8>(random() % 4 == 0 ? random() : random() % 8));
    host.set_reg(7, static_cast<u8>(random()));
    if (random() % 2 == 0) host.start_master(random() % 2 == 0);
    if (random() % 2 == 0) storage.drain();
    for (u64 words = random() % 600; words > 0; --words) {
      if (random() % 2 == 0)
        storage.bench.inw(0x1f0);
      else
        storage.bench.outw(0x1f0, static_cast<u16>(random()));
    }
    if (random() % 2 == 0) host.stop_master();
  }
  expect_alive(storage);
}

TEST_P(StorageFuzz, PacketsInAnyOrder) {
  Storage storage(GetParam());
  auto& random = storage.random();
  IdeHost host(storage.bench);
  storage.bench.outl(static_cast<u16>(host.master() + 4), 0x1000);
  for (unsigned i = 0; i < 5000; ++i) {
    host.set_reg(7, 0x08);
    host.select(1);
    std::vector<u8> cdb(12);
    for (u8& byte : cdb) byte = static_cast<u8>(random() % 3 == 0 ? random() : 0);
    host.set_reg(1, static_cast<u8>(random() % 2));
    host.set_reg(4, static_cast<u8>(random()));
    host.set_reg(5, static_cast<u8>(random() % 4));
    host.set_reg(7, 0xa0);
    for (unsigned n = 0; n < 12; n += 2)
      storage.bench.outw(0x1f0, static_cast<u16>(cdb[n] | cdb[n + 1] << 8));
    if (random() % 2 == 0) host.start_master(true);
    storage.drain();
    for (u64 words = random() % 1200; words > 0; --words) storage.bench.inw(0x1f0);
    for (u64 words = random() % 20; words > 0; --words)
      storage.bench.outw(0x1f0, static_cast<u16>(random() % 16));
    host.stop_master();
  }
  expect_alive(storage);
}

TEST_P(StorageFuzz, FloppyCommandsInAnyOrder) {
  Storage storage(GetParam());
  auto& random = storage.random();
  FdcHost host(storage.bench);
  host.start();
  for (unsigned i = 0; i < 5000; ++i) {
    if (random() % 20 == 0)
      host.start(static_cast<unsigned>(random() % 2),
                 static_cast<u8>(random() % 8 == 0 ? random() : 0));
    if (random() % 8 == 0) host.specify(random() % 2 == 0);
    host.set_dma(static_cast<u32>(random() % (1 * MiB)), static_cast<u32>(random() % 0x4000 + 1),
                 random() % 2 == 0 ? FdcHost::Direction::ToMemory : FdcHost::Direction::FromMemory);
    host.set_reg(5, static_cast<u8>(random()));
    for (unsigned n = 0; n < 16; ++n)
      host.set_reg(5, static_cast<u8>(random() % 4 == 0 ? random() : random() % 20));
    storage.drain();
    storage.bench.machine().loop().iterate(false);
    for (u64 bytes = random() % 1500; bytes > 0; --bytes) {
      if (random() % 2 == 0)
        host.reg(5);
      else
        host.set_reg(5, static_cast<u8>(random()));
    }
  }
  expect_alive(storage);
}

// Saving and loading at any moment changes nothing that the guest can see.
TEST_P(StorageFuzz, SnapshotsAtAnyMomentAreFaithful) {
  Storage storage(GetParam());
  std::vector<PortRange> ports(kIdePorts.begin(), kIdePorts.end());
  ports.insert(ports.end(), kFdcPorts.begin(), kFdcPorts.end());
  for (unsigned round = 0; round < 20; ++round) {
    for (unsigned i = 0; i < 500; ++i) storage.step(ports);
    storage.drain();
    const auto saved = storage.bench.save();
    storage.bench.reset(ResetKind::Cold);
    const auto loaded = storage.bench.load(saved);
    ASSERT_TRUE(loaded) << loaded.error().message();
    ASSERT_EQ(storage.bench.save(), saved);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, StorageFuzz, testing::Values(1, 2, 3));

}  // namespace
}  // namespace rhea::test
