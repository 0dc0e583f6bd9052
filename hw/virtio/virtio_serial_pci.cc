// SPDX-License-Identifier: GPL-2.0-or-later
// The console device as a PCI device.
#include "hw/virtio/virtio_pci_types.h"
#include "hw/virtio/virtio_serial.h"

namespace rhea::hw {
namespace {

/// Spec: OASIS Virtual I/O Device 1.2, 5.3, on PCI (4.1): modern, legacy or both. Ports of its bus
/// come and go while the guest runs; what one end does not take the other keeps. State: complete.
/// Missing: the size of a console; of QEMU's: everything of PCI Express (aer, ats, x-pcie-…), which
/// the board does not have, and failover_pair_id, acpi-index, migrate-extra,
/// x-disable-legacy-check.
struct SerialOnPci {
  static constexpr std::string_view kName = "virtio-serial-pci", kHelp = "virtio serial ports";
  static constexpr u32 kVectors = 2;
  using Function = VirtioSerial;
};
const RegisterVirtioPci<SerialOnPci> serial_types;

}  // namespace
}  // namespace rhea::hw
