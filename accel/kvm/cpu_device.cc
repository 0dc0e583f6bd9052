// SPDX-License-Identifier: GPL-2.0-or-later
// The processor object.
#include "accel/kvm/cpu_device.h"

#include "accel/kvm/vcpu.h"
#include "rhea/qom/registry.h"
#include "rhea/util/log.h"

namespace rhea::kvm {

void CpuDevice::describe(Schema<CpuDevice>& s) {
  s.help("the host's processor, run by KVM");
  s.board_only();
  s.computed("apic-id", "uint32", [](const CpuDevice& cpu) {
     return Value(cpu.vcpu_ != nullptr ? u64{cpu.vcpu_->handle().id} : u64{0});
   }).help("number of its local APIC");
  s.state("cpu", &CpuDevice::state_);
}

CpuDevice::~CpuDevice() {
  if (vcpu_ != nullptr) vcpu_->set_device(nullptr);
}

void CpuDevice::set_vcpu(KvmVcpu& vcpu) {
  vcpu_ = &vcpu;
  vcpu.set_device(this);
}

void CpuDevice::on_thread(const std::function<void()>& work) {
  for (const auto& vcpu : machine().vcpus())
    if (&vcpu->runner() == static_cast<VcpuRunner*>(vcpu_)) return vcpu->run_on(work);
  work();
}

void CpuDevice::pre_save() {
  if (vcpu_ == nullptr || !vcpu_->touched()) return;
  on_thread([this] {
    if (auto result = vcpu_->get_state(state_); !result) report_error(result.error().message());
    vcpu_->clear_touched();
  });
}

Result<> CpuDevice::post_load(unsigned) {
  if (vcpu_ == nullptr) return {};
  Result<> result;
  on_thread([&] {
    result = vcpu_->set_state(state_);
    vcpu_->clear_touched();
  });
  return result;
}

namespace {
const RegisterType<CpuDevice> registration;
}  // namespace

}  // namespace rhea::kvm
