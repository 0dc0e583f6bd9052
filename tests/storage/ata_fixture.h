// SPDX-License-Identifier: GPL-2.0-or-later
// A controller with one disk on the primary channel.
#pragma once

#include "tests/block/gate_node.h"
#include "tests/storage/ide_host.h"

#include <gtest/gtest.h>

namespace rhea::test {

class Ata : public testing::Test {
 protected:
  static constexpr u8 kReady = IdeHost::kReady | IdeHost::kSeekComplete;
  static constexpr u8 kFailed = kReady | IdeHost::kError;
  static constexpr u8 kAbort = 0x04, kNotFound = 0x10, kUncorrectable = 0x40;
  static constexpr u32 kSectors = 4 * 2048;

  Ata() {
    IdeHost::add_controller(bench);
    auto node = std::make_unique<GateNode>(u64{kSectors} * 512);
    gate = node->gate();
    fill_pattern(gate->data);
    drive().insert(std::move(node));
    bench.add("ide-hd", {{"drive", "d0"}, {"unit", "0"}}, "ide.0");
  }
  ~Ata() override { gate->open(); }

  BlockBackend& drive() {
    if (BlockBackend* found = find_drive(bench.machine(), "d0")) return *found;
    return bench.machine().container("/drives").add_child("d0", create<BlockBackend>());
  }
  std::vector<u8> image(u64 lba, u64 sectors) const {
    const auto first = gate->data.begin() + static_cast<std::ptrdiff_t>(lba * 512);
    return {first, first + static_cast<std::ptrdiff_t>(sectors * 512)};
  }
  // A command without data: its final status.
  u8 simple(u8 code, u8 features = 0, u8 count = 0) {
    host.select(0);
    host.set_reg(1, features);
    host.set_reg(2, count);
    return host.command(code);
  }
  std::vector<u8> identify() {
    host.select(0);
    host.command(0xec);
    return host.read_data(512);
  }

  Bench bench;
  std::shared_ptr<Gate> gate;
  IdeHost host{bench};
};

}  // namespace rhea::test
