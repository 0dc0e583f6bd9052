// SPDX-License-Identifier: GPL-2.0-or-later
// The devices that a machine has although nobody asked for them.
#pragma once

#include "rhea/softmmu/machine.h"

#include <string_view>

namespace rhea {

/// Which of them the machine still gets. Options take them away before the board is built; main
/// thread.
struct DefaultDevices final : MachineService {
  explicit DefaultDevices(Machine&) {}

  bool serial{true}, parallel{true}, floppy{true}, cdrom{true}, vga{true};
  bool vga_asked{};  ///< -vga names a card
  /// A card on a user network, when nothing was said of networks.
  bool network{true};
  bool monitor{true};  ///< -nographic's, on the terminal

  /// -nodefaults.
  void take_all();
  /// -device or -global names `driver`: the default device that it stands in for goes.
  void user_named(std::string_view driver);
};

}  // namespace rhea
