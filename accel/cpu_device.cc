// SPDX-License-Identifier: GPL-2.0-or-later
// The processor object.
#include "accel/cpu_device.h"

#include "accel/accelerator.h"
#include "rhea/qom/registry.h"
#include "rhea/util/log.h"

namespace rhea::accel {

void CpuDevice::describe(Schema<CpuDevice>& s) {
  s.help("a processor, as the accelerator runs it");
  s.board_only();
  s.computed("apic-id", "uint32", [](const CpuDevice& cpu) {
     return Value(u64{cpu.apic_id_});
   }).help("number of its local APIC");
  s.state("cpu", &CpuDevice::state_);
}

void CpuDevice::set_vcpu(VcpuBackend& vcpu, u32 apic_id) {
  vcpu_ = &vcpu;
  apic_id_ = apic_id;
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

Result<CpuDevice*> add_cpu_device(Machine& machine, VcpuBackend& vcpu, unsigned index) {
  auto object = TRY(machine.make(CpuDevice::kName));
  auto* device = static_cast<CpuDevice*>(object.get());
  device->set_vcpu(vcpu, topology(machine.config).apic_id(index));
  TRY(machine.add_device(std::move(object), nullptr));
  return device;
}

namespace {
const RegisterType<CpuDevice> registration;
}  // namespace

}  // namespace rhea::accel
