// SPDX-License-Identifier: GPL-2.0-or-later
// The bits of the device status register (OASIS Virtual I/O Device 1.2, 2.1), which each transport
// has somewhere else.
#pragma once

#include "hw/virtio/virtio_core.h"

namespace rhea::hw {

template <class Row>
constexpr auto with_status_fields(const Row& row) {
  return row.field("ACKNOWLEDGE", VirtioCore::kAcknowledge)
      .field("DRIVER", VirtioCore::kDriver)
      .field("DRIVER_OK", VirtioCore::kDriverOk)
      .field("FEATURES_OK", VirtioCore::kFeaturesOk)
      .field("DEVICE_NEEDS_RESET", VirtioCore::kNeedsReset)
      .field("FAILED", VirtioCore::kFailed);
}

}  // namespace rhea::hw
