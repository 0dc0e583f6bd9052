// SPDX-License-Identifier: GPL-2.0-or-later
// The SCSI host device as a PCI device.
#include "hw/virtio/virtio_pci_types.h"
#include "hw/virtio/virtio_scsi.h"

namespace rhea::hw {
namespace {

/// Spec: OASIS Virtual I/O Device 1.2, 5.6, on PCI (4.1): modern, legacy or both. Units of its bus
/// come and go while the guest runs. 1024 commands under way at most, those that a reset forgot
/// among them. State: complete, with the commands under way. Missing: commands with data both ways,
/// protection information (VIRTIO_SCSI_F_T10_PI), asynchronous notifications, auto contingent
/// allegiance; of QEMU's: everything of PCI Express (aer, ats, x-pcie-…), which the board does not
/// have, and failover_pair_id, acpi-index, migrate-extra, x-disable-legacy-check.
struct ScsiOnPci {
  static constexpr std::string_view kName = "virtio-scsi-pci", kHelp = "virtio SCSI host";
  static constexpr u32 kVectors = kVectorPerQueue;
  using Function = VirtioScsi;
};
const RegisterVirtioPci<ScsiOnPci> scsi_types;

}  // namespace
}  // namespace rhea::hw
