// SPDX-License-Identifier: GPL-2.0-or-later
// A controller with a CD-ROM drive as master of the secondary channel.
#pragma once

#include "tests/block/gate_node.h"
#include "tests/storage/ide_host.h"

#include <gtest/gtest.h>

namespace rhea::test {

class Atapi : public testing::Test {
 protected:
  static constexpr u8 kReady = IdeHost::kReady | IdeHost::kSeekComplete;
  static constexpr u8 kCheck = kReady | IdeHost::kError;
  static constexpr u32 kBlocks = 600;

  Atapi() {
    IdeHost::add_controller(bench);
    bench.machine().container("/drives").add_child("cd", create<BlockBackend>());
    insert();
    bench.add("ide-cd", {{"drive", "cd"}}, "ide.1");
    host.select(0);
  }
  ~Atapi() override { gate->open(); }

  void insert() {
    auto node = std::make_unique<GateNode>(u64{kBlocks} * 2048);
    gate = node->gate();
    fill_pattern(gate->data);
    find_drive(bench.machine(), "cd")->insert(std::move(node));
  }
  /// The tray is closed again, and empty.
  void eject() {
    BlockBackend& drive = *find_drive(bench.machine(), "cd");
    drive.eject();
    drive.media()->medium_changed(true);
  }
  std::vector<u8> image(u32 block, u32 count) const {
    const auto first = gate->data.begin() + static_cast<std::ptrdiff_t>(block) * 2048;
    return {first, first + static_cast<std::ptrdiff_t>(count) * 2048};
  }
  /// REQUEST SENSE: key, code and qualifier as one number.
  u32 sense() {
    const auto data = host.packet_in({0x03, 0, 0, 0, 18});
    return data.size() < 14 ? 0xffffff
                            : static_cast<u32>((data[2] & 15) << 16 | data[12] << 8 | data[13]);
  }
  static std::vector<u8> read_10(u32 lba, u16 count) {
    return {0x28,
            0,
            static_cast<u8>(lba >> 24),
            static_cast<u8>(lba >> 16),
            static_cast<u8>(lba >> 8),
            static_cast<u8>(lba),
            0,
            static_cast<u8>(count >> 8),
            static_cast<u8>(count),
            0};
  }

  Bench bench;
  std::shared_ptr<Gate> gate;
  IdeHost host{bench, 1};
};

}  // namespace rhea::test
