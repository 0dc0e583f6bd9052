// SPDX-License-Identifier: GPL-2.0-or-later
// -enable-kvm, the old spelling of -machine accel=kvm.
#include "accel/accelerator.h"
#include "rhea/util/option.h"

namespace rhea::accel {
namespace {

Result<> enable_kvm(Machine& machine, const std::string&) {
  machine.service<AccelService>().set_candidates("kvm");
  return {};
}

const RegisterOption option{{.name = "enable-kvm",
                             .argument = "",
                             .help = "the same as -machine accel=kvm",
                             .phase = StartPhase::Accelerator,
                             .apply = &enable_kvm}};

}  // namespace
}  // namespace rhea::accel
