// SPDX-License-Identifier: GPL-2.0-or-later
// The PCI capabilities of a vfio-user server's device that Rhea gives the guest.
#pragma once

#include "hw/vfio/identity.h"

#include <optional>
#include <vector>

namespace rhea::hw::vfio {

struct Capabilities {
  bool power_management{false};
  std::optional<ExpressType> express;
  unsigned msi_vectors{0};
  unsigned msix_vectors{0};
  bool msix_in_place{
      false};  ///< table and pending bits where the server has them; else in a BAR of their own
  unsigned msix_bar{0};
  u64 msix_offset{0};
  std::vector<std::vector<u8>> vendor;  ///< without id, link and length
};

/// Follows the list in the configuration space. What does not fit, and what Rhea does not know, is
/// left out.
Capabilities read_capabilities(const Identity& identity);

}  // namespace rhea::hw::vfio
