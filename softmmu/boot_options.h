// SPDX-License-Identifier: GPL-2.0-or-later
// What -boot says.
#pragma once

#include "rhea/softmmu/machine.h"
#include "rhea/util/keyval.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rhea {

/// Main thread; the board reads it when it is built.
struct BootOptions final : MachineService {
  explicit BootOptions(Machine&) {}

  std::optional<std::string> order;  ///< drive letters; the board knows its usual ones
  std::string once;                  ///< instead of them until the guest resets
  bool menu{false};
  bool strict{false};                    ///< boot from nothing but what has a boot index
  std::string splash;                    ///< a picture's file
  std::optional<u16> splash_ms;          ///< how long the menu or the picture stays
  std::optional<i32> reboot_timeout_ms;  ///< -1: never start again when nothing could be booted

  /// Several -boot add up; later values win. Errors name the parameter.
  Result<> add(KeyValues values);
  /// Gives the running machine another order, for good (the monitor's boot_set); the board puts it
  /// here. Errors say what is wrong with the letters.
  std::function<Result<>(std::string_view order)> set_order;
};

}  // namespace rhea
