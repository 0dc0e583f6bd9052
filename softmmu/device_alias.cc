// SPDX-License-Identifier: GPL-2.0-or-later
#include "softmmu/device_alias.h"

#include <array>

namespace rhea {
namespace {

struct Alias {
  std::string_view name, type;
};
// QEMU's, of machines with PCI, as far as there are such devices.
constexpr std::array kAliases{
    Alias{"virtio-balloon", "virtio-balloon-pci"},   Alias{"virtio-blk", "virtio-blk-pci"},
    Alias{"virtio-keyboard", "virtio-keyboard-pci"}, Alias{"virtio-mouse", "virtio-mouse-pci"},
    Alias{"virtio-net", "virtio-net-pci"},           Alias{"virtio-rng", "virtio-rng-pci"},
    Alias{"virtio-serial", "virtio-serial-pci"},     Alias{"virtio-tablet", "virtio-tablet-pci"}};

}  // namespace

std::string_view device_type_name(std::string_view name) {
  for (const Alias& alias : kAliases)
    if (alias.name == name) return alias.type;
  return name;
}

std::string_view device_alias(std::string_view type) {
  for (const Alias& alias : kAliases)
    if (alias.type == type) return alias.name;
  return {};
}

}  // namespace rhea
