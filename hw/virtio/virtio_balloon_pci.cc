// SPDX-License-Identifier: GPL-2.0-or-later
// The balloon as a PCI device.
#include "hw/virtio/virtio_balloon.h"
#include "hw/virtio/virtio_pci_types.h"

namespace rhea::hw {
namespace {

/// Spec: OASIS Virtual I/O Device 1.2, 5.5, on PCI (4.1): modern, legacy or both. Pages that the
/// guest hands in or reports as free go back to the host, of memory in huge pages those that are
/// whole; statistics; a reset empties the balloon. State: complete but the last statistics, for
/// which the guest is asked anew. Missing: hints of free pages, for a migration that there is not;
/// of QEMU's: everything of PCI Express (aer, ats, x-pcie-…), which the board does not have, and
/// iothread, failover_pair_id, acpi-index, migrate-extra, x-disable-legacy-check.
struct BalloonOnPci {
  static constexpr std::string_view kName = "virtio-balloon-pci", kHelp = "virtio memory balloon";
  static constexpr u32 kVectors = 0;
  using Function = VirtioBalloon;
};
const RegisterVirtioPci<BalloonOnPci> balloon_types;

}  // namespace
}  // namespace rhea::hw
