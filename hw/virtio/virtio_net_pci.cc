// SPDX-License-Identifier: GPL-2.0-or-later
// The network device as a PCI device.
#include "hw/virtio/virtio_net.h"
#include "hw/virtio/virtio_pci.h"

namespace rhea::hw {
namespace {

/// Spec: OASIS Virtual I/O Device 1.2, 5.1, on PCI (4.1): modern, legacy or both. Checksums, TCP
/// segments and UDP fragments are made here; received checksums are checked; filters, commands,
/// several pairs of queues where the back end has them. State: complete, with a frame that is being
/// cut. Missing: large received segments, frames of more than 16 KiB, RSS and hashes; of QEMU's:
/// everything of PCI Express (aer, ats, x-pcie-…), which the board does not have, and failover,
/// guest_rsc_ext, hash, rss, rsc_interval, x-mtu-bypass-backend, failover_pair_id, acpi-index,
/// migrate-extra, x-disable-legacy-check.
class VirtioNetBase : public VirtioPci, public VirtioNet {
 public:
  static constexpr std::string_view kName = "virtio-net-pci-base";
  using Extendable = VirtioNetBase;
  static void describe(Schema<VirtioNetBase>& s) {
    s.help("virtio network card");
    VirtioNet::declare(s);
  }

 protected:
  explicit VirtioNetBase(VirtioInterfaces interfaces)
      : VirtioPci(*this, kVectorPerQueue, interfaces) {}
};

class VirtioNetPci final : public VirtioNetBase {
 public:
  static constexpr std::string_view kName = "virtio-net-pci";
  static void describe(Schema<VirtioNetPci>& s) { s.help("virtio network card"); }
  VirtioNetPci() : VirtioNetBase(VirtioInterfaces::AsAsked) {}
};

class VirtioNetPciTransitional final : public VirtioNetBase {
 public:
  static constexpr std::string_view kName = "virtio-net-pci-transitional";
  static void describe(Schema<VirtioNetPciTransitional>& s) {
    s.help("virtio network card for old and new drivers");
  }
  VirtioNetPciTransitional() : VirtioNetBase(VirtioInterfaces::Transitional) {}
};

class VirtioNetPciModern final : public VirtioNetBase {
 public:
  static constexpr std::string_view kName = "virtio-net-pci-non-transitional";
  static void describe(Schema<VirtioNetPciModern>& s) {
    s.help("virtio network card for new drivers");
  }
  VirtioNetPciModern() : VirtioNetBase(VirtioInterfaces::ModernOnly) {}
};

const RegisterAbstractType<VirtioNetBase, VirtioPci> net_base;
const RegisterType<VirtioNetPci> net_usual;
const RegisterType<VirtioNetPciTransitional> net_transitional;
const RegisterType<VirtioNetPciModern> net_modern;

}  // namespace
}  // namespace rhea::hw
