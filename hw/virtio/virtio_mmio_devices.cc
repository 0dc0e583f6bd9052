// SPDX-License-Identifier: GPL-2.0-or-later
// The virtio devices that plug into virtio-mmio's buses.
#include "hw/virtio/virtio_balloon.h"
#include "hw/virtio/virtio_blk.h"
#include "hw/virtio/virtio_device.h"
#include "hw/virtio/virtio_input.h"
#include "hw/virtio/virtio_net.h"
#include "hw/virtio/virtio_rng.h"
#include "hw/virtio/virtio_scsi.h"
#include "hw/virtio/virtio_serial.h"
#include "rhea/qom/registry.h"

namespace rhea::hw {
namespace {

/// Spec: OASIS Virtual I/O Device 1.2, 5.2, as virtio-blk-pci, on a virtio-bus. State: complete,
/// with the requests that an error has stopped. Missing: what virtio-blk-pci lacks of it; of
/// QEMU's: share-rw, account-…, backend_defaults, lcyls, lheads, lsecs, use-started,
/// use-disabled-flag, x-disable-legacy-check, x-enable-wce-if-config-wce.
struct BlkOnBus {
  static constexpr std::string_view kName = "virtio-blk-device",
                                    kHelp = "virtio disk on a virtio-bus";
  using Function = VirtioBlk;
};

/// Spec: OASIS Virtual I/O Device 1.2, 5.1, as virtio-net-pci, on a virtio-bus. State: complete,
/// with a frame that is being cut. Missing: what virtio-net-pci lacks of it; of QEMU's: failover,
/// guest_rsc_ext, hash, rss, rsc_interval, use-started, use-disabled-flag, x-mtu-bypass-backend,
/// x-disable-legacy-check.
struct NetOnBus {
  static constexpr std::string_view kName = "virtio-net-device",
                                    kHelp = "virtio network card on a virtio-bus";
  using Function = VirtioNet;
};

/// Spec: OASIS Virtual I/O Device 1.2, 5.4, as virtio-rng-pci, on a virtio-bus. State: complete.
/// Missing of QEMU's: use-started, use-disabled-flag, x-disable-legacy-check.
struct RngOnBus {
  static constexpr std::string_view kName = "virtio-rng-device",
                                    kHelp = "virtio entropy device on a virtio-bus";
  using Function = VirtioRng;
};

/// Spec: OASIS Virtual I/O Device 1.2, 5.5, as virtio-balloon-pci, on a virtio-bus. State: complete
/// but the last statistics, for which the guest is asked anew. Missing: what virtio-balloon-pci
/// lacks of it; of QEMU's: iothread, use-started, use-disabled-flag, x-disable-legacy-check.
struct BalloonOnBus {
  static constexpr std::string_view kName = "virtio-balloon-device",
                                    kHelp = "virtio memory balloon on a virtio-bus";
  using Function = VirtioBalloon;
};

/// Spec: OASIS Virtual I/O Device 1.2, 5.3, as virtio-serial-pci, on a virtio-bus. State: complete.
/// Missing: the size of a console; of QEMU's: use-started, use-disabled-flag,
/// x-disable-legacy-check.
struct SerialOnBus {
  static constexpr std::string_view kName = "virtio-serial-device",
                                    kHelp = "virtio serial ports on a virtio-bus";
  using Function = VirtioSerial;
};

/// Spec: OASIS Virtual I/O Device 1.2, 5.8, as virtio-keyboard-pci, on a virtio-bus. State:
/// complete. Missing: lamps go nowhere; of QEMU's: display, head, use-started, use-disabled-flag,
/// x-disable-legacy-check.
struct KeyboardOnBus {
  static constexpr std::string_view kName = "virtio-keyboard-device",
                                    kHelp = "virtio keyboard on a virtio-bus";
  using Function = VirtioKeyboard;
};

/// Spec: OASIS Virtual I/O Device 1.2, 5.8, as virtio-mouse-pci, on a virtio-bus. State: complete.
/// Missing of QEMU's: display, head, use-started, use-disabled-flag, x-disable-legacy-check.
struct MouseOnBus {
  static constexpr std::string_view kName = "virtio-mouse-device",
                                    kHelp = "virtio mouse on a virtio-bus";
  using Function = VirtioMouse;
};

/// Spec: OASIS Virtual I/O Device 1.2, 5.8, as virtio-tablet-pci, on a virtio-bus. State: complete.
/// Missing of QEMU's: display, head, use-started, use-disabled-flag, x-disable-legacy-check.
struct TabletOnBus {
  static constexpr std::string_view kName = "virtio-tablet-device",
                                    kHelp = "virtio tablet on a virtio-bus";
  using Function = VirtioTablet;
};

/// Spec: OASIS Virtual I/O Device 1.2, 5.6, as virtio-scsi-pci, on a virtio-bus. State: complete,
/// with the commands under way. Missing: what virtio-scsi-pci lacks of it; of QEMU's: use-started,
/// use-disabled-flag, x-disable-legacy-check.
struct ScsiOnBus {
  static constexpr std::string_view kName = "virtio-scsi-device",
                                    kHelp = "virtio SCSI host on a virtio-bus";
  using Function = VirtioScsi;
};

const RegisterType<VirtioDeviceType<BlkOnBus>> blk_device;
const RegisterType<VirtioDeviceType<NetOnBus>> net_device;
const RegisterType<VirtioDeviceType<RngOnBus>> rng_device;
const RegisterType<VirtioDeviceType<BalloonOnBus>> balloon_device;
const RegisterType<VirtioDeviceType<SerialOnBus>> serial_device;
const RegisterType<VirtioDeviceType<KeyboardOnBus>> keyboard_device;
const RegisterType<VirtioDeviceType<MouseOnBus>> mouse_device;
const RegisterType<VirtioDeviceType<TabletOnBus>> tablet_device;
const RegisterType<VirtioDeviceType<ScsiOnBus>> scsi_device;

}  // namespace
}  // namespace rhea::hw
