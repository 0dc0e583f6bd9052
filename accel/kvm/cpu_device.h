// SPDX-License-Identifier: GPL-2.0-or-later
// A processor on KVM as an object of the machine: what snapshots and QMP see of it.
#pragma once

#include "rhea/qom/device.h"
#include "rhea/qom/schema.h"
#include "target/x86/cpu_state.h"

namespace rhea::kvm {

class KvmVcpu;

/// The host's processor as KVM virtualises it.
/// State: the whole architectural state. Missing: nothing.
class CpuDevice final : public Device {
 public:
  static constexpr std::string_view kName = "host-x86_64-cpu";
  static void describe(Schema<CpuDevice>& s);

  ~CpuDevice() override;
  void set_vcpu(KvmVcpu& vcpu);
  /// The vCPU goes.
  void forget_vcpu() { vcpu_ = nullptr; }

  /// While the vCPU has not run since, what was loaded is what is saved.
  void pre_save() override;
  Result<> post_load(unsigned version) override;

 private:
  void on_thread(const std::function<void()>& work);

  KvmVcpu* vcpu_{};
  x86::CpuState state_;
};

}  // namespace rhea::kvm
