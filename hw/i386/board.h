// SPDX-License-Identifier: GPL-2.0-or-later
// Boards, and -machine.
#pragma once

#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"

#include <string>

namespace rhea::hw {

/// A machine type: puts the devices of one kind of computer into a machine.
class Board : public Object {
 public:
  static constexpr std::string_view kName = "machine";
  using Extendable = Board;
  /// Called once, after the accelerator was chosen.
  virtual Result<> build() = 0;
};

/// What -machine said; the accelerators it names go to the accelerator service.
class BoardService final : public MachineService {
 public:
  explicit BoardService(Machine&) {}
  std::string type{"pc"};
  std::vector<std::pair<std::string, std::string>> properties;
  Board* board{};
};

/// Makes sure that there is a board of the name that -machine gives, and settles what -smp left
/// open by its rules. After the options, before the accelerator.
Result<> choose_board(Machine& machine);
/// Makes the board that -machine names (default pc) and builds it.
Result<> build_board(Machine& machine);

}  // namespace rhea::hw
