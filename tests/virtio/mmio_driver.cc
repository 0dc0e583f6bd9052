// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/virtio/mmio_driver.h"

namespace rhea::test {

VirtioMmioDriver::VirtioMmioDriver(Bench& on, bool of_version_1, std::string_view type,
                                   const Properties& properties)
    : bench(&on), legacy(of_version_1) {
  transport = &bench->add("virtio-mmio", {{"force-legacy", legacy ? "on" : "off"}});
  transport->connect_gpio_out("sysbus-irq", 0, bench->machine().interrupts.gsi(kLine));
  if (!type.empty()) device = &bench->add(type, properties);
}

u64 VirtioMmioDriver::offered() const {
  put(0x14, 0);
  const u64 low = get(0x10);
  put(0x14, 1);
  return low | get(0x10) << 32;
}

void VirtioMmioDriver::accept(u64 features) const {
  put(0x24, 0);
  put(0x20, static_cast<u32>(features));
  put(0x24, 1);
  put(0x20, features >> 32);
}

bool VirtioMmioDriver::negotiate(u64 features) const {
  set_status(0);
  set_status(Core::kAcknowledge);
  set_status(Core::kAcknowledge | Core::kDriver);
  if (legacy) put(0x28, kPageBytes);
  accept(features);
  if (legacy) return true;
  set_status(Core::kAcknowledge | Core::kDriver | Core::kFeaturesOk);
  return (status() & Core::kFeaturesOk) != 0;
}

std::unique_ptr<RingDriver> VirtioMmioDriver::enable_queue(u16 number, u64 at, bool packed) const {
  put(0x30, number);
  put(0x38, kEntries);
  const u64 available = at + 16 * u64{kEntries}, used = at + kPageBytes;
  if (legacy) {
    put(0x3c, kPageBytes);
    put(0x40, at / kPageBytes);
  } else {
    put(0x80, static_cast<u32>(at));
    put(0x84, at >> 32);
    put(0x90, static_cast<u32>(available));
    put(0x94, available >> 32);
    put(0xa0, static_cast<u32>(used));
    put(0xa4, used >> 32);
    put(0x44, 1);
  }
  const RingPlace place{
      .descriptors = at, .driver = available, .device = used, .entries = kEntries};
  AddressSpace& memory = bench->machine().memory();
  if (packed) return std::make_unique<PackedDriver>(memory, place);
  return std::make_unique<SplitDriver>(memory, place);
}

void VirtioMmioDriver::drive() const {
  const u8 features = legacy ? u8{0} : Core::kFeaturesOk;
  set_status(Core::kAcknowledge | Core::kDriver | features | Core::kDriverOk);
}

std::unique_ptr<RingDriver> VirtioMmioDriver::start(u64 features, bool packed) const {
  if (!negotiate(features)) return nullptr;
  auto ring = enable_queue(0, kRing, packed);
  drive();
  return ring;
}

}  // namespace rhea::test
