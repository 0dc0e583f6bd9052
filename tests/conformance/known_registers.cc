// SPDX-License-Identifier: GPL-2.0-or-later
// What registers a type has: those it declares, and those that somebody finds who tries.
#include "rhea/softmmu/registers.h"
#include "tests/conformance/fuzzer.h"

#include <algorithm>

namespace rhea::test {
namespace {

constexpr u64 kLookedAt = 512;  // bytes of each region: registers crowd at the start
constexpr u64 kLookedAtAfterUse = 4096;
constexpr unsigned kMostAfterUse = 8;

void add_declared(const Region& region, const RegisterBankInfo& bank,
                  std::vector<KnownRegister>& found) {
  for (const RegisterInfo& row : bank.rows) {
    if (row.is_range()) continue;
    for (unsigned index = 0; index < std::min(row.count, 16u); ++index) {
      KnownRegister known{.region = std::string(region.name()),
                          .offset = row.offset + index * row.stride,
                          .size = row.width,
                          .writable = row.writable | row.write_1_clears};
      for (const RegisterField& field : row.fields) known.fields.push_back(field.mask);
      found.push_back(std::move(known));
    }
  }
}

// A register that does something: a write or a read of it changes the state, or it tells of some.
bool does_something(Specimen& specimen, bool io, u64 address, unsigned size, Watch& watch) {
  Machine& machine = specimen.bench().machine();
  const AddressSpace& space = io ? machine.io() : machine.memory();
  const auto before = specimen.save();
  Happening access{.what = Happening::What::Read, .io = io, .size = size, .address = address};
  watch.begin(access);
  const u64 read = space.load(address, size);
  const u64 nothing = size == 8 ? ~u64{0} : (u64{1} << (8 * size)) - 1;
  if (read != 0 && read != nothing) return true;
  access.what = Happening::What::Write;
  for (const u64 value : {u64{1}, u64{0xff}, ~u64{0}, u64{0}}) {
    access.value = value & nothing;
    watch.begin(access);
    space.store(address, value, size);
    if (specimen.save() != before) return true;
  }
  return false;
}

void look(Specimen& specimen, const AccessibleRange& range, std::vector<KnownRegister>& found,
          Watch& watch) {
  const u64 bytes = std::min(range.last - range.first + 1, kLookedAt);
  const unsigned size = std::clamp(4u, range.min_size, range.max_size);
  const unsigned step = bytes <= 64 ? range.min_size : size;
  u64 end = 0;
  for (u64 offset = 0; offset + step <= bytes; offset += step)
    if (does_something(specimen, range.io, range.first + offset, step, watch)) end = offset + step;
  // What stands among others and does nothing now may be a doorbell.
  for (u64 offset = 0; offset < end; offset += step)
    found.push_back({.region = std::string(range.region->name()),
                     .offset = range.offset + offset,
                     .size = step});
}

// Where something shows that did not before: buffers that the device has filled by now.
void look_again(Specimen& specimen, std::vector<KnownRegister>& known) {
  Machine& machine = specimen.bench().machine();
  Watch watch(specimen.device()->type().name, hang_seconds());
  for (const AccessibleRange& range : accessible_ranges(machine, *specimen.device())) {
    if (range.region->kind() != RegionKind::Mmio || declared_registers(*range.region) != nullptr)
      continue;
    const unsigned size = std::clamp(4u, range.min_size, range.max_size);
    const u64 bytes = std::min(range.last - range.first + 1, kLookedAtAfterUse);
    const AddressSpace& space = range.io ? machine.io() : machine.memory();
    unsigned found = 0;
    for (u64 at = 0; at + size <= bytes && found < kMostAfterUse; at += size) {
      const KnownRegister shown{
          .region = std::string(range.region->name()), .offset = range.offset + at, .size = size};
      const auto is_it = [&](const KnownRegister& one) {
        return one.region == shown.region && one.offset == shown.offset;
      };
      watch.begin({.what = Happening::What::Read,
                   .io = range.io,
                   .size = size,
                   .address = range.first + at});
      const u64 value = space.load(range.first + at, size);
      if (value == 0 || value == ~u64{0} >> (64 - 8 * size) || std::ranges::any_of(known, is_it))
        continue;
      known.push_back(shown);
      ++found;
    }
  }
}

std::vector<KnownRegister> find_registers(const TypeInfo& type) {
  std::vector<KnownRegister> found;
  Specimen specimen(type, Specimen::Given::Everything);
  if (specimen.device() == nullptr) return found;
  Watch watch(type.name, hang_seconds());
  if (auto* pci = dynamic_cast<PciDevice*>(specimen.device()); pci != nullptr) map_bars(*pci);
  for (const AccessibleRange& range :
       accessible_ranges(specimen.bench().machine(), *specimen.device()))
    if (const RegisterBankInfo* bank = declared_registers(*range.region); bank != nullptr)
      add_declared(*range.region, *bank, found);
    else if (range.region->kind() == RegionKind::Mmio)
      look(specimen, range, found, watch);
  return found;
}

}  // namespace

const std::vector<KnownRegister>& known_registers(const TypeInfo& type) {
  static std::map<std::string, std::vector<KnownRegister>> all;
  const auto [at, missing] = all.try_emplace(type.name);
  if (!missing) return at->second;
  at->second = find_registers(type);
  Specimen specimen(type, Specimen::Given::Everything);
  if (specimen.device() == nullptr || specimen.is_elsewhere()) return at->second;
  Fuzzer(specimen, 1).run(3000);
  auto more = at->second;
  look_again(specimen, more);
  return at->second = std::move(more);
}

}  // namespace rhea::test
