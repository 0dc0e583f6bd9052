// SPDX-License-Identifier: GPL-2.0-or-later
// Setting up a VM: capabilities, kernel pages, listeners, vCPUs.
#include "accel/kvm/vm.h"

#include "accel/kvm/cpu_model.h"
#include "accel/kvm/cpuid.h"
#include "accel/kvm/msrs.h"
#include "accel/kvm/state.h"
#include "accel/kvm/user_apic.h"
#include "accel/kvm/vcpu.h"
#include "accel/model_fit.h"
#include "rhea/util/log.h"
#include "softmmu/host_power.h"
#include "target/x86/models.h"
#include "target/x86/registers.h"

#include <utility>

namespace rhea::kvm {
namespace {

// Pages that KVM takes on processors without real mode: below the firmware, where a PC has nothing.
constexpr u64 kIdentityMap = 0xfeffc000;
constexpr u64 kTaskState = 0xfeffd000;
// All that it supports.
constexpr std::string_view kDefaultModel = "host,migratable=off";

Result<x86::ModelFit> fit(const Vm& vm, const x86::CpuRequest& request) {
  const CpuidPlace place{.topology = accel::topology(vm.machine().config),
                         .apic_id = 0,
                         .local_apic = vm.has_local_apics(),
                         .tsc_deadline = vm.extension(KVM_CAP_TSC_DEADLINE_TIMER) != 0};
  return apply_model(make_cpuid(vm.system().supported_cpuid(), place), request).fit;
}

}  // namespace

struct Vm::Registration final : MachineService {
  explicit Registration(Machine&) {}
  ~Registration() override {
    if (vm != nullptr) vm->registration_ = nullptr;
  }
  Vm* vm{};
};

Vm* Vm::of(Machine& machine) { return machine.service<Registration>().vm; }

Vm::Vm(Machine& machine, std::unique_ptr<System> system, const VmOptions& options)
    : machine_(&machine),
      system_(std::move(system)),
      options_(options),
      code_patches_(machine.memory()),
      dirty_log_(*this),
      memory_eventfds_(*this, EventFds::Space::Memory),
      port_eventfds_(*this, EventFds::Space::Ports),
      memory_ranges_(*this, CoalescedRanges::Space::Memory),
      port_ranges_(*this, CoalescedRanges::Space::Ports) {}

Result<std::unique_ptr<Vm>> Vm::create(Machine& machine, std::unique_ptr<System> system,
                                       const VmOptions& options) {
  std::unique_ptr<Vm> vm(new Vm(machine, std::move(system), options));
  TRY(vm->set_up());
  // All that KVM has, unless -cpu says less.
  auto& fitting = machine.service<accel::ModelFitting>();
  fitting.default_model = kDefaultModel;
  fitting.fit = [raw = vm.get()](const x86::CpuRequest& request) { return fit(*raw, request); };
  vm->registration_ = &machine.service<Registration>();
  vm->registration_->vm = vm.get();
  return vm;
}

Vm::~Vm() {
  if (registration_ != nullptr) registration_->vm = nullptr;
  if (!listening_) return;
  machine_->interrupts.send_msi = nullptr;
  machine_->interrupts.routes = nullptr;
  machine_->interrupts.route_changed = nullptr;
  machine_->interrupts.intr_changed = nullptr;
  for (MemoryListener* listener :
       {static_cast<MemoryListener*>(slots_.get()), static_cast<MemoryListener*>(&memory_eventfds_),
        static_cast<MemoryListener*>(&memory_ranges_)})
    machine_->memory().remove_listener(*listener);
  for (MemoryListener* listener :
       {static_cast<MemoryListener*>(&port_eventfds_), static_cast<MemoryListener*>(&port_ranges_)})
    machine_->io().remove_listener(*listener);
}

int Vm::extension(int capability) const {
  if (system_->hidden(capability)) return 0;
  return std::max(call(fd(), KVM_CHECK_EXTENSION, static_cast<unsigned long>(capability)), 0);
}

Result<> Vm::enable_capability(u32 capability, u64 argument0, u64 argument1) {
  kvm_enable_cap request{};
  request.cap = capability;
  request.args[0] = argument0;
  request.args[1] = argument1;
  const int result = call(fd(), KVM_ENABLE_CAP, &request);
  if (result < 0) return fail("KVM_ENABLE_CAP {}: {}", capability, errno_text(-result));
  return {};
}

bool Vm::try_enable(u32 capability, u64 argument) {
  if (extension(static_cast<int>(capability)) == 0) return false;
  auto result = enable_capability(capability, argument);
  if (!result)
    warn_once(fmt::format("cap {}", capability),
              result.error().message() + ": the guest goes without it");
  return result.has_value();
}

// -overcommit cpu-pm=on: an idle processor of the guest's keeps the host's, and wakes at once.
Result<> Vm::keep_idle_processors() {
  if (!machine_->service<HostPower>().guest_decides) return {};
  constexpr u64 kAll = KVM_X86_DISABLE_EXITS_MWAIT | KVM_X86_DISABLE_EXITS_HLT |
                       KVM_X86_DISABLE_EXITS_PAUSE | KVM_X86_DISABLE_EXITS_CSTATE;
  const u64 there = static_cast<u64>(extension(KVM_CAP_X86_DISABLE_EXITS)) & kAll;
  if (there == 0) {
    warn_once("cpu-pm",
              "-overcommit cpu-pm=on: this host's KVM cannot leave idle processors to the "
              "guest: the guest goes without it");
    return {};
  }
  return enable_capability(KVM_CAP_X86_DISABLE_EXITS, there);
}

// What makes a better machine and is no reason to have none.
void Vm::enable_optional() {
  exception_payload_ = try_enable(KVM_CAP_EXCEPTION_PAYLOAD, 1);
  triple_fault_event_ = try_enable(KVM_CAP_X86_TRIPLE_FAULT_EVENT, 1);
  asks_before_undefined_ = try_enable(KVM_CAP_EXIT_ON_EMULATION_FAILURE, 1);
  try_enable(KVM_CAP_X86_USER_SPACE_MSR, KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_INVAL);
  if (const auto offered = static_cast<u64>(extension(KVM_CAP_EXIT_HYPERCALL)); offered != 0)
    try_enable(KVM_CAP_EXIT_HYPERCALL, offered);
}

Result<> Vm::place_kernel_pages() {
  if (extension(KVM_CAP_SET_IDENTITY_MAP_ADDR) != 0) {
    u64 address = kIdentityMap;
    TRY(try_call("KVM_SET_IDENTITY_MAP_ADDR", fd(), KVM_SET_IDENTITY_MAP_ADDR, &address));
  }
  TRY(try_call("KVM_SET_TSS_ADDR", fd(), KVM_SET_TSS_ADDR, static_cast<unsigned long>(kTaskState)));
  return {};
}

Result<> Vm::set_up() {
  fd_ = TRY(system_->create_vm());
  const auto most =
      static_cast<unsigned>(std::max(extension(KVM_CAP_MAX_VCPUS), extension(KVM_CAP_NR_VCPUS)));
  if (machine_->config.max_cpus > std::max(most, 1U))
    return fail("-smp: this host's KVM runs at most {} processors, not {}", most,
                machine_->config.max_cpus);
  if (options_.guest_memfd) TRY(GuestMemfds::check(*this));
  TRY(place_kernel_pages());
  enable_optional();
  TRY(keep_idle_processors());
  interrupts_ = std::make_unique<Interrupts>(*this, options_.irqchip);
  TRY(interrupts_->set_up());
  TRY(dirty_log_.set_up(options_.dirty_ring_entries));
  slots_ = std::make_unique<MemorySlots>(*this);
  coalesced_ = std::make_unique<CoalescedRing>(*this);
  return {};
}

void Vm::listen() {
  machine_->memory().add_listener(*slots_);
  machine_->memory().add_listener(memory_eventfds_);
  machine_->memory().add_listener(memory_ranges_);
  machine_->io().add_listener(port_eventfds_);
  machine_->io().add_listener(port_ranges_);
  listening_ = true;
}

accel::BoardParts Vm::parts() const {
  if (options_.irqchip != Irqchip::Kernel) return {};
  return {.pic = "kvm-i8259", .ioapic = "kvm-ioapic", .pit = "kvm-pit"};
}

// Only now: a board that is being built changes its map often, and the kernel takes about a
// millisecond for each slot.
Result<> Vm::board_ready() {
  listen();
  interrupts_->connect(machine_->interrupts);
  auto clock = TRY(machine_->make("kvmclock"));
  // By a name of its own: the other devices are called the same on every accelerator.
  TRY(machine_->add_device(std::move(clock), nullptr, "kvmclock"));
  return {};
}

// All that KVM supports, or what -cpu leaves of it.
Result<std::vector<kvm_cpuid_entry2>> Vm::leaves_for(const CpuidPlace& place) {
  auto leaves = make_cpuid(system_->supported_cpuid(), place);
  auto request = TRY(x86::cpu_request_or(*machine_, std::string(kDefaultModel)));
  if (request.hyperv.present() && extension(KVM_CAP_HYPERV) == 0) {
    warn_once("hyperv", "this host's KVM has nothing of -cpu's hv-*: the guest goes without it");
    request.hyperv = {};
  }
  ModelLeaves made = apply_model(std::move(leaves), request);
  if (!std::exchange(told_absent_, true))
    TRY(request.tell_absent(made.fit.absent, "this host's KVM"));
  return std::move(made.leaves);
}

Result<std::unique_ptr<VcpuHandle>> Vm::new_handle(u32 apic_id) {
  auto handle = TRY(VcpuHandle::create(*this, apic_id));
  const CpuidPlace place{.topology = accel::topology(machine_->config),
                         .apic_id = apic_id,
                         .local_apic = has_local_apics(),
                         .tsc_deadline = extension(KVM_CAP_TSC_DEADLINE_TIMER) != 0};
  const auto leaves = TRY(leaves_for(place));
  TRY(apply_cpuid(
      leaves,
      [&handle](std::span<const kvm_cpuid_entry2> list) {
        VariableBlock<kvm_cpuid2, kvm_cpuid_entry2> block(list.size());
        block.header().nent = static_cast<u32>(list.size());
        std::ranges::copy(list, block.entries().begin());
        return handle->call(KVM_SET_CPUID2, &block.header());
      },
      [this](const std::string& text) { warn_once(text, text); }));
  handle->cpuid = leaves;
  set_feature_msrs(*this, *handle);
  handle->msrs = state_msrs(*this, *handle);
  x86::CpuState power_on;
  TRY(read_state(*this, *handle, power_on));
  // KVM made it before it knew the processor's signature and has let its clock run since.
  for (const auto& leaf : leaves)
    if (leaf.function == 1) power_on.gpr[x86::Rdx] = leaf.eax;
  for (x86::Msr& msr : power_on.msrs)
    if (msr.index == 0x10) msr.value = 0;
  if (!has_local_apics()) {
    namespace base = x86::apic_base;
    constexpr u64 kUsualPage = 0xfee0'0000;
    power_on.apic_base = kUsualPage | base::kEnable | (apic_id == 0 ? base::kBsp : 0);
    power_on.mp_state = apic_id == 0 ? x86::MpState::Runnable : x86::MpState::Uninitialized;
  }
  handle->power_on = std::move(power_on);
  return handle;
}

Result<std::unique_ptr<accel::VcpuBackend>> Vm::create_vcpu(unsigned index) {
  const u32 apic_id = accel::topology(machine_->config).apic_id(index);
  std::unique_ptr<VcpuHandle> handle;
  if (const auto it = parked_.find(apic_id); it != parked_.end()) {
    handle = std::move(it->second);
    parked_.erase(it);
  } else {
    handle = TRY(new_handle(apic_id));
  }
  auto vcpu = std::make_unique<KvmVcpu>(*this, index, std::move(handle));
  vcpu->reset(ResetKind::Cold);
  return vcpu;
}

void Vm::adopt(KvmVcpu& vcpu) {
  if (vcpu.index() == 0) boot_vcpu_ = &vcpu;
  gate_.add(vcpu);
}

void Vm::park(KvmVcpu& vcpu, std::unique_ptr<VcpuHandle> handle) {
  gate_.remove(vcpu);
  if (boot_vcpu_ == &vcpu) boot_vcpu_ = nullptr;
  const u32 id = handle->id;
  parked_[id] = std::move(handle);
}

void Vm::set_pic_line(bool level) {
  if (boot_vcpu_ == nullptr) return;
  if (UserApic* user = boot_vcpu_->user_apic()) return user->apic().set_lint0(level);
  if (level)
    boot_vcpu_->alert(Attention::PicLine);
  else
    boot_vcpu_->set_attention(Attention::PicLine, false);
}

void Vm::warn_once(const std::string& key, const std::string& text) {
  {
    const std::lock_guard lock(warned_mutex_);
    if (!warned_.insert(key).second) return;
  }
  report_warning(text);
}

std::string Vm::describe() const {
  constexpr std::array<std::string_view, 3> irqchips = {"on", "split", "off"};
  return fmt::format(
      "interrupt controllers in the kernel: {}\n"
      "dirty pages: {}\n"
      "memory slots: {} of {}\n{}",
      irqchips[static_cast<unsigned>(options_.irqchip)], dirty_log_.describe(),
      slots_->slots().size(), slots_->limit(), slots_->to_text());
}

}  // namespace rhea::kvm
