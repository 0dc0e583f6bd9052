// SPDX-License-Identifier: GPL-2.0-or-later
// Puts a device of any registered type onto the test machine, without knowing anything of it but
// what the class says of itself.
#pragma once

#include "tests/conformance/moody_disk.h"
#include "tests/support/bench.h"
#include "tests/support/net_peer.h"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace rhea::test {

class VirtioGuest;

/// A bench with one device of a type on it, and whatever that needed: a provider of its bus, fakes
/// for its links.
class Specimen {
 public:
  enum class Given : u8 { WhatItNeeds, Everything };
  /// Memory where the same few words stand again and again and writes do nothing: descriptors that
  /// lead to themselves and are never given back.
  static constexpr u64 kMirror = 0x0f00'0000, kMirrorBytes = 64 * KiB;
  struct Mirror {
    std::array<u32, 8> words{};
    unsigned period{4};      ///< a power of two: how many of them count
    u64 touched{0};          ///< how often it was read or written
    unsigned trespasses{0};  ///< by nobody who is a bus master: a device, past its DmaMaster
    MemResult touch(Access& access);
  };
  /// What a driver does for a while: few registers, by their number among those known, and the same
  /// kinds of values for them.
  struct Episode {
    std::vector<std::size_t> registers;
    u64 habits{0};
  };
  /// With `Everything`, a back end at every link that takes one. With `unusual`, the device and
  /// what its bus comes from have other values of some of their switches and choices, if they take
  /// them.
  explicit Specimen(const TypeInfo& type, Given given = Given::WhatItNeeds,
                    std::mt19937_64* unusual = nullptr);

  Bench& bench() { return bench_; }
  /// Realized, or null when the type cannot stand on a bench (error() says why).
  Device* device() const { return device_; }
  const std::string& error() const { return error_; }
  /// Its model is another program: an access takes a hundred times as long as others'.
  bool is_elsewhere() const;
  /// The state of this device alone.
  std::vector<u8> save();
  Result<> load(std::span<const u8> stream);
  /// What the memory map was before there was a device.
  const std::string& empty_map() const { return empty_map_; }
  Mirror& mirror() { return *mirror_; }
  /// In which the device reached memory: worth doing again.
  std::vector<Episode>& good_episodes() { return good_episodes_; }
  /// What the guest knows of the device; null until it begins.
  std::shared_ptr<VirtioGuest>& driver() { return driver_; }
  /// The fake back ends of links that take one, by property.
  const Properties& links() const { return links_; }
  /// Its drives, and what is in them.
  const std::vector<std::pair<BlockBackend*, std::shared_ptr<MoodyDisk>>>& disks() const {
    return disks_;
  }
  /// The other ends of its networks.
  std::vector<NetPeer>& net_peers() { return net_peers_; }
  /// The interrupt lines that are high, by name.
  std::string lines() const;
  /// The same as a number: IRQ n is bit n, INTA to INTD follow, then the device's output pins.
  u64 line_bits() const;
  /// Peers, disks and the mirror as `other`'s are: they are not part of a machine's state.
  void copy_peers(Specimen& other);

 private:
  Result<> ensure_bus(const std::string& kind, std::mt19937_64* unusual);
  Result<Properties> link_properties(const TypeInfo& type);

  void watch_outputs(Device& device);

  std::vector<std::shared_ptr<void>> peers_;  ///< processes' stand-ins; devices go before them
  Bench bench_{2 * MiB};
  std::unique_ptr<Mirror> mirror_ = std::make_unique<Mirror>();
  Region mirror_region_;
  std::vector<Episode> good_episodes_;
  std::shared_ptr<VirtioGuest> driver_;
  Device* device_{};
  std::string error_;
  std::shared_ptr<u64> outputs_ = std::make_shared<u64>();  ///< a bit for each pin that is high
  Properties links_;
  std::string empty_map_;
  unsigned fakes_{0};
  std::vector<NetPeer> net_peers_;
  std::vector<std::pair<BlockBackend*, std::shared_ptr<MoodyDisk>>> disks_;
};

/// Every place where a guest can touch the device; that of all devices for one that has none
/// itself.
struct AccessibleRange {
  bool io{};
  u64 first{};
  u64 last{};
  unsigned min_size{1}, max_size{8};  ///< of accesses that the region takes
  const Region* region{};
  u64 offset{};  ///< of `first` in the region
};
std::vector<AccessibleRange> accessible_ranges(Machine& machine, const Device& device);

/// Gives every BAR an address and switches decoding and bus mastering on, as firmware would.
void map_bars(PciDevice& device, bool master = true);

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
