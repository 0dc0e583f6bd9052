// SPDX-License-Identifier: GPL-2.0-or-later
// The bench for any type.
#include "tests/conformance/fixture.h"

#include "rhea/softmmu/snapshot.h"

#include <algorithm>

namespace rhea::test {
namespace {

constexpr u64 kDiskBytes = 1440 * KiB;

// A type that stands on the bench by itself and provides a bus of the kind.
std::string find_provider(const std::string& kind) {
  for (const std::string& name : device_type_names()) {
    if (find_type(name)->bus == kind) continue;
    Bench bench;
    if (auto device = bench.try_add(name); device && bench.machine().find_bus(kind) != nullptr)
      return name;
  }
  return {};
}

}  // namespace

Specimen::Specimen(const TypeInfo& type) {
  const auto place = [&]() -> Result<Device*> {
    TRY(ensure_bus(type.bus));
    if (auto plain = bench_.try_add(type.name)) return plain;
    // Some types cannot do without a back end: give every link one.
    const Properties links = TRY(link_properties(type));
    return bench_.try_add(type.name, links);
  };
  if (auto result = place())
    device_ = *result;
  else
    error_ = result.error().message();
}

Result<> Specimen::ensure_bus(const std::string& kind) {
  if (kind.empty() || bench_.machine().find_bus(kind) != nullptr) return {};
  static std::map<std::string, std::string> providers;
  auto [it, unknown] = providers.try_emplace(kind);
  if (unknown) it->second = find_provider(kind);
  if (it->second.empty()) return fail("no type provides a bus of kind {}", kind);
  TRY(bench_.try_add(it->second));
  return {};
}

Result<Properties> Specimen::link_properties(const TypeInfo& type) {
  Properties links;
  for (const TypeInfo* t : type.lineage())
    for (const Property& p : t->properties) {
      const std::string id = fmt::format("fake{}", fakes_++);
      if (p.type == "link<block-backend>") {
        make_fake_disk(bench_, id, kDiskBytes);
      } else if (p.type == "link<chardev>") {
        FakeChardev::make(bench_, id);
      } else {
        continue;
      }
      links.emplace_back(p.name, id);
    }
  return links;
}

std::vector<u8> Specimen::save() {
  StateWriter out;
  save_object(*device_, out);
  return out.take();
}

Result<> Specimen::load(std::span<const u8> stream) {
  StateReader in(stream);
  return load_object(*device_, in);
}

std::vector<AccessibleRange> accessible_ranges(Machine& machine, const Device& device) {
  std::vector<AccessibleRange> found;
  const RcuGuard guard;
  for (const AddressSpace* space : {&machine.memory(), &machine.io()})
    for (const FlatRange& range : space->view().ranges())
      if (range.region->owner() == &device)
        found.push_back({.io = space == &machine.io(), .first = range.first, .last = range.last});
  return found;
}

void random_accesses(Machine& machine, Device& device, u64 seed, unsigned count) {
  std::mt19937_64 random(seed);
  auto* pci = dynamic_cast<PciDevice*>(&device);
  std::vector<AccessibleRange> ranges = accessible_ranges(machine, device);
  for (unsigned i = 0; i < count; ++i) {
    const unsigned size = 1u << random() % 4;
    // BARs may have moved.
    if (i % 64 == 63) ranges = accessible_ranges(machine, device);
    if (i % 32 == 31)
      machine.virtual_clock().advance_to(machine.virtual_clock().now_ns() +
                                         static_cast<i64>(random() % 2'000'000));
    if (i % 128 == 127) machine.loop().iterate(false);
    if (pci != nullptr && (ranges.empty() || random() % 8 == 0)) {
      const unsigned config_size = 1u << random() % 3;
      const auto reg = static_cast<unsigned>(random() % 256) & ~(config_size - 1);
      if (random() % 2 == 0)
        pci->config_read(reg, config_size);
      else
        pci->config_write(reg, static_cast<u32>(random()), config_size);
      continue;
    }
    if (ranges.empty()) continue;
    const AccessibleRange& range = ranges[random() % ranges.size()];
    const u64 address = range.first + random() % (range.last - range.first + 1);
    const AddressSpace& space = range.io ? machine.io() : machine.memory();
    if (random() % 2 == 0)
      space.load(address, size);
    else
      space.store(address, random() % 4 == 0 ? random() : random() % 256, size);
  }
}

std::vector<std::string> device_type_names() {
  std::vector<std::string> names;
  for (const TypeInfo* type : all_types())
    if (!type->is_abstract && type->is_a(Device::kName) && type->name.rfind("test-", 0) != 0 &&
        type->name != "bench-board")
      names.push_back(type->name);
  return names;
}

}  // namespace rhea::test
