// SPDX-License-Identifier: GPL-2.0-or-later
// Choosing an accelerator and making its vCPUs.
#include "accel/accelerator.h"

#include "accel/cpu_device.h"
#include "accel/icount.h"
#include "accel/model_fit.h"
#include "rhea/softmmu/actions.h"
#include "rhea/util/keyval.h"
#include "rhea/util/known_names.h"
#include "rhea/util/log.h"
#include "rhea/util/option.h"
#include "softmmu/device_threads.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

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

const TypeInfo* find_accelerator(std::string_view name) {
  const TypeInfo* type = find_type(std::string(canonical(name)) + "-accel");
  return type != nullptr && !type->is_abstract && type->is_a(Accelerator::kName) ? type : nullptr;
}

/// "kvm,kernel-irqchip=split" as an object with its properties set; null where this program has no
/// such accelerator. What is wrong with a property is an error, whatever else there is to try.
Result<std::unique_ptr<Accelerator>> make_accelerator(Machine& machine, std::string_view text) {
  KeyValues options = TRY(KeyValues::parse(text, "accel"));
  const TypeInfo* type = find_accelerator(options.take("accel").value_or(""));
  if (type == nullptr) return nullptr;
  std::unique_ptr<Object> object = TRY(machine.make(type->name));
  for (const auto& [key, value] : options.all()) TRY(object->set(key, value));
  return std::unique_ptr<Accelerator>(static_cast<Accelerator*>(object.release()));
}

std::vector<std::string> parse_candidates(std::string_view list) {
  std::vector<std::string> all;
  for (auto end = list.find_first_of(":,"); end != std::string_view::npos && list[end] == ':';
       end = list.find_first_of(":,")) {
    all.emplace_back(list.substr(0, end));
    list.remove_prefix(end + 1);
  }
  all.emplace_back(list);
  return all;
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
  let_go();
}

// Processors and what they share use services that are made later than this one, and so end before.
void AccelService::objects_gone() { let_go(); }

void AccelService::let_go() {
  vcpus_.clear();
  vm_.reset();
}

void AccelService::add_candidates(std::string_view list) {
  added_ = true;
  std::ranges::move(parse_candidates(list), std::back_inserter(candidates_));
}

void AccelService::set_candidates(std::string_view list) {
  set_ = true;
  candidates_ = parse_candidates(list);
}

// Nobody chose: the fastest that really works. An accelerator that is slow here is passed over; it
// runs guests all the same when it is asked for. Either is said once. What is said comes when the
// board stands, so that a wrong command line has its error alone.
Result<> AccelService::select() {
  if (added_ && set_) return fail("The -accel and \"-machine accel=\" options are incompatible");
  const bool by_default = candidates_.empty();
  const auto& count = machine_->service<InstructionCount>();
  if (by_default && count.settings)
    candidates_ = {"tcg"};
  else if (by_default)
    candidates_ = {"kvm", "tcg"};
  std::vector<std::string> reasons;
  for (const std::string& candidate : candidates_) {
    auto accelerator = TRY(make_accelerator(*machine_, candidate));
    if (accelerator == nullptr) {
      const std::string name = candidate.substr(0, candidate.find(','));
      reasons.push_back(with_remark(
          fmt::format("invalid accelerator '{}'; there are: {}", name, known_accelerators()),
          nearest_hint(name, {"kvm", "tcg", "jit", "qtest"})));
      continue;
    }
    const std::string name(accelerator->short_name());
    if (const auto slow = accelerator->why_slow(); by_default && slow) {
      machine_->on_machine_ready(
          [text = fmt::format("{}: the default is tcg here, -accel {} overrides", *slow, name)] {
            report_info(text);
          });
      continue;
    } else if (slow) {
      machine_->on_machine_ready(
          [text = fmt::format("{}: -accel {} is slow here", *slow, name)] { report_info(text); });
    }
    auto vm = accelerator->create_vm(*machine_);
    if (!vm) {
      reasons.push_back(vm.error().message());
      continue;
    }
    machine_->on_machine_ready([reasons, name] {
      for (const std::string& reason : reasons)
        report_warning(fmt::format("{}; falling back to {}", reason, name));
    });
    if (count.settings && !count.obeyed) return fail("-icount is not allowed with -accel {}", name);
    vm_ = std::move(*vm);
    machine_->service<DeviceThreads>().wanted = vm_->runs_code() && !count.settings;
    accelerator_ = &machine_->container("/machine").add_child("accel", std::move(accelerator));
    return {};
  }
  return fail("-accel: {}", fmt::join(reasons, "; "));
}

x86::Topology topology(const MachineConfig& config) {
  return {.cores = config.cores, .threads = config.threads, .dies = config.dies};
}

Result<> AccelService::create_vcpus() {
  TRY(vm_->board_ready());
  if (!vm_->runs_code()) return {};
  const auto& fitting = machine_->service<ModelFitting>();
  const x86::CpuRequest request =
      TRY(x86::cpu_request_or(*machine_, std::string(fitting.default_model)));
  const auto fit = TRY(fitting.fit(request));
  const CpuKind processors{.model = request.name, .migratable = request.migratable, .fit = fit};
  for (unsigned index = 0; index < machine_->config.cpus; ++index) {
    vcpus_.push_back(TRY(vm_->create_vcpu(index)));
    machine_->add_vcpu(*vcpus_.back());
    devices_.push_back(TRY(add_cpu_device(*machine_, *vcpus_.back(), index, processors)));
  }
  machine_->service<MachineActions>().inject_nmi = [this] {
    for (unsigned index = 0; index < vcpus_.size(); ++index)
      machine_->vcpus()[index]->run_on([this, index] { vcpus_[index]->inject_nmi(); });
  };
  machine_->on_reset([this](ResetKind kind) {
    for (unsigned index = 0; index < vcpus_.size(); ++index)
      machine_->vcpus()[index]->run_on([this, index, kind] {
        if (log_enabled(LogItem::CpuReset)) log_registers(index);
        vcpus_[index]->reset(kind);
      });
  });
  return {};
}

// For -d cpu_reset: what the processor was doing.
void AccelService::log_registers(unsigned index) const {
  x86::CpuState state;
  if (vcpus_[index]->get_state(state))
    log_write(fmt::format("CPU Reset (CPU {})\n", index) + x86::format_core_registers(state) +
              x86::format_fpu_registers(state));
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
