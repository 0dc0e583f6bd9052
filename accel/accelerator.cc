// SPDX-License-Identifier: GPL-2.0-or-later
// Choosing an accelerator and making its vCPUs.
#include "accel/accelerator.h"

#include "rhea/util/keyval.h"
#include "rhea/util/log.h"
#include "rhea/util/option.h"

#include <algorithm>

namespace rhea::accel {
namespace {

// QEMU's names, with ours beside them.
std::string_view canonical(std::string_view name) { return name == "jit" ? "tcg" : name; }

std::string known_accelerators() {
  std::string names;
  for (const TypeInfo* type : all_types())
    if (!type->is_abstract && type->is_a(Accelerator::kName))
      names += (names.empty() ? "" : ", ") +
               type->name.substr(0, type->name.size() - std::string_view("-accel").size());
  return names;
}

/// "kvm,kernel-irqchip=split" as an object with its properties set.
Result<std::unique_ptr<Accelerator>> make_accelerator(Machine& machine, std::string_view text) {
  KeyValues options = TRY(KeyValues::parse(text, "accel"));
  const std::string name(canonical(options.take("accel").value_or("")));
  const TypeInfo* type = find_type(name + "-accel");
  if (type == nullptr && name == "tcg") return fail("the software CPU (tcg) is not there yet");
  if (type == nullptr || type->is_abstract || !type->is_a(Accelerator::kName))
    return fail("invalid accelerator '{}'; there are: {}", name, known_accelerators());
  std::unique_ptr<Object> object = TRY(machine.make(type->name));
  for (const auto& [key, value] : options.all()) TRY(object->set(key, value));
  return std::unique_ptr<Accelerator>(static_cast<Accelerator*>(object.release()));
}

Result<> accel_option(Machine& machine, const std::string& text) {
  if (text == "help" || text == "?") {
    fmt::print("Accelerators supported in this program:\n");
    for (const TypeInfo* type : all_types())
      if (!type->is_abstract && type->is_a(Accelerator::kName))
        fmt::print("{:<8} {}\n", type->name.substr(0, type->name.find("-accel")), type->help);
    throw ExitRequest{};
  }
  machine.service<AccelService>().add_candidates(text);
  return {};
}

const RegisterAbstractType<Accelerator, Object> registration;
const RegisterOption option{
    {.name = "accel",
     .argument = "name[:name...][,prop=value...]",
     .help = "what runs the guest's CPUs, the first of the list that works here (help lists them)",
     .phase = StartPhase::Accelerator,
     .apply = &accel_option}};

}  // namespace

AccelService::AccelService(Machine& machine) : machine_(&machine) {}

AccelService::~AccelService() {
  machine_->stop_vcpus();
  vcpus_.clear();
  vm_.reset();
}

void AccelService::add_candidates(std::string_view list) {
  for (auto end = list.find_first_of(":,"); end != std::string_view::npos && list[end] == ':';
       end = list.find_first_of(":,")) {
    candidates_.emplace_back(list.substr(0, end));
    list.remove_prefix(end + 1);
  }
  candidates_.emplace_back(list);
}

Result<> AccelService::select() {
  if (candidates_.empty()) candidates_ = {"kvm", "tcg"};
  std::vector<std::string> reasons;
  for (const std::string& candidate : candidates_) {
    auto accelerator = make_accelerator(*machine_, candidate);
    if (!accelerator) {
      reasons.push_back(accelerator.error().message());
      continue;
    }
    auto vm = (*accelerator)->create_vm(*machine_);
    if (!vm) {
      reasons.push_back(vm.error().message());
      continue;
    }
    for (const std::string& reason : reasons)
      report_warning(fmt::format("{}; falling back to {}", reason, (*accelerator)->short_name()));
    vm_ = std::move(*vm);
    accelerator_ = &machine_->container("/machine").add_child("accel", std::move(*accelerator));
    return {};
  }
  std::string all;
  for (const std::string& reason : reasons) all += (all.empty() ? "" : "; ") + reason;
  return fail("-accel: {}", all);
}

Result<> AccelService::create_vcpus() {
  TRY(vm_->board_ready());
  if (!vm_->runs_code()) return {};
  for (unsigned index = 0; index < machine_->config.cpus; ++index) {
    vcpus_.push_back(TRY(vm_->create_vcpu(index)));
    machine_->add_vcpu(*vcpus_.back());
  }
  machine_->on_reset([this](ResetKind kind) {
    for (unsigned index = 0; index < vcpus_.size(); ++index)
      machine_->vcpus()[index]->run_on([this, index, kind] { vcpus_[index]->reset(kind); });
  });
  return {};
}

Result<x86::CpuState> AccelService::cpu_state(unsigned index) const {
  if (index >= vcpus_.size()) return fail("there is no CPU {}", index);
  x86::CpuState state;
  Result<> result;
  machine_->vcpus()[index]->run_on([&] { result = vcpus_[index]->get_state(state); });
  TRY(std::move(result));
  return state;
}

}  // namespace rhea::accel
