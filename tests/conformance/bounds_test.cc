// SPDX-License-Identifier: GPL-2.0-or-later
// What a guest can make of any device type: nothing without bound.
#include "tests/conformance/conformance.h"
#include "tests/conformance/guarded_heap.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace rhea::test {
namespace {

/// What goes to standard error while it lives.
class StandardError {
 public:
  StandardError() : before_(::dup(STDERR_FILENO)), file_(::memfd_create("stderr", MFD_CLOEXEC)) {
    ::dup2(file_, STDERR_FILENO);
  }
  ~StandardError() {
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
    ::close(file_);
  }
  StandardError(const StandardError&) = delete;
  StandardError& operator=(const StandardError&) = delete;

  std::string text() const {
    std::string all(static_cast<std::size_t>(std::max<off_t>(0, ::lseek(file_, 0, SEEK_END))), 0);
    if (::pread(file_, all.data(), all.size(), 0) != static_cast<ssize_t>(all.size())) return {};
    return all;
  }

 private:
  int before_;
  int file_;
};

TEST_P(Conformance, SurvivesRandomAccesses) {
  Specimen specimen(type(), Specimen::Given::Everything);
  REQUIRE_ON_BENCH(specimen);
  constexpr unsigned kRuns = 8;
  unsigned accesses = 0;
  for (unsigned seed = 42; seed < 42 + kRuns; ++seed) {
    Fuzzer fuzzer(specimen, seed);
    fuzzer.run(access_count(120'000) / kRuns);
    accesses += fuzzer.accesses();
  }
  // Objects inside another device (a keyboard) are reached in that device's own run, as is what the
  // guest reaches through another only: vmcoreinfo and vmgenid are files of fw_cfg's.
  EXPECT_TRUE(accesses > 0 || !type().user_creatable || type().name == "vmcoreinfo" ||
              type().name == "vmgenid");
  specimen.bench().reset(ResetKind::Cold);
  EXPECT_FALSE(specimen.save().empty());
}

TEST_P(Conformance, SurvivesInOtherConfigurations) {
  constexpr unsigned kRuns = 8;
  std::mt19937_64 random(51);
  for (unsigned seed = 1; seed <= kRuns; ++seed) {
    Specimen specimen(type(), Specimen::Given::Everything, &random);
    REQUIRE_ON_BENCH(specimen);
    Fuzzer(specimen, seed).run(access_count(24'000) / kRuns);
    specimen.bench().reset(ResetKind::Cold);
    EXPECT_FALSE(specimen.save().empty());
  }
}

TEST_P(Conformance, SaysLittleToTheHost) {
  constexpr std::ptrdiff_t kMostLines = 20;
  Specimen specimen(type(), Specimen::Given::Everything);
  REQUIRE_ON_BENCH(specimen);
  Fuzzer fuzzer(specimen, 43);
  std::string said;
  {
    const StandardError standard_error;
    fuzzer.run(2000);
    said = standard_error.text();
  }
  EXPECT_LE(std::ranges::count(said, '\n'), kMostLines)
      << "lines a guest had printed; the first ones: " << said.substr(0, 500);
}

// Not through the map, which the guest may have changed.
std::vector<u8> ram_of(Machine& machine) {
  for (const auto& block : machine.map().ram_blocks())
    if (block->id() == "pc.ram") return {block->bytes().begin(), block->bytes().end()};
  return {};
}

// A PCI device reaches memory while the guest lets it.
TEST_P(Conformance, WithoutBusMasteringMemoryStays) {
  Specimen specimen(type(), Specimen::Given::Everything);
  REQUIRE_ON_BENCH(specimen);
  if (dynamic_cast<PciDevice*>(specimen.device()) == nullptr) return;
  Fuzzer(specimen, 44).run(500);
  specimen.bench().reset(ResetKind::Cold);
  const auto before = ram_of(specimen.bench().machine());
  Fuzzer(specimen, 45, {.masters_bus = false, .changes_memory = false}).run(3000);
  EXPECT_TRUE(ram_of(specimen.bench().machine()) == before) << "it wrote to memory";
}

// What is not the bus master's does not end with its bit, and reaches the device's own registers.
TEST_P(Conformance, ReachesMemoryAsABusMaster) {
  Specimen specimen(type(), Specimen::Given::Everything);
  REQUIRE_ON_BENCH(specimen);
  if (dynamic_cast<PciDevice*>(specimen.device()) == nullptr) return;
  for (u64 seed = 1; seed <= 16; ++seed) Fuzzer(specimen, seed).run(6000);
  EXPECT_EQ(specimen.mirror().trespasses, 0u) << "transfers that were not made with dma()";
}

// Writes the same register again and again while no peer takes anything: how much more memory is
// taken then.
u64 growth(Specimen& specimen, const AddressSpace& space, u64 address, unsigned size,
           unsigned times) {
  const u64 before = guarded_heap::allocated_bytes();
  for (unsigned n = 0; n < times; ++n) {
    space.store(address, 0x55, size);
    if (n % 64 == 63) specimen.bench().machine().loop().iterate(false);
  }
  const u64 after = guarded_heap::allocated_bytes();
  return after > before ? after - before : 0;
}

TEST_P(Conformance, QueuesHaveABound) {
  constexpr u64 kMost = 1 * MiB;
  Specimen specimen(type(), Specimen::Given::Everything);
  REQUIRE_ON_BENCH(specimen);
  if (specimen.is_elsewhere()) return;
  Machine& machine = specimen.bench().machine();
  const auto& known = known_registers(type());
  if (auto* pci = dynamic_cast<PciDevice*>(specimen.device()); pci != nullptr) map_bars(*pci);
  for (const auto& child : machine.container("/chardevs").children())
    static_cast<FakeChardev&>(*child).room = 0;
  for (const AccessibleRange& range : accessible_ranges(machine, *specimen.device()))
    for (const KnownRegister& reg : known) {
      const u64 address = range.first + (reg.offset - range.offset);
      if (range.region->name() != reg.region || reg.offset < range.offset || address > range.last)
        continue;
      const AddressSpace& space = range.io ? machine.io() : machine.memory();
      if (growth(specimen, space, address, reg.size, 128) < 128) continue;
      ASSERT_LE(growth(specimen, space, address, reg.size, 2'000'000), kMost)
          << "bytes that it keeps of writes to one register, " << reg.region << "+" << reg.offset;
    }
}

}  // namespace
}  // namespace rhea::test
