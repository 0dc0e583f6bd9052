// SPDX-License-Identifier: GPL-2.0-or-later
// What the processors of a machine share.
#include "accel/jit/vm.h"

#include "accel/apic/apic_bus.h"
#include "accel/jit/perf_map.h"
#include "accel/jit/vcpu.h"
#include "rhea/softmmu/a20.h"
#include "rhea/softmmu/smm.h"
#include "rhea/util/rcu.h"
#include "target/x86/models.h"

#include <fmt/format.h>

#include <algorithm>

namespace rhea::jit {

Vm::Vm(Machine& machine, bool translate, std::size_t code_bytes, bool verify)
    : machine_(&machine),
      translates_(translate),
      verifies_(translate && verify),
      code_bytes_(code_bytes),
      perf_map_(&machine.service<PerfMap>()),
      hyperv_(machine) {
  machine_->memory().add_listener(*this);
  auto& count = machine_->service<accel::InstructionCount>();
  if (count.settings) turns_ = std::make_unique<Turns>(*this, *count.settings);
  count.obeyed = true;
  perf_map_->obeyed = translates_;
  auto& management = machine_->service<SystemManagement>();
  management.available = true;
  management.interrupt = [this] {
    if (!vcpus_.empty()) vcpus_.front()->attend_to(x86::Attention::Smi);
  };
  machine_->service<A20Gate>().set_pin([this](bool open) {
    a20_open_.store(open);
    if (!vcpus_.empty()) vcpus_.front()->attend_to(x86::Attention::FlushTlb);
  });
}

Vm::~Vm() {
  machine_->interrupts.intr_changed = nullptr;
  machine_->interrupts.send_msi = nullptr;
  machine_->service<SystemManagement>().interrupt = nullptr;
  machine_->service<A20Gate>().set_pin(nullptr);
  if (AddressSpace* space = management_memory_.load()) space->remove_listener(*this);
  machine_->memory().remove_listener(*this);
}

AddressSpace& Vm::management_memory() {
  if (AddressSpace* space = management_memory_.load(std::memory_order_acquire)) return *space;
  const DomainGuard lock(&machine_->lock());
  if (management_memory_.load() == nullptr) {
    AddressSpace& space = machine_->service<SystemManagement>().memory();
    space.add_listener(*this);
    management_memory_.store(&space, std::memory_order_release);
  }
  return *management_memory_.load();
}

Result<> Vm::board_ready() {
  // The 8259s' output goes to the boot processor's LINT0.
  machine_->interrupts.intr_changed = [this](bool level) {
    if (!vcpus_.empty()) vcpus_.front()->apic().set_lint0(level);
  };
  machine_->interrupts.send_msi = [this](const MsiMessage& message) {
    machine_->service<apic::ApicBus>().send(message);
  };
  return {};
}

Result<std::unique_ptr<accel::VcpuBackend>> Vm::create_vcpu(unsigned index) {
  if (!model_) model_ = TRY(x86::make_model(*machine_));
  x86::CpuModel model = *model_;
  model.topology = accel::topology(machine_->config);
  model.apic_id = model.topology.apic_id(index);
  return std::make_unique<JitVcpu>(*this, index, std::move(model));
}

std::size_t Vm::translation_capacity() const {
  if (code_bytes_ == 0) return Translations::kUsualCapacity;
  constexpr std::size_t least = 256 * KiB;
  const std::size_t share = code_bytes_ / machine_->config.max_cpus;
  return std::clamp(share, least, Translations::kMostCapacity);
}

std::string Vm::describe_comparison() const {
  if (!verifies_) return {};
  u64 compared = 0, passed_over = 0, different = 0;
  RowCounts rows;
  for (const JitVcpu* const vcpu : vcpus_) {
    const Verifier* const verifier = vcpu->verifier();
    if (verifier == nullptr) continue;
    compared += verifier->counts().compared;
    passed_over += verifier->counts().passed_over;
    different += verifier->counts().different;
    rows.add(verifier->rows());
  }
  return rows.describe() + fmt::format("blocks compared     {}, {} passed over, {} different\n",
                                       compared, passed_over, different);
}

// In QEMU's words where it has some.
std::string Vm::describe() const {
  if (!translates_) return "software CPU: interpreter with decoded blocks\n";
  u64 capacity = 0, blocks = 0, guest = 0, host = 0, clears = 0, shut = 0, evicted = 0;
  for (const JitVcpu* const vcpu : vcpus_) {
    const Translations* const made = vcpu->translations();
    if (made == nullptr) continue;
    capacity += made->capacity();
    blocks += made->counts().blocks;
    guest += made->counts().guest_bytes;
    host += made->counts().host_bytes;
    clears += made->counts().clears;
    shut += made->counts().shut;
    evicted += made->counts().evicted;
  }
  const u64 each = std::max<u64>(blocks, 1);
  return describe_comparison() +
         fmt::format(
             "software CPU: translator to host code\n"
             "gen code size       {}/{}\n"
             "TB count            {}\n"
             "TB avg target size  {} bytes\n"
             "TB avg host size    {} bytes (expansion ratio: {:.1f})\n"
             "TB flush count      {}\n"
             "TB invalidate count {}\n"
             "TB evict count      {}\n"
             "decoded code        {}/{}\n",
             host, capacity, blocks, guest / each, host / each,
             static_cast<double>(host) / static_cast<double>(std::max<u64>(guest, 1)), clears, shut,
             evicted, code_memory_.size(), code_memory_.most());
}

// Before the next look around of the others, which have jumps from block to block.
void Vm::code_changed(JitVcpu& by, const CodePage& page) {
  if (!translates_) return;
  for (JitVcpu* vcpu : vcpus_) {
    vcpu->hear_of_change(page);
    if (vcpu != &by) vcpu->cpu().need_attention(x86::Attention::Code);
  }
}

void Vm::add(JitVcpu& vcpu) { vcpus_.push_back(&vcpu); }
void Vm::remove(JitVcpu& vcpu) { std::erase(vcpus_, &vcpu); }

void Vm::commit() {
  for (JitVcpu* vcpu : vcpus_) vcpu->attend_to(x86::Attention::FlushTlb);
  // Behind the flush: a processor that comes in once what is hidden may go must have been told.
  if (!forget_hidden_code()) return;
  // One that was about to look there may have made the map remember it again.
  machine_->loop().defer([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    rcu_synchronize();
    forget_hidden_code();
  });
}

// RAM of a device that was unplugged must not live on here. Under the machine's lock, as every
// change of the map.
bool Vm::forget_hidden_code() {
  return code_.forget_hidden([this](const RamBlock& ram) {
    const auto shows = [&ram](const AddressSpace& space) {
      return std::ranges::any_of(space.view().ranges(), [&ram](const FlatRange& range) {
        return range.region->ram().get() == &ram;
      });
    };
    const AddressSpace* const management = management_memory_.load();
    return shows(machine_->memory()) || (management != nullptr && shows(*management));
  });
}

// Whoever begins to log must miss no store: processors may still have TLB entries to write with.
void Vm::log_change(const FlatRange&, unsigned old_clients, unsigned new_clients) {
  if ((new_clients & ~old_clients & ~(1U << static_cast<unsigned>(DirtyClient::Code))) == 0) return;
  drop_writes_of_others(nullptr);
}

void Vm::drop_writes_of_others(const JitVcpu* caller) {
  bool any = false;
  for (JitVcpu* vcpu : vcpus_) {
    if (vcpu == caller) continue;
    vcpu->attend_to(x86::Attention::DropWrites);
    any = true;
  }
  if (any) rcu_synchronize();
}

// Who has no more than its share keeps it: whoever has more may be asleep and slow to answer.
bool Vm::make_room(const JitVcpu& caller) {
  JitVcpu& largest = **std::ranges::max_element(vcpus_, {}, &JitVcpu::code_size);
  if (&largest == &caller || caller.code_size() > code_memory_.most() / vcpus_.size()) return false;
  if (!largest.cpu().wants(x86::Attention::Forget)) largest.attend_to(x86::Attention::Forget);
  return true;
}

void Vm::exclusively(JitVcpu& caller, void (*action)(void*), void* argument) {
  assert_outside_rcu();
  if (owner_.load() == &caller) {
    const JitVcpu::Inside inside(caller);
    return action(argument);
  }
  const std::lock_guard alone(alone_);
  // The action may end in a fault.
  struct Opening {
    Vm& vm;
    ~Opening() {
      {
        const std::lock_guard lock(vm.gate_mutex_);
        vm.owner_.store(nullptr);
      }
      vm.opened_.notify_all();
    }
  } const opening{*this};
  owner_.store(&caller);
  for (JitVcpu* vcpu : vcpus_)
    if (vcpu != &caller) vcpu->attend_to(x86::Attention::Gate);
  rcu_synchronize();
  const JitVcpu::Inside inside(caller);
  action(argument);
}

void Vm::wait_open() {
  assert_outside_rcu();
  std::unique_lock lock(gate_mutex_);
  opened_.wait(lock, [this] { return owner_.load() == nullptr; });
}

}  // namespace rhea::jit
