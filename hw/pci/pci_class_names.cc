// SPDX-License-Identifier: GPL-2.0-or-later
// How firmware names PCI devices by their class (PCI bus binding to Open Firmware, 2.1, "name").
#include "rhea/hw/pci.h"

#include <algorithm>
#include <array>

namespace rhea {
namespace {

struct ClassName {
  u16 klass;  ///< base class and subclass
  std::string_view name;
};

constexpr std::array kClassNames = {
    ClassName{0x0001, "display"},
    ClassName{0x0100, "scsi"},
    ClassName{0x0101, "ide"},
    ClassName{0x0102, "fdc"},
    ClassName{0x0103, "ipi"},
    ClassName{0x0104, "raid"},
    ClassName{0x0200, "ethernet"},
    ClassName{0x0201, "token-ring"},
    ClassName{0x0202, "fddi"},
    ClassName{0x0203, "atm"},
    ClassName{0x0400, "video"},
    ClassName{0x0401, "sound"},
    ClassName{0x0500, "memory"},
    ClassName{0x0501, "flash"},
    ClassName{0x0600, "host"},
    ClassName{0x0601, "isa"},
    ClassName{0x0602, "eisa"},
    ClassName{0x0603, "mca"},
    ClassName{0x0604, "pci-bridge"},
    ClassName{0x0605, "pcmcia"},
    ClassName{0x0606, "nubus"},
    ClassName{0x0607, "cardbus"},
    ClassName{0x0700, "serial"},
    ClassName{0x0701, "parallel"},
    ClassName{0x0800, "interrupt-controller"},
    ClassName{0x0801, "dma-controller"},
    ClassName{0x0802, "timer"},
    ClassName{0x0803, "rtc"},
    ClassName{0x0900, "keyboard"},
    ClassName{0x0901, "pen"},
    ClassName{0x0902, "mouse"},
    ClassName{0x0a00, "dock"},
    ClassName{0x0b00, "cpu"},
    ClassName{0x0c00, "firewire"},
    ClassName{0x0c01, "access-bus"},
    ClassName{0x0c02, "ssa"},
    ClassName{0x0c03, "usb"},
    ClassName{0x0c04, "fibre-channel"},
};

}  // namespace

std::string PciDevice::firmware_name() const {
  const u16 klass = config16(pci::kSubclass);
  const auto row = std::ranges::find(kClassNames, klass, &ClassName::klass);
  const std::string name =
      row != kClassNames.end()
          ? std::string(row->name)
          : fmt::format("pci{:x},{:x}", config16(pci::kVendorId), config16(pci::kDeviceId));
  return function() == 0 ? fmt::format("{}@{:x}", name, slot())
                         : fmt::format("{}@{:x},{:x}", name, slot(), function());
}

}  // namespace rhea
