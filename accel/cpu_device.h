// SPDX-License-Identifier: GPL-2.0-or-later
// A processor as an object of the machine: what snapshots and QMP see of it.
#pragma once

#include "rhea/qom/device.h"
#include "rhea/qom/schema.h"
#include "target/x86/cpu_state.h"
#include "target/x86/models.h"

namespace rhea::accel {

class VcpuBackend;

/// What all processors of a machine are.
struct CpuKind {
  std::string model;  ///< as -cpu names it
  bool migratable{};
  x86::ModelFit fit;
};

/// A processor of any accelerator. Its types are named after the models ("Haswell-x86_64-cpu"); its
/// properties are the features that the guest finds.
/// State: the whole architectural state, which another accelerator may load. Missing: nothing.
class CpuDevice final : public Device {
 public:
  static constexpr std::string_view kName = "x86_64-cpu";
  using Extendable = CpuDevice;
  static void describe(Schema<CpuDevice>& s);

  /// `vcpu` lives as long as the machine's state is saved or loaded.
  void set_vcpu(VcpuBackend& vcpu, u32 apic_id, const CpuKind& kind);

  /// While the vCPU has not run since, what was loaded is what is saved.
  void pre_save() override;
  Result<> post_load(unsigned version) override;

 private:
  void on_thread(const std::function<void()>& work);

  VcpuBackend* vcpu_{};
  u32 apic_id_{};
  bool migratable_{};
  x86::CpuidBitSet features_, absent_;
  x86::CpuState state_;
};

/// "-x86_64-cpu", behind a model's name.
inline constexpr std::string_view kCpuTypeSuffix = "-x86_64-cpu";

/// Gives the machine an object for its vCPU of that index.
Result<CpuDevice*> add_cpu_device(Machine& machine, VcpuBackend& vcpu, unsigned index,
                                  const CpuKind& kind);

}  // namespace rhea::accel
