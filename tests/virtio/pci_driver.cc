// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/virtio/pci_driver.h"

namespace rhea::test {

VirtioPciDriver::VirtioPciDriver(Bench& on, std::string_view type, Properties properties)
    : bench(&on) {
  properties.emplace_back("addr", "3");
  bench->add(type, properties);
  map();
}

void VirtioPciDriver::map() {
  bench->config_write(kDevfn, 0x10, kPorts, 4);
  bench->config_write(kDevfn, 0x14, kMsix, 4);
  bench->config_write(kDevfn, 0x20, kModern, 4);
  bench->config_write(kDevfn, pci::kCommand,
                      pci::kCommandIo | pci::kCommandMemory | pci::kCommandMaster, 2);
}

VirtioCapability VirtioPciDriver::capability(u8 type) const {
  for (unsigned at = bench->config_read(kDevfn, pci::kCapabilities, 1); at != 0;
       at = bench->config_read(kDevfn, at + 1, 1)) {
    if (bench->config_read(kDevfn, at, 1) != 9 || bench->config_read(kDevfn, at + 3, 1) != type)
      continue;
    return {.at = at,
            .bar = static_cast<u8>(bench->config_read(kDevfn, at + 4, 1)),
            .offset = bench->config_read(kDevfn, at + 8, 4),
            .length = bench->config_read(kDevfn, at + 12, 4)};
  }
  return {};
}

u64 VirtioPciDriver::offered() {
  modern(0x00, 0, 4);
  const u64 low = modern(0x04, 4);
  modern(0x00, 1, 4);
  return low | modern(0x04, 4) << 32;
}

void VirtioPciDriver::accept(u64 features) {
  modern(0x08, 0, 4);
  modern(0x0c, static_cast<u32>(features), 4);
  modern(0x08, 1, 4);
  modern(0x0c, features >> 32, 4);
}

bool VirtioPciDriver::negotiate(u64 features) {
  set_status(0);
  set_status(Core::kAcknowledge);
  set_status(Core::kAcknowledge | Core::kDriver);
  accept(features);
  set_status(Core::kAcknowledge | Core::kDriver | Core::kFeaturesOk);
  return (status() & Core::kFeaturesOk) != 0;
}

void VirtioPciDriver::enable_queue(u16 number, const RingPlace& place, u16 vector) {
  modern(0x16, number, 2);
  modern(0x18, place.entries, 2);
  modern(0x1a, vector, 2);
  modern(0x20, place.descriptors, 4);
  modern(0x24, place.descriptors >> 32, 4);
  modern(0x28, place.driver, 8);
  modern(0x30, place.device, 8);
  modern(0x1c, 1, 2);
}

std::unique_ptr<RingDriver> VirtioPciDriver::start(u64 features, const RingPlace& place,
                                                   u16 vector) {
  if (!negotiate(features)) return nullptr;
  enable_queue(0, place, vector);
  drive();
  if ((features & kPacked) != 0) return std::make_unique<PackedDriver>(memory(), place);
  return std::make_unique<SplitDriver>(memory(), place);
}

std::unique_ptr<SplitDriver> VirtioPciDriver::start_legacy(u32 features) {
  constexpr u64 kPage = 0x40;
  legacy(0x12, 0, 1);
  legacy(0x12, Core::kAcknowledge, 1);
  legacy(0x12, Core::kAcknowledge | Core::kDriver, 1);
  legacy(0x04, features, 4);
  legacy(0x0e, 0, 2);
  const auto entries = static_cast<u16>(legacy(0x0c, 2));
  legacy(0x08, kPage, 4);
  legacy(0x12, Core::kAcknowledge | Core::kDriver | Core::kDriverOk, 1);
  const u64 at = kPage << 12, available = at + 16 * u64{entries};
  const u64 end = available + 2 * (3 + u64{entries});
  const RingPlace place{.descriptors = at,
                        .driver = available,
                        .device = (end + 4095) / 4096 * 4096,
                        .entries = entries};
  return std::make_unique<SplitDriver>(memory(), place);
}

void VirtioPciDriver::enable_msix(unsigned vectors) {
  for (unsigned vector = 0; vector < vectors; ++vector) {
    const u64 entry = kMsix + u64{16} * vector;
    bench->store(entry, 0xfee0'0000, 8);
    bench->store(entry + 8, 0x40 + vector, 4);
    bench->store(entry + 12, 0, 4);
  }
  unsigned at = bench->config_read(kDevfn, pci::kCapabilities, 1);
  while (at != 0 && bench->config_read(kDevfn, at, 1) != 0x11)
    at = bench->config_read(kDevfn, at + 1, 1);
  bench->config_write(kDevfn, at + 2, 0x8000, 2);
}

}  // namespace rhea::test
