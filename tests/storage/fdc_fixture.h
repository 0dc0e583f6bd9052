// SPDX-License-Identifier: GPL-2.0-or-later
// A floppy controller with a 1.44 MB diskette in drive A.
#pragma once

#include "tests/block/gate_node.h"
#include "tests/storage/fdc_host.h"
#include "tests/storage/ide_host.h"

#include <gtest/gtest.h>

namespace rhea::test {

class Fdc : public testing::Test {
 protected:
  static constexpr u32 kSectorsPerTrack = 18;

  Fdc() {
    bench.add("i8237");
    bench.add("isa-fdc");
    bench.machine().container("/drives").add_child("fd0", create<BlockBackend>());
    insert(1440 * KiB);
    bench.add("floppy", {{"drive", "fd0"}, {"unit", "0"}});
    host.start();
  }
  ~Fdc() override { gate->open(); }

  BlockBackend& drive() { return *find_drive(bench.machine(), "fd0"); }
  void insert(u64 bytes) {
    auto node = std::make_unique<GateNode>(bytes);
    gate = node->gate();
    fill_pattern(gate->data);
    drive().insert(std::move(node));
  }
  std::vector<u8> image(u32 cylinder, u32 head, u32 sector, u32 count) const {
    const u32 lba = (cylinder * 2 + head) * kSectorsPerTrack + sector - 1;
    const auto first = gate->data.begin() + static_cast<std::ptrdiff_t>(lba) * 512;
    return {first, first + static_cast<std::ptrdiff_t>(count) * 512};
  }

  Bench bench;
  std::shared_ptr<Gate> gate;
  FdcHost host{bench};
};

}  // namespace rhea::test
