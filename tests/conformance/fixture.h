// SPDX-License-Identifier: GPL-2.0-or-later
// Puts a device of any registered type onto the test machine, without knowing anything of it but
// what the class says of itself.
#pragma once

#include "tests/support/bench.h"

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace rhea::test {

/// A bench with one device of a type on it, and whatever that needed: a provider of its bus, fakes
/// for its links.
class Specimen {
 public:
  enum class Given : u8 { WhatItNeeds, Everything };
  /// With `Everything`, a back end at every link that takes one.
  explicit Specimen(const TypeInfo& type, Given given = Given::WhatItNeeds);

  Bench& bench() { return bench_; }
  /// Realized, or null when the type cannot stand on a bench (error() says why).
  Device* device() const { return device_; }
  const std::string& error() const { return error_; }
  /// The state of this device alone.
  std::vector<u8> save();
  Result<> load(std::span<const u8> stream);
  /// The interrupt lines that are high, by name.
  std::string lines() const;
  /// The same as a number: IRQ n is bit n, INTA to INTD follow.
  u32 line_bits() const;
  /// Peers and disks as `other`'s are: they are not part of a machine's state.
  void copy_peers(Specimen& other);

 private:
  Result<> ensure_bus(const std::string& kind);
  Result<Properties> link_properties(const TypeInfo& type);

  std::vector<std::shared_ptr<void>> peers_;  ///< processes' stand-ins; devices go before them
  Bench bench_;
  Device* device_{};
  std::string error_;
  unsigned fakes_{0};
  std::vector<std::shared_ptr<std::vector<u8>>> disks_;
};

/// Every place where a guest can touch the device; that of all devices for one that has none
/// itself.
struct AccessibleRange {
  bool io{};
  u64 first{};
  u64 last{};
  unsigned min_size{1}, max_size{8};  ///< of accesses that the region takes
};
std::vector<AccessibleRange> accessible_ranges(Machine& machine, const Device& device);

/// Gives every BAR an address and switches decoding and bus mastering on, as firmware would.
void map_bars(PciDevice& device);

/// `count` seeded accesses of random sizes to the device's registers and configuration space; time
/// moves now and then. Returns how many there were: a device without registers or a bus that leads
/// to it has none.
unsigned random_accesses(Machine& machine, Device& device, u64 seed, unsigned count);

/// How many random accesses to make: `usual`, or what RHEA_ACCESSES says (the sanitizer runs ask
/// for a million).
unsigned access_count(unsigned usual);

/// Names of all concrete device types; where plug-ins are loaded, of theirs alone.
std::vector<std::string> device_type_names();

}  // namespace rhea::test
