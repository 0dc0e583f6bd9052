// SPDX-License-Identifier: GPL-2.0-or-later
// A virtio disk on a bench, and the driver of one of its queues.
#pragma once

#include "rhea/qom/registry.h"
#include "tests/block/gate_node.h"
#include "tests/virtio/pci_driver.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rhea::test {

inline constexpr u64 kDiskBytes = 4 * MiB, kBlkData = 0x10'0000;
inline constexpr u32 kBlkIn = 0, kBlkOut = 1, kBlkFlush = 4, kBlkGetId = 8, kBlkDiscard = 11,
                     kBlkWriteZeroes = 13;
inline constexpr u8 kNoStatus = 0xee;
inline constexpr u64 kFlushBit = hw::virtio::bit(9), kWceBit = hw::virtio::bit(11),
                     kDiscardBit = hw::virtio::bit(13), kZeroesBit = hw::virtio::bit(14);
inline constexpr u64 kAllOfBlk = kVersion1 | kFlushBit | kWceBit | kDiscardBit | kZeroesBit;

class VirtioBlkTest : public testing::Test {
 protected:
  using Pieces = std::vector<Piece>;

  VirtioBlkTest() {
    backend = &bench.machine().container("/drives").add_child("disk0", create<BlockBackend>());
  }
  ~VirtioBlkTest() override {
    if (gate) gate->open();
  }
  void insert(bool read_only = false) {
    auto node = std::make_unique<GateNode>(kDiskBytes, read_only);
    gate = node->gate();
    for (std::size_t n = 0; n < gate->data.size(); ++n)
      gate->data[n] = static_cast<u8>(n / 512 + n);
    backend->insert(std::move(node));
  }
  void use(Properties more = {}, u64 features = kAllOfBlk,
           std::string_view type = "virtio-blk-pci") {
    if (!gate) insert();
    more.emplace_back("drive", "disk0");
    driver.emplace(bench, type, more);
    ring = driver->start(features, place);
  }
  /// Why there can be no such disk.
  std::string refusal(Properties more) {
    if (!gate) insert();
    more.emplace_back("drive", "disk0");
    const auto added = bench.try_add("virtio-blk-pci", more);
    return added ? "it works" : added.error().message();
  }
  /// Makes a request available; `data` lies between header and status. Each has 64 bytes for these
  /// from kHeads on.
  u16 ask(u32 kind, u64 sector, const Pieces& data = {}) {
    const u64 head = kHeads + 64 * u64{asked++ % 64};
    bench.store(head, kind, 4);
    bench.store(head + 4, 0, 4);
    bench.store(head + 8, sector, 8);
    status_at = head + 32;
    bench.store(status_at, kNoStatus, 1);
    Pieces pieces{{head, 16}};
    pieces.insert(pieces.end(), data.begin(), data.end());
    pieces.push_back({status_at, 1, true});
    const u16 id = ring->add(pieces);
    driver->notify(0);
    return id;
  }
  /// The next answer, for which it waits.
  std::optional<UsedBuffer> answer() {
    std::optional<UsedBuffer> used;
    bench.run_until([&] { return used || (used = ring->take_used()); });
    return used;
  }
  /// The status of the request that was made last, once it has been answered.
  unsigned status_of(u32 kind, u64 sector, const Pieces& data = {}) {
    ask(kind, sector, data);
    return answer() ? static_cast<unsigned>(bench.load(status_at, 1)) : 0xffu;
  }
  /// A range, as discards and zeroes have it.
  Pieces range(u64 sector, u32 count, u32 flags = 0) {
    bench.store(kBlkData, sector, 8);
    bench.store(kBlkData + 8, count, 4);
    bench.store(kBlkData + 12, flags, 4);
    return {{kBlkData, 16}};
  }
  std::vector<u8> on_disk(u64 at, std::size_t bytes) const {
    const auto from = gate->data.begin() + static_cast<std::ptrdiff_t>(at);
    return {from, from + static_cast<std::ptrdiff_t>(bytes)};
  }
  bool settle() {
    return bench.run_until([&] { return backend->in_flight() == 0; });
  }
  u64 config(u64 at, unsigned size) { return driver->modern(0x2000 + at, size); }

  static constexpr u64 kHeads = 0x2'0000;
  RingPlace place{.entries = 64};
  Bench bench;
  BlockBackend* backend{};
  std::shared_ptr<Gate> gate;
  std::optional<VirtioPciDriver> driver;
  std::unique_ptr<RingDriver> ring;
  u64 status_at{};
  unsigned asked{0};
};

}  // namespace rhea::test
