// SPDX-License-Identifier: GPL-2.0-or-later
// The processors that -cpu names.
#include "target/x86/models.h"

#include "rhea/softmmu/machine.h"

namespace rhea::x86 {

Result<CpuModel> make_model(Machine&) {
  CpuModel model;
  model.name = "qemu64";
  model.brand = "QEMU Virtual CPU version 2.5+";
  for (const Feature feature :
       {Feature::Fpu, Feature::De, Feature::Pse, Feature::Tsc, Feature::Msr, Feature::Pae,
        Feature::Mce, Feature::Cx8, Feature::Apic, Feature::Sep, Feature::Mtrr, Feature::Pge,
        Feature::Mca, Feature::Cmov, Feature::Pat, Feature::Pse36, Feature::Clflush, Feature::Mmx,
        Feature::Fxsr, Feature::Sse, Feature::Sse2, Feature::Sse3, Feature::Cx16, Feature::X2apic,
        Feature::Hypervisor, Feature::Syscall, Feature::Nx, Feature::Lm, Feature::LahfLm})
    model.set(feature);
  return model;
}

}  // namespace rhea::x86
