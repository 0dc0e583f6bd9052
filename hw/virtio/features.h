// SPDX-License-Identifier: GPL-2.0-or-later
// Feature bits of virtio devices, as data: what property offers which, and whether it usually does
// (OASIS Virtual I/O Device 1.2, 6; properties as QEMU's).
#pragma once

#include "rhea/qom/schema.h"

#include <array>
#include <span>
#include <string_view>

namespace rhea::hw {

namespace virtio {
inline constexpr unsigned kNotifyOnEmpty = 24, kAnyLayout = 27, kIndirectDescriptors = 28,
                          kEventIndex = 29, kVersion1 = 32, kAccessPlatform = 33, kRingPacked = 34,
                          kInOrder = 35, kRingReset = 40;
constexpr u64 bit(unsigned number) { return u64{1} << number; }
/// What only legacy drivers see.
inline constexpr u64 kLegacyFeatures = bit(kNotifyOnEmpty) | bit(kAnyLayout);
}  // namespace virtio

struct VirtioFeature {
  std::string_view property;
  unsigned number{};
  bool offered{};  ///< unless the user says otherwise
  std::string_view help;
};

/// Those of every device.
inline constexpr std::array kVirtioFeatures{
    VirtioFeature{"indirect_desc", virtio::kIndirectDescriptors, true, "tables of descriptors; on"},
    VirtioFeature{"event_idx", virtio::kEventIndex, true, "notifications by position; on"},
    VirtioFeature{"notify_on_empty", virtio::kNotifyOnEmpty, true,
                  "interrupt legacy drivers when all is used; on"},
    VirtioFeature{"any_layout", virtio::kAnyLayout, true,
                  "buffers of legacy drivers in any pieces; on"},
    VirtioFeature{"iommu_platform", virtio::kAccessPlatform, false,
                  "a driver must use the bus's own addresses; off"},
    VirtioFeature{"packed", virtio::kRingPacked, false, "packed rings; off"},
    VirtioFeature{"in_order", virtio::kInOrder, false, "buffers come back as they went; off"},
    VirtioFeature{"queue_reset", virtio::kRingReset, true, "reset of single queues; on"}};

constexpr u64 usually_offered(std::span<const VirtioFeature> features) {
  u64 bits = 0;
  for (const VirtioFeature& feature : features)
    if (feature.offered) bits |= virtio::bit(feature.number);
  return bits;
}

/// Properties for a table's features; `bits` gives a device's offered bits.
template <class Self>
void declare_features(Schema<Self>& s, std::span<const VirtioFeature> features,
                      u64& (*bits)(Self&)) {
  for (const VirtioFeature& feature : features)
    s.computed(
         feature.property, "bool",
         [bits, mask = virtio::bit(feature.number)](const Self& self) -> Value {
           return (bits(const_cast<Self&>(self)) & mask) != 0;
         },
         [bits, mask = virtio::bit(feature.number)](Self& self, const Value& value) -> Result<> {
           const bool on = TRY(parse_bool(value));
           bits(self) = on ? bits(self) | mask : bits(self) & ~mask;
           return {};
         })
        .help(feature.help);
}

}  // namespace rhea::hw
