// SPDX-License-Identifier: GPL-2.0-or-later
// The virtio devices that plug into virtio-mmio's buses.
#include "hw/virtio/virtio_blk.h"
#include "hw/virtio/virtio_device.h"
#include "hw/virtio/virtio_net.h"
#include "hw/virtio/virtio_rng.h"

namespace rhea::hw {
namespace {

/// Spec: OASIS Virtual I/O Device 1.2, 5.2, as virtio-blk-pci, on a virtio-bus. State: complete,
/// with the requests that an error has stopped. Missing: what virtio-blk-pci lacks of it; of
/// QEMU's: share-rw, account-…, backend_defaults, lcyls, lheads, lsecs, use-started,
/// use-disabled-flag, x-disable-legacy-check, x-enable-wce-if-config-wce.
class VirtioBlkDevice final : public VirtioDeviceOf<VirtioBlk> {
 public:
  static constexpr std::string_view kName = "virtio-blk-device";
  static void describe(Schema<VirtioBlkDevice>& s) {
    s.help("virtio disk on a virtio-bus");
    VirtioBlk::declare(s);
  }
};

/// Spec: OASIS Virtual I/O Device 1.2, 5.1, as virtio-net-pci, on a virtio-bus. State: complete,
/// with a frame that is being cut. Missing: what virtio-net-pci lacks of it; of QEMU's: failover,
/// guest_rsc_ext, hash, rss, rsc_interval, use-started, use-disabled-flag, x-mtu-bypass-backend,
/// x-disable-legacy-check.
class VirtioNetDevice final : public VirtioDeviceOf<VirtioNet> {
 public:
  static constexpr std::string_view kName = "virtio-net-device";
  static void describe(Schema<VirtioNetDevice>& s) {
    s.help("virtio network card on a virtio-bus");
    VirtioNet::declare(s);
  }
};

/// Spec: OASIS Virtual I/O Device 1.2, 5.4, as virtio-rng-pci, on a virtio-bus. State: complete.
/// Missing of QEMU's: use-started, use-disabled-flag, x-disable-legacy-check.
class VirtioRngDevice final : public VirtioDeviceOf<VirtioRng> {
 public:
  static constexpr std::string_view kName = "virtio-rng-device";
  static void describe(Schema<VirtioRngDevice>& s) {
    s.help("virtio entropy device on a virtio-bus");
    VirtioRng::declare(s);
  }
};

const RegisterType<VirtioBlkDevice> blk_device;
const RegisterType<VirtioNetDevice> net_device;
const RegisterType<VirtioRngDevice> rng_device;

}  // namespace
}  // namespace rhea::hw
