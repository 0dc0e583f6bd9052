// SPDX-License-Identifier: GPL-2.0-or-later
// A flattened device tree (Devicetree Specification 0.4, 5), made by libfdt.
#pragma once

#include "hw/i386/microvm_acpi.h"

namespace rhea::hw {

/// What the microvm board's tree says: enough for firmware to find devices without ACPI.
struct MicrovmTree {
  unsigned io_apics{1};
  bool has_serial{}, has_clock{};
  std::vector<MicrovmWindow> virtio;
};

std::vector<u8> build_device_tree(const MicrovmTree& facts);

}  // namespace rhea::hw
