// SPDX-License-Identifier: GPL-2.0-or-later
// The network device as a PCI device.
#include "hw/virtio/virtio_net.h"
#include "hw/virtio/virtio_pci_types.h"

namespace rhea::hw {
namespace {

/// Spec: OASIS Virtual I/O Device 1.2, 5.1, on PCI (4.1): modern, legacy or both. Checksums, TCP
/// segments and UDP fragments are made here; received checksums are checked; filters, commands,
/// several pairs of queues where the back end has them. State: complete, with a frame that is being
/// cut. Missing: large received segments, frames of more than 16 KiB, RSS and hashes; of QEMU's:
/// everything of PCI Express (aer, ats, x-pcie-…), which the board does not have, and failover,
/// guest_rsc_ext, hash, rss, rsc_interval, x-mtu-bypass-backend, failover_pair_id, acpi-index,
/// migrate-extra, x-disable-legacy-check.
struct NetOnPci {
  static constexpr std::string_view kName = "virtio-net-pci", kHelp = "virtio network card";
  static constexpr u32 kVectors = kVectorPerQueue;
  using Function = VirtioNet;
};
const RegisterVirtioPci<NetOnPci> net_types;

}  // namespace
}  // namespace rhea::hw
