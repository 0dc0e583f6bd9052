// SPDX-License-Identifier: GPL-2.0-or-later
// Which drivers stand in for which default device, and -nodefaults.
#include "softmmu/default_devices.h"

#include "rhea/util/option.h"

#include <algorithm>
#include <array>

namespace rhea {
namespace {

struct StandIn {
  std::string_view driver;
  bool DefaultDevices::* replaces;
};

// As QEMU 7.2 has it. Not in it, and so beside the default device: bochs-display, secondary-vga and
// other second screens, pci-serial, network cards, USB and virtio disks.
constexpr std::array kStandIns = {
    StandIn{"isa-serial", &DefaultDevices::serial},
    StandIn{"isa-parallel", &DefaultDevices::parallel},
    StandIn{"isa-fdc", &DefaultDevices::floppy},
    StandIn{"floppy", &DefaultDevices::floppy},
    StandIn{"ide-cd", &DefaultDevices::cdrom},
    StandIn{"ide-hd", &DefaultDevices::cdrom},
    StandIn{"scsi-cd", &DefaultDevices::cdrom},
    StandIn{"scsi-hd", &DefaultDevices::cdrom},
    StandIn{"VGA", &DefaultDevices::vga},
    StandIn{"isa-vga", &DefaultDevices::vga},
    StandIn{"cirrus-vga", &DefaultDevices::vga},
    StandIn{"isa-cirrus-vga", &DefaultDevices::vga},
    StandIn{"vmware-svga", &DefaultDevices::vga},
    StandIn{"qxl-vga", &DefaultDevices::vga},
    StandIn{"virtio-vga", &DefaultDevices::vga},
    StandIn{"virtio-vga-gl", &DefaultDevices::vga},
    StandIn{"vhost-user-vga", &DefaultDevices::vga},
    StandIn{"ati-vga", &DefaultDevices::vga},
};

Result<> no_defaults(Machine& machine, const std::string&) {
  machine.service<DefaultDevices>().take_all();
  return {};
}

const RegisterOption option{{.name = "nodefaults",
                             .argument = "",
                             .help = "no default devices",
                             .phase = StartPhase::Early,
                             .apply = &no_defaults}};

}  // namespace

void DefaultDevices::take_all() {
  serial = parallel = floppy = cdrom = vga = network = monitor = false;
}

void DefaultDevices::user_named(std::string_view driver) {
  const auto row = std::ranges::find(kStandIns, driver, &StandIn::driver);
  if (row != kStandIns.end()) this->*row->replaces = false;
}

}  // namespace rhea
