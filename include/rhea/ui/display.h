// SPDX-License-Identifier: GPL-2.0-or-later
// Display back ends: windows, terminals, servers that show a machine's consoles. Each registers
// itself by name:
//
//   const RegisterDisplay curses{{.name = "curses", .help = "…", .make = &make_curses}};
#pragma once

#include "rhea/softmmu/machine.h"
#include "rhea/util/keyval.h"

#include <memory>
#include <string_view>
#include <vector>

namespace rhea {

/// A chosen display. Main loop, under the machine's lock; destroyed when the machine ends, while
/// its consoles stand.
class DisplayBackend {
 public:
  virtual ~DisplayBackend() = default;
  /// The machine is complete and about to run: show it.
  virtual Result<> start() = 0;
};

struct DisplayType {
  std::string_view name;
  std::string_view help;  ///< its syntax after the name and what it does
  /// Takes its keys out of `options`; nothing is shown yet.
  Result<std::unique_ptr<DisplayBackend>> (*make)(Machine& machine, KeyValues& options){};
};

class RegisterDisplay {
 public:
  explicit RegisterDisplay(const DisplayType& type);
  RegisterDisplay(const RegisterDisplay&) = delete;
  RegisterDisplay& operator=(const RegisterDisplay&) = delete;
  const DisplayType& type() const { return type_; }

 private:
  DisplayType type_;
};

/// Sorted by name.
std::vector<const DisplayType*> display_types();

/// The machine's display, if it has one.
class Displays final : public MachineService {
 public:
  explicit Displays(Machine& machine);
  /// Ends the display.
  void shutdown() override;

  /// `type[,key=value…]` as -display takes it; replaces what was selected before.
  Result<> select(std::string_view text);
  /// Whether -display (or an option that stands for it) was given.
  bool selected() const { return !name_.empty(); }
  /// Without that, the screen comes to the terminal where the program has one for itself; where
  /// not, one line says so. To be called before the machine is ready.
  void show_by_default() { by_default_ = true; }
  const std::string& name() const { return name_; }

 private:
  void start();
  void choose();
  std::string why_no_terminal() const;

  Machine* machine_;
  std::string name_;
  bool by_default_{false};
  std::unique_ptr<DisplayBackend> backend_;
};

}  // namespace rhea
