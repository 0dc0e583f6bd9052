// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/option_groups.h"

#include <algorithm>
#include <array>

namespace rhea::cli {
namespace {

struct Row {
  std::string_view title;
  std::string_view names;  ///< in the order they are shown, each followed by a blank
};

constexpr std::array kRows = {
    Row{.title = "Standard options",
        .names =
            "h help version machine M cpu accel enable-kvm smp m mem-path mem-prealloc boot "
            "add-fd set global k numa audio audio-help audiodev device device-plugin name uuid "
            "nodefaults "},
    Row{.title = "Block device options",
        .names = "fda fdb hda hdb hdc hdd cdrom blockdev drive snapshot "},
    Row{.title = "Display options", .names = "display nographic vga vnc "},
    Row{.title = "i386 target only", .names = "no-fd-bootchk no-acpi no-hpet acpitable smbios "},
    Row{.title = "Network options", .names = "netdev nic net "},
    Row{.title = "Character device options",
        .names = "chardev serial parallel monitor qmp qmp-pretty mon debugcon echr "},
    Row{.title = "Boot Image or Kernel specific",
        .names = "bios pflash kernel append initrd option-rom fw_cfg L "},
    Row{.title = "Debug/Expert options",
        .names = "compat pidfile S x-snapshot overcommit s gdb d D dfilter seed no-reboot "
                 "no-shutdown action "
                 "watchdog-action "
                 "daemonize rtc icount only-migratable chroot runas sandbox readconfig "
                 "no-user-config trace msg perfmap qtest qtest-log "},
    Row{.title = "Generic object creation", .names = "object "},
};

}  // namespace

std::vector<OptionGroup> option_groups() {
  std::vector<const CommandLineOption*> rest = all_options();
  std::vector<OptionGroup> groups;
  for (const Row& row : kRows) {
    OptionGroup group{.title = row.title, .options = {}};
    for (std::string_view names = row.names; !names.empty();) {
      const auto blank = names.find(' ');
      const CommandLineOption* option = find_option(names.substr(0, blank));
      names.remove_prefix(blank + 1);
      if (option == nullptr) continue;
      group.options.push_back(option);
      std::erase(rest, option);
    }
    if (!group.options.empty()) groups.push_back(std::move(group));
  }
  if (!rest.empty()) groups.push_back({.title = "Other options", .options = std::move(rest)});
  return groups;
}

}  // namespace rhea::cli
