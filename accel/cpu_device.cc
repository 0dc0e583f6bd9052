// SPDX-License-Identifier: GPL-2.0-or-later
// The processor object.
#include "accel/cpu_device.h"

#include "accel/accelerator.h"
#include "rhea/qom/registry.h"
#include "rhea/softmmu/snapshot.h"

#include <deque>

namespace rhea::accel {
namespace {

/// The names of the bits in a set, commas between them.
std::string names_of(const x86::CpuidBitSet& bits) {
  std::string names;
  const auto rows = x86::cpuid_bits();
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (bits[i]) names += (names.empty() ? "" : ",") + std::string(x86::tool_name(rows[i]));
  return names;
}

}  // namespace

void CpuDevice::describe(Schema<CpuDevice>& s) {
  s.help("a processor, as the accelerator runs it");
  s.board_only();
  s.computed("apic-id", "uint32", [](const CpuDevice& cpu) {
     return Value(u64{cpu.apic_id_});
   }).help("number of its local APIC");
  s.computed("unavailable-features", "strList", [](const CpuDevice& cpu) {
     return Value(names_of(cpu.absent_));
   }).help("what the model has and the accelerator has not");
  s.computed("migratable", "bool", [](const CpuDevice& cpu) {
     return Value(bool{cpu.migratable_});
   }).help("no feature that another host may not have, unless it was asked for by name");
  const auto rows = x86::cpuid_bits();
  for (std::size_t i = 0; i < rows.size(); ++i)
    s.computed(x86::tool_name(rows[i]), "bool",
               [i](const CpuDevice& cpu) { return Value(bool{cpu.features_[i]}); });
  s.state("cpu", &CpuDevice::state_);
}

void CpuDevice::set_vcpu(VcpuBackend& vcpu, u32 apic_id, const CpuKind& kind) {
  vcpu_ = &vcpu;
  apic_id_ = apic_id;
  migratable_ = kind.migratable;
  features_ = kind.fit.features;
  absent_ = kind.fit.absent;
}

void CpuDevice::on_thread(const std::function<void()>& work) {
  for (const auto& vcpu : machine().vcpus())
    if (&vcpu->runner() == static_cast<VcpuRunner*>(vcpu_)) return vcpu->run_on(work);
  work();
}

void CpuDevice::pre_save() {
  if (vcpu_ == nullptr || !vcpu_->touched()) return;
  on_thread([this] {
    if (auto result = vcpu_->get_state(state_); !result)
      machine().service<SaveChecks>().report_failure(std::move(result).error().within(path()));
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

Result<CpuDevice*> add_cpu_device(Machine& machine, VcpuBackend& vcpu, unsigned index,
                                  const CpuKind& kind) {
  auto object = TRY(machine.make(kind.model + std::string(kCpuTypeSuffix)));
  auto* device = static_cast<CpuDevice*>(object.get());
  device->set_vcpu(vcpu, topology(machine.config).apic_id(index), kind);
  TRY(machine.add_device(std::move(object), nullptr));
  return device;
}

namespace {

/// A type for every model. They are one class: what sets them apart is what -cpu makes of the name.
class ModelTypes {
 public:
  ModelTypes() {
    for (const x86::ModelName& model : x86::model_names()) {
      names_.push_back(std::string(model.name) + std::string(kCpuTypeSuffix));
      entries_.emplace_back(names_.back(), CpuDevice::kName, false, &build);
    }
  }

 private:
  static void build(TypeInfo& info) {
    info.help = fmt::format("a processor of the model {}",
                            info.name.substr(0, info.name.size() - kCpuTypeSuffix.size()));
    info.create = [] { return std::unique_ptr<Object>(std::make_unique<CpuDevice>()); };
  }

  std::deque<std::string> names_;
  std::deque<TypeEntry> entries_;
};

const RegisterAbstractType<CpuDevice, Device> registration;
const ModelTypes model_types;

}  // namespace

}  // namespace rhea::accel
