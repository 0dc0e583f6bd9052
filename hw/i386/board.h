// SPDX-License-Identifier: GPL-2.0-or-later
// Boards, and -machine.
#pragma once

#include "hw/i386/board_versions.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/machine.h"

#include <string>
#include <string_view>
#include <vector>

namespace rhea::hw {

/// A machine type: puts the devices of one kind of computer into a machine.
class Board : public Object {
 public:
  static constexpr std::string_view kName = "machine";
  using Extendable = Board;
  /// Called once, after the accelerator was chosen.
  virtual Result<> build() = 0;

 protected:
  using Settings = std::vector<std::pair<std::string, Value>>;
  /// Makes, sets, plugs and realizes one device of the board; `id` as the user gave it.
  Result<Device*> add(std::string_view type, Bus* bus, const Settings& settings = {},
                      std::string_view name = {}, const std::string& id = {});
  /// Of a board without a graphics card of its own and without an order of drives by letters:
  /// warns of -vga and -boot order=, which do nothing there; -boot once= is an error.
  Result<> tell_of_unused_options();
  /// Those that -serial names, and the usual one without; `most` of them.
  Result<> add_serial_ports(Bus* isa, unsigned most);
};

/// What -machine said; the accelerators it names go to the accelerator service.
class BoardService final : public MachineService {
 public:
  explicit BoardService(Machine&) {}
  std::string type{"pc"};
  BoardVersion version;    ///< settled by choose_board
  bool wants_help{false};  ///< -machine NAME,help
  std::vector<std::pair<std::string, std::string>> properties;
  Board* board{};
};

/// What a tool hears of a board.
struct BoardInfo {
  std::string name;
  std::string_view alias;  ///< a second name, or empty
  bool is_default{false};
  bool deprecated{false};
  unsigned max_cpus{255};
  bool numa_mem{false};  ///< takes -numa node,mem=
};
std::vector<BoardInfo> boards();

/// Makes sure that there is a board of the name that -machine gives, settles what -smp left open by
/// its rules, and lets devices look as they did in its release; prints its properties if help is
/// wanted. After the options, before the accelerator.
Result<> choose_board(Machine& machine);
/// Makes the board that -machine names (default pc) and builds it.
Result<> build_board(Machine& machine);

}  // namespace rhea::hw
