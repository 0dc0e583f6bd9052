// SPDX-License-Identifier: GPL-2.0-or-later
// The block device as a PCI device.
#include "hw/virtio/virtio_blk.h"
#include "hw/virtio/virtio_pci_types.h"

namespace rhea::hw {
namespace {

/// Spec: OASIS Virtual I/O Device 1.2, 5.2, on PCI (4.1): modern, legacy or both. Reads, writes,
/// flushes, discards and zeroes of any length, in pieces of 1 MiB; 1024 requests and 8 MiB under
/// way at most, those that a reset forgot among them. State: complete, with the requests that an
/// error has stopped. Missing: lifetime, secure erase, zoned disks, SCSI commands; of QEMU's:
/// everything of PCI Express (aer, ats, x-pcie-…), which the board does not have, and share-rw,
/// account-…, backend_defaults, lcyls, lheads, lsecs, failover_pair_id, acpi-index,
/// migrate-extra, x-disable-legacy-check, x-enable-wce-if-config-wce.
struct BlkOnPci {
  static constexpr std::string_view kName = "virtio-blk-pci", kHelp = "virtio disk";
  static constexpr u32 kVectors = kVectorPerQueue;
  using Function = VirtioBlk;
};
const RegisterVirtioPci<BlkOnPci> blk_types;

}  // namespace
}  // namespace rhea::hw
