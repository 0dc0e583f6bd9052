// SPDX-License-Identifier: GPL-2.0-or-later
// The entropy device as a PCI device.
#include "hw/virtio/virtio_pci_types.h"
#include "hw/virtio/virtio_rng.h"

namespace rhea::hw {
namespace {

/// Spec: OASIS Virtual I/O Device 1.2, 5.4, on PCI (4.1): modern, legacy or both. Its numbers come
/// from the source that `rng` names, a page of them at a time at most. State: complete. Missing of
/// QEMU's: everything of PCI Express (aer, ats, x-pcie-…), which the board does not have, and
/// failover_pair_id, acpi-index, migrate-extra, x-disable-legacy-check.
struct RngOnPci {
  static constexpr std::string_view kName = "virtio-rng-pci", kHelp = "virtio entropy device";
  static constexpr u32 kVectors = 2;
  using Function = VirtioRng;
};
const RegisterVirtioPci<RngOnPci> rng_types;

}  // namespace
}  // namespace rhea::hw
