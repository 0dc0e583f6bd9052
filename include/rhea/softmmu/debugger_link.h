// SPDX-License-Identifier: GPL-2.0-or-later
// Where a debugger's server meets the rest of the machine: the monitors, which stand beside it, and
// those processors that it wants to stay where they are.
#pragma once

#include "rhea/softmmu/machine.h"
#include "rhea/util/error.h"

#include <functional>
#include <string>
#include <vector>

namespace rhea {

/// machine.service<DebuggerLink>(). Each function is set by the part that does it, once at
/// start-up, and called on the main loop; an empty one: this machine has no such part.
class DebuggerLink final : public MachineService {
 public:
  explicit DebuggerLink(Machine&) {}

  /// Runs a line of the human monitor; what it printed.
  std::function<std::string(const std::string& line)> run_command;
  /// Listens for a debugger on a character device as -gdb names it instead of where it did; "none":
  /// nowhere.
  std::function<Result<>(const std::string& device)> serve;
  /// Which registers the next debugger to connect is told of: "auto" (by the processor's mode),
  /// "x86-64", "i386", "i8086". Empty: says which those are.
  std::function<Result<std::string>(const std::string& layout)> choose_layout;

  /// By CPU index: whether it stays out of the guest when a machine that stands goes on.
  std::vector<bool> held;
  /// Resumes all others.
  void let_go(const std::vector<std::unique_ptr<Vcpu>>& vcpus) const {
    for (const auto& vcpu : vcpus)
      if (vcpu->index() >= held.size() || !held[vcpu->index()]) vcpu->resume();
  }
};

}  // namespace rhea
