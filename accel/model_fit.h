// SPDX-License-Identifier: GPL-2.0-or-later
// What the processor models of -cpu come to on the accelerator that a machine has.
#pragma once

#include "rhea/softmmu/machine.h"
#include "target/x86/models.h"

#include <functional>

namespace rhea::accel {

/// machine.service<ModelFitting>(). The software processor's answers, unless the accelerator puts
/// its own here when its VM is made. Main thread.
struct ModelFitting final : MachineService {
  explicit ModelFitting(Machine&) {}

  /// The model without -cpu.
  std::string_view default_model{x86::kDefaultModel};
  /// Warns of nothing.
  std::function<Result<x86::ModelFit>(const x86::CpuRequest&)> fit = &x86::fit_software;
};

}  // namespace rhea::accel
