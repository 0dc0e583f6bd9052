// SPDX-License-Identifier: GPL-2.0-or-later
// A guest, a peer and a clock that do whatever a random number says to one device.
#pragma once

#include "tests/conformance/fixture.h"
#include "tests/conformance/happening.h"
#include "tests/conformance/surroundings.h"
#include "tests/conformance/virtio_guest.h"
#include "tests/conformance/watch.h"

#include <random>
#include <string>
#include <vector>

namespace rhea::test {

/// A register that a type has, by its region's name: declared, or found by looking.
struct KnownRegister {
  std::string region;
  u64 offset{};
  unsigned size{};
  u64 writable{};             ///< 0: not known
  std::vector<u64> fields{};  ///< masks of its fields
};
/// Those declared, and where writes or reads change a device's state. Looked for once for a type,
/// with a device of its own.
const std::vector<KnownRegister>& known_registers(const TypeInfo& type);

/// Seeded, and, with `compares`, the same for two machines that behave alike: what was seen says
/// whether they do.
class Fuzzer {
 public:
  struct Options {
    bool masters_bus{true};     ///< a PCI device may read and write memory
    bool changes_memory{true};  ///< now and then, under the device's descriptors
    bool moves_time{true};
    bool peers_speak{true};  ///< what stands around it does as it likes
    bool finishes{true};     ///< what the main loop and disks have to do is done in between
    bool resets{true};       ///< now and then
    /// What it sees is compared with what another machine's sees: cards' threads, which it waits
    /// for after each step, may not be sooner or later with anything.
    bool compares{false};
  };
  Fuzzer(Specimen& specimen, u64 seed, const Options& options);
  Fuzzer(Specimen& specimen, u64 seed);

  void run(unsigned steps);
  /// What the guest has read so far, and the interrupt lines after each step.
  const std::vector<Observation>& seen() const { return seen_; }
  /// How many accesses to registers or configuration space there were.
  unsigned accesses() const { return accesses_; }

 private:
  struct Target {
    bool io{};
    u64 address{};
    unsigned size{};
    const KnownRegister* known{};
  };
  /// One access to a register, mostly of a size and alignment that the region takes, often at or
  /// beside the last one; or something else that happens to a device: new descriptors in memory,
  /// time, characters, an end of the connection.
  void step();
  void look_around();
  void begin_episode();
  Target choose_target();
  Target favourite();
  Target any_target();
  void access();
  void access_config(PciDevice& device);
  void map_device();
  void choose_messages();
  void drive();
  void change_memory(u64 number);
  void change_mirror();
  u32 mirror_word();
  void advance();
  void change_surroundings();
  void settle();
  void finish_requests();
  void reset_or_save();
  u64 value(unsigned size);
  u64 value_of_kind(u64 kind, unsigned size);
  u64 value_for(const Target& target);
  u64 address();
  void begin(const Happening& happening);
  void saw(u64 what) { seen_.push_back({.happening = last_, .seen = what}); }
  bool one_in(unsigned n) { return random_() % n == 0; }

  Specimen* specimen_;
  Machine* machine_;
  PciDevice* pci_;
  Options options_;
  const std::vector<KnownRegister>* known_;
  std::mt19937_64 random_;
  Surroundings around_;
  VirtioGuest* virtio_{};     ///< when it is a virtio device
  bool drives_{false};        ///< in this episode its driver does what a driver should
  bool has_messages_{false};  ///< capabilities of MSI or MSI-X
  Watch* watch_{};
  Happening last_;
  std::vector<AccessibleRange> ranges_;
  std::vector<Target> targets_;
  Specimen::Episode episode_;
  u64 touched_at_begin_{0};  ///< of the episode
  std::size_t last_range_{0};
  u64 last_offset_{0};
  Target last_target_;
  u64 last_value_{0};
  Specimen::Mirror best_;  ///< the one in which the device was busiest
  u64 touched_before_{0};
  std::vector<Observation> seen_;
  unsigned accesses_{0};
};

}  // namespace rhea::test
