// SPDX-License-Identifier: GPL-2.0-or-later
// A drive in memory whose host fails now and then.
#pragma once

#include "rhea/block/block_backend.h"
#include "tests/support/bench.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace rhea::test {

/// What a drive's medium is made of; whoever has it decides how the host is today.
struct MoodyDisk {
  /// Which requests fail follows from the mood and the request alone: two machines that ask for the
  /// same hear the same.
  struct Mood {
    u32 seed{};
    u8 fails_one_in{};  ///< 0: none does
    bool is_full{};     ///< what fails is that there is no room
    bool is_late{};     ///< some answers take their time
  };
  std::vector<u8> bytes;
  std::atomic<Mood> mood{Mood{}};
};

/// A medium with these contents.
std::shared_ptr<BlockNode> medium_of(std::shared_ptr<MoodyDisk> disk);

/// A drive of `bytes` zeroes that is found by `id` in drive= properties.
std::shared_ptr<MoodyDisk> make_moody_disk(Bench& bench, std::string id, u64 bytes);

}  // namespace rhea::test
