// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/conformance/virtio_guest.h"

#include "hw/virtio/pci_layout.h"
#include "hw/virtio/virtio_core.h"
#include "hw/virtio/virtio_mmio.h"

#include <algorithm>
#include <utility>

namespace rhea::test {
namespace {

using hw::VirtioCore;
namespace virtio = hw::virtio;

constexpr u64 kRings = 0x10'0000, kRingBytes = 0x8000, kPageBytes = 4096;
constexpr u64 kData = 0x1000, kDataPages = 64;  // as other memory that the random guest changes
constexpr u16 kMostQueues = 8, kMostEntries = 64;
constexpr unsigned kPorts = hw::virtio_pci::kLegacyBar, kRegisters = hw::virtio_pci::kModernBar;
constexpr std::array<u32, 6> kHeaders{2, 4, 8, 12, 16, 24};
constexpr std::array<u32, 8> kBodies{1, 6, 64, 512, 512, 1024, 1514, 4096};

bool one_in(unsigned n, std::mt19937_64& random) { return random() % n == 0; }

template <class Choices>
u32 one_of(const Choices& choices, std::mt19937_64& random) {
  return choices[random() % choices.size()];
}

bool has(u64 features, unsigned number) { return (features & virtio::bit(number)) != 0; }

}  // namespace

VirtioGuest::VirtioGuest(Specimen& specimen) : machine_(&specimen.bench().machine()) {
  Device* device = specimen.device();
  if (device == nullptr) return;
  if (device->parent_bus() != nullptr && !device->type().is_a("virtio-pci"))
    device = dynamic_cast<Device*>(device->parent_bus()->parent());
  if (device == nullptr) return;
  if (device->type().is_a("virtio-pci")) pci_ = dynamic_cast<PciDevice*>(device);
  if (device->type().is_a("virtio-mmio")) mmio_ = hw::VirtioMmio::kBase;
}

std::shared_ptr<VirtioGuest> VirtioGuest::for_copy(Specimen& copy) const {
  auto guest = std::make_shared<VirtioGuest>(copy);
  guest->interface_ = interface_;
  guest->base_ = base_;
  guest->is_port_ = is_port_;
  guest->notify_bytes_ = notify_bytes_;
  for (const Queue& queue : queues_)
    guest->queues_.push_back({.number = queue.number,
                              .event_index = queue.event_index,
                              .indirect = queue.indirect,
                              .pending = queue.pending,
                              .slots = queue.slots,
                              .shape = queue.shape,
                              .ring = queue.ring->clone(guest->machine_->memory())});
  return guest;
}

const VirtioGuest::Layout& VirtioGuest::layout_of(Interface interface) {
  static constexpr Layout kModern{.status = {0x14, 1},
                                  .features_select = {0x00},
                                  .features = {0x04},
                                  .accepted_select = {0x08},
                                  .accepted = {0x0c},
                                  .queue = {0x16, 2},
                                  .entries = {0x18, 2}};
  static constexpr Layout kLegacy{.status = {0x12, 1},
                                  .features_select = {},
                                  .features = {0x00},
                                  .accepted_select = {},
                                  .accepted = {0x04},
                                  .queue = {0x0e, 2},
                                  .entries = {0x0c, 2}};
  static constexpr Layout kMmio{.status = {0x70},
                                .features_select = {0x14},
                                .features = {0x10},
                                .accepted_select = {0x24},
                                .accepted = {0x20},
                                .queue = {0x30},
                                .entries = {0x34}};
  if (interface == Interface::Modern) return kModern;
  return interface == Interface::Legacy ? kLegacy : kMmio;
}

u64 VirtioGuest::get(Register reg) const {
  const AddressSpace& space = is_port_ ? machine_->io() : machine_->memory();
  return space.load(base_ + reg.at, reg.size);
}

void VirtioGuest::put(Register reg, u64 value) const {
  const AddressSpace& space = is_port_ ? machine_->io() : machine_->memory();
  space.store(base_ + reg.at, value, reg.size);
}

bool VirtioGuest::choose_interface(std::mt19937_64& random) {
  is_port_ = false;
  if (mmio_ != 0) {
    base_ = mmio_;
    interface_ = get({0x04}) == 1 ? Interface::MmioLegacy : Interface::Mmio;
    return true;
  }
  const auto ports = pci_->bar_info(kPorts), registers = pci_->bar_info(kRegisters);
  const bool legacy = ports && ports->kind == BarKind::Io && (!registers || one_in(3, random));
  if (!legacy && !registers) return false;
  interface_ = legacy ? Interface::Legacy : Interface::Modern;
  is_port_ = legacy;
  base_ = legacy ? ports->address : registers->address;
  notify_bytes_ = to_text(*pci_->get("page-per-vq")) == "on" ? kPageBytes : 4;
  return true;
}

u64 VirtioGuest::offered() const {
  if (interface_ == Interface::Legacy) return get(layout().features);
  put(layout().features_select, 0);
  const u64 low = get(layout().features);
  put(layout().features_select, 1);
  return low | get(layout().features) << 32;
}

void VirtioGuest::accept(u64 features) const {
  if (interface_ == Interface::Legacy) return put(layout().accepted, features);
  for (const unsigned half : {0u, 1u}) {
    put(layout().accepted_select, half);
    put(layout().accepted, static_cast<u32>(features >> (32 * half)));
  }
}

void VirtioGuest::reset(std::mt19937_64& random) {
  queues_.clear();
  is_reset_ = choose_interface(random);
  if (is_reset_) put(layout().status, 0);
}

void VirtioGuest::start(std::mt19937_64& random) {
  if (!std::exchange(is_reset_, false)) return;
  const u8 driver = VirtioCore::kAcknowledge | VirtioCore::kDriver;
  put(layout().status, driver);
  if (interface_ == Interface::MmioLegacy) put({0x28}, kPageBytes);
  u64 features = offered() & ~(random() & random() & random());
  if (!is_legacy()) features |= virtio::bit(virtio::kVersion1);
  accept(features);
  const u8 agreed = is_legacy() ? driver : driver | VirtioCore::kFeaturesOk;
  put(layout().status, agreed);
  for (u16 number = 0; number < kMostQueues && place_queue(number, features, random); ++number) {
  }
  put(layout().status, agreed | VirtioCore::kDriverOk);
}

RingPlace VirtioGuest::place_modern(u16 number, u64 at, u16 entries,
                                    std::mt19937_64& random) const {
  const RingPlace place{.descriptors = at,
                        .driver = at + kRingBytes / 2,
                        .device = at + kRingBytes / 4 * 3,
                        .entries = entries};
  put({0x10, 2}, random() % 4);
  put({0x18, 2}, entries);
  put({0x1a, 2}, one_in(4, random) ? random() : number);
  put({0x20, 8}, place.descriptors);
  put({0x28, 4}, place.driver);
  put({0x2c, 4}, place.driver >> 32);
  put({0x30, 8}, place.device);
  put({0x1c, 2}, 1);
  return place;
}

RingPlace VirtioGuest::place_mmio(u64 at, u16 entries) const {
  const RingPlace place{.descriptors = at,
                        .driver = at + kRingBytes / 2,
                        .device = at + kRingBytes / 4 * 3,
                        .entries = entries};
  put({0x38}, entries);
  const std::array<std::pair<u64, u64>, 3> areas{
      {{0x80, place.descriptors}, {0x90, place.driver}, {0xa0, place.device}}};
  for (const auto& [reg, address] : areas) {
    put({reg}, static_cast<u32>(address));
    put({reg + 4}, address >> 32);
  }
  put({0x44}, 1);
  return place;
}

RingPlace VirtioGuest::place_legacy(u64 at, u16 entries) const {
  const u64 driver = at + 16 * u64{entries}, end = driver + 2 * (3 + u64{entries});
  const RingPlace place{.descriptors = at,
                        .driver = driver,
                        .device = (end + kPageBytes - 1) / kPageBytes * kPageBytes,
                        .entries = entries};
  if (interface_ == Interface::MmioLegacy) {
    put({0x38}, entries);
    put({0x3c}, kPageBytes);
    put({0x40}, at / kPageBytes);
  } else {
    put({0x08}, at / kPageBytes);
  }
  return place;
}

// Whether there was one. Legacy drivers cannot choose how many entries it has.
bool VirtioGuest::place_queue(u16 number, u64 features, std::mt19937_64& random) {
  put(layout().queue, number);
  auto entries = static_cast<u16>(get(layout().entries));
  if (entries == 0 || entries > hw::VirtQueue::kMostEntries) return false;
  if (interface_ != Interface::Legacy)
    entries = std::min<u16>(entries, static_cast<u16>(kMostEntries >> random() % 4));
  const u64 at = kRings + kRingBytes * number;
  const std::vector<u8> zeroes(kRingBytes);
  static_cast<void>(machine_->memory().write(at, zeroes));
  const RingPlace place = is_legacy() ? place_legacy(at, entries)
                          : interface_ == Interface::Mmio
                              ? place_mmio(at, entries)
                              : place_modern(number, at, entries, random);
  Queue queue{.number = number,
              .event_index = has(features, virtio::kEventIndex),
              .indirect = has(features, virtio::kIndirectDescriptors)};
  AddressSpace& memory = machine_->memory();
  if (!is_legacy() && has(features, virtio::kRingPacked))
    queue.ring = std::make_unique<PackedDriver>(memory, place);
  else
    queue.ring = std::make_unique<SplitDriver>(memory, place);
  queues_.push_back(std::move(queue));
  return true;
}

void VirtioGuest::notify(u16 number) const {
  switch (interface_) {
    case Interface::Modern:
      return put({hw::virtio_pci::kNotify + notify_bytes_ * number, 2}, number);
    case Interface::Legacy: return put({0x10, 2}, number);
    default: return put({0x50}, number);
  }
}

// Requests begin with small numbers, whatever they are: kinds, lengths, places.
void VirtioGuest::fill(u64 address, u32 length, std::mt19937_64& random) const {
  const unsigned unit = 1u << random() % 4;
  for (u64 at = 0; at + unit <= std::min(length, 32u); at += unit) {
    const u64 r = random();
    const u64 number = r % 2 == 0 ? 0 : r / 2 % 4 == 0 ? r / 8 % 256 : r / 8 % 16;
    machine_->memory().store(address + at, number, unit);
  }
}

std::vector<Piece> VirtioGuest::buffer(const Shape& shape, std::mt19937_64& random) const {
  std::vector<Piece> pieces;
  const auto add = [&](u32 length, bool write) {
    const u64 page =
        one_in(16, random) ? Specimen::kMirror : kData + kPageBytes * (random() % kDataPages);
    const u64 address = page + (one_in(4, random) ? random() % kPageBytes : 0);
    pieces.push_back({.address = address, .length = length, .write = write});
    // Nobody but the device touches the mirror.
    if (!write && page != Specimen::kMirror && !one_in(4, random)) fill(address, length, random);
  };
  for (const u32 length : shape.out) add(length, false);
  for (const u32 length : shape.in) add(length, true);
  return pieces;
}

// A header and data, to the device, from it, or both; often it ends with a byte from the device.
void VirtioGuest::offer(Queue& queue, std::mt19937_64& random) {
  Shape& shape = queue.shape;
  if ((shape.out.empty() && shape.in.empty()) || one_in(8, random)) {
    shape = {};
    const u64 parts = random();
    if ((parts & 1) != 0) shape.out.push_back(one_of(kHeaders, random));
    if ((parts & 6) == 0) shape.out.push_back(one_of(kBodies, random));
    if ((parts & 24) == 0) shape.in.push_back(one_of(kHeaders, random));
    if ((parts & 32) != 0) shape.in.push_back(one_of(kBodies, random));
    if ((parts & 64) != 0 || (shape.out.empty() && shape.in.empty())) shape.in.push_back(1);
  }
  const auto pieces = buffer(shape, random);
  const bool indirect = queue.indirect && one_in(3, random);
  const auto slots = static_cast<u16>(indirect ? 1 : pieces.size());
  if (queue.pending + slots > queue.ring->place().entries) return;
  queue.pending += slots;
  queue.slots.push_back(slots);
  const u64 table = kData + kPageBytes * (random() % kDataPages);
  indirect ? queue.ring->add_indirect(pieces, table) : queue.ring->add(pieces);
}

// Entries come back in any order: those given first count first.
u64 VirtioGuest::take_used(Queue& queue) const {
  u64 seen = 0;
  for (unsigned n = queue.ring->place().entries; n != 0; --n) {
    const auto used = queue.ring->take_used();
    if (!used) break;
    seen = seen * 0x9e37'79b9'7f4a'7c15 + used->id + (u64{used->written} << 16) + 1;
    if (queue.slots.empty()) continue;
    queue.pending -= queue.slots.front();
    queue.slots.erase(queue.slots.begin());
  }
  return seen;
}

u64 VirtioGuest::use(std::mt19937_64& random) {
  if (queues_.empty()) return 0;
  Queue& queue = queues_[random() % queues_.size()];
  const u64 seen = take_used(queue);
  if (one_in(8, random)) {
    if (queue.event_index)
      queue.ring->want_interrupt_after(static_cast<u16>(1 + random() % 4));
    else
      queue.ring->want_interrupts(one_in(2, random));
  }
  for (u64 n = 1 + random() % 4; n != 0; --n) offer(queue, random);
  notify(queue.number);
  return seen;
}

}  // namespace rhea::test
