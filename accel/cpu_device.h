// SPDX-License-Identifier: GPL-2.0-or-later
// A processor as an object of the machine: what snapshots and QMP see of it.
#pragma once

#include "rhea/qom/device.h"
#include "rhea/qom/schema.h"
#include "target/x86/cpu_state.h"

namespace rhea::accel {

class VcpuBackend;

/// A processor of any accelerator.
/// State: the whole architectural state, which another accelerator may load. Missing: nothing.
class CpuDevice final : public Device {
 public:
  static constexpr std::string_view kName = "x86_64-cpu";
  static void describe(Schema<CpuDevice>& s);

  /// `vcpu` lives as long as the machine's state is saved or loaded.
  void set_vcpu(VcpuBackend& vcpu, u32 apic_id);

  /// While the vCPU has not run since, what was loaded is what is saved.
  void pre_save() override;
  Result<> post_load(unsigned version) override;

 private:
  void on_thread(const std::function<void()>& work);

  VcpuBackend* vcpu_{};
  u32 apic_id_{};
  x86::CpuState state_;
};

/// Gives the machine an object for its vCPU of that index.
Result<CpuDevice*> add_cpu_device(Machine& machine, VcpuBackend& vcpu, unsigned index);

}  // namespace rhea::accel
