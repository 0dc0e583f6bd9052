// SPDX-License-Identifier: GPL-2.0-or-later
// Input devices as PCI devices.
#include "hw/virtio/virtio_input.h"
#include "hw/virtio/virtio_pci_types.h"

namespace rhea::hw {
namespace {

/// Spec: OASIS Virtual I/O Device 1.2, 5.8, on PCI (4.1), modern. It takes the keys of the PS/2
/// keyboard while its driver works. State: complete. Missing: lamps go nowhere; of QEMU's:
/// everything of PCI Express (aer, ats, x-pcie-…), which the board does not have, and display,
/// head, failover_pair_id, acpi-index, migrate-extra, x-disable-legacy-check.
struct KeyboardOnPci {
  static constexpr std::string_view kName = "virtio-keyboard-pci", kHelp = "virtio keyboard";
  static constexpr u32 kVectors = 2;
  using Function = VirtioKeyboard;
};
/// Spec: OASIS Virtual I/O Device 1.2, 5.8, on PCI (4.1), modern. It takes the pointer of the PS/2
/// mouse while its driver works: movement, a wheel, five buttons. State: complete. Missing: of
/// QEMU's everything of PCI Express (aer, ats, x-pcie-…), which the board does not have, and
/// display, head, failover_pair_id, acpi-index, migrate-extra, x-disable-legacy-check.
struct MouseOnPci {
  static constexpr std::string_view kName = "virtio-mouse-pci", kHelp = "virtio mouse";
  static constexpr u32 kVectors = 2;
  using Function = VirtioMouse;
};
/// Spec: OASIS Virtual I/O Device 1.2, 5.8, on PCI (4.1), modern. It takes the pointer while its
/// driver works, and says where it is instead of how it moved. State: complete. Missing: of QEMU's
/// everything of PCI Express (aer, ats, x-pcie-…), which the board does not have, and display,
/// head, failover_pair_id, acpi-index, migrate-extra, x-disable-legacy-check.
struct TabletOnPci {
  static constexpr std::string_view kName = "virtio-tablet-pci", kHelp = "virtio tablet";
  static constexpr u32 kVectors = 2;
  using Function = VirtioTablet;
};
const RegisterOneVirtioPci<KeyboardOnPci> keyboard_type;
const RegisterOneVirtioPci<MouseOnPci> mouse_type;
const RegisterOneVirtioPci<TabletOnPci> tablet_type;

}  // namespace
}  // namespace rhea::hw
