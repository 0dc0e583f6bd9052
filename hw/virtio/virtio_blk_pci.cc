// SPDX-License-Identifier: GPL-2.0-or-later
// The block device as a PCI device.
#include "hw/virtio/virtio_blk.h"
#include "hw/virtio/virtio_pci.h"

namespace rhea::hw {
namespace {

/// Spec: OASIS Virtual I/O Device 1.2, 5.2, on PCI (4.1): modern, legacy or both. Reads, writes,
/// flushes, discards and zeroes of any length, in pieces of 1 MiB; 1024 requests and 32 MiB under
/// way at most, those that a reset forgot among them. State: complete, with the requests that an
/// error has stopped. Missing: lifetime, secure erase, zoned disks, SCSI commands; of QEMU's:
/// everything of PCI Express (aer, ats, x-pcie-…), which the board does not have, and iothread,
/// share-rw, account-…, backend_defaults, lcyls, lheads, lsecs, failover_pair_id, acpi-index,
/// migrate-extra, x-disable-legacy-check, x-enable-wce-if-config-wce.
class VirtioBlkBase : public VirtioPci, public VirtioBlk {
 public:
  static constexpr std::string_view kName = "virtio-blk-pci-base";
  using Extendable = VirtioBlkBase;
  static void describe(Schema<VirtioBlkBase>& s) {
    s.help("virtio disk");
    VirtioBlk::declare(s);
  }

 protected:
  explicit VirtioBlkBase(VirtioInterfaces interfaces)
      : VirtioPci(*this, kVectorPerQueue, interfaces) {}
};

class VirtioBlkPci final : public VirtioBlkBase {
 public:
  static constexpr std::string_view kName = "virtio-blk-pci";
  static void describe(Schema<VirtioBlkPci>& s) { s.help("virtio disk"); }
  VirtioBlkPci() : VirtioBlkBase(VirtioInterfaces::AsAsked) {}
};

class VirtioBlkPciTransitional final : public VirtioBlkBase {
 public:
  static constexpr std::string_view kName = "virtio-blk-pci-transitional";
  static void describe(Schema<VirtioBlkPciTransitional>& s) {
    s.help("virtio disk for old and new drivers");
  }
  VirtioBlkPciTransitional() : VirtioBlkBase(VirtioInterfaces::Transitional) {}
};

class VirtioBlkPciModern final : public VirtioBlkBase {
 public:
  static constexpr std::string_view kName = "virtio-blk-pci-non-transitional";
  static void describe(Schema<VirtioBlkPciModern>& s) { s.help("virtio disk for new drivers"); }
  VirtioBlkPciModern() : VirtioBlkBase(VirtioInterfaces::ModernOnly) {}
};

const RegisterAbstractType<VirtioBlkBase, VirtioPci> base;
const RegisterType<VirtioBlkPci> usual;
const RegisterType<VirtioBlkPciTransitional> transitional;
const RegisterType<VirtioBlkPciModern> modern;

}  // namespace
}  // namespace rhea::hw
