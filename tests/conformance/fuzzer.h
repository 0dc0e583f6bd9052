// SPDX-License-Identifier: GPL-2.0-or-later
// A guest, a peer and a clock that do whatever a random number says to one device.
#pragma once

#include "tests/conformance/fixture.h"
#include "tests/conformance/hang_watch.h"

#include <random>
#include <vector>

namespace rhea::test {

/// Seeded, and the same for two machines that behave alike: what was read says whether they do.
class Fuzzer {
 public:
  Fuzzer(Specimen& specimen, u64 seed);

  /// One access to a register, mostly of a size and alignment that the region takes, often at or
  /// beside the last one; or something else that happens to a device: new descriptors in memory,
  /// time, characters, an end of the connection.
  void step(HangWatch& watch);
  void run(unsigned steps, unsigned hang_seconds = 20);
  /// What the guest has read so far, and the interrupt lines after each step.
  const std::vector<u64>& seen() const { return seen_; }

 private:
  void access(HangWatch& watch);
  void access_config(PciDevice& device);
  void change_memory();
  void let_peers_speak();
  void finish_requests();
  u64 value();
  bool one_in(unsigned n) { return random_() % n == 0; }

  Specimen* specimen_;
  Machine* machine_;
  std::mt19937_64 random_;
  std::vector<AccessibleRange> ranges_;
  std::size_t last_range_{0};
  u64 last_offset_{0};
  std::vector<u64> seen_;
};

}  // namespace rhea::test
