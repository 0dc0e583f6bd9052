// SPDX-License-Identifier: GPL-2.0-or-later
// The local APIC's requests on their way to a vCPU.
#include "accel/kvm/user_apic.h"

#include "accel/apic/apic_bus.h"
#include "accel/kvm/vcpu.h"
#include "accel/kvm/vm.h"
#include "target/x86/registers.h"

namespace rhea::kvm {
namespace {

constexpr u64 kAnyAddress = ~u64{0};  // KVM has checked what the guest wrote

/// The 8259s, under the machine's lock.
template <class Use>
auto with_pic(Machine& machine, Use use) {
  const DomainGuard guard(&machine.lock());
  return use(machine.interrupts.pic);
}

}  // namespace

UserApic::UserApic(KvmVcpu& vcpu, u32 id, bool boot_processor)
    : vcpu_(&vcpu),
      boot_processor_(boot_processor),
      apic_(vcpu.vm().machine().service<apic::ApicBus>(), *this,
            vcpu.vm().machine().virtual_clock(), id, boot_processor) {}

void UserApic::interrupt() { vcpu_->alert(Attention::Interrupt); }
void UserApic::nmi() { vcpu_->queue_nmi(); }
void UserApic::smi() { vcpu_->alert(Attention::Smi); }
void UserApic::init() { vcpu_->alert(Attention::Init); }
void UserApic::start_up(u8 vector) {
  start_up_vector_.store(vector, std::memory_order_relaxed);
  vcpu_->alert(Attention::StartUp);
}

void UserApic::take(const kvm_run& run) {
  if (run.apic_base != apic_.base()) apic_.set_base(run.apic_base, kAnyAddress);
  if (run.cr8 != apic_.cr8()) apic_.set_cr8(static_cast<u8>(run.cr8));
}

bool UserApic::passes_pic() const { return boot_processor_ && apic_.passes_extint(); }

bool UserApic::waits() {
  if (apic_.enabled() && apic_.has_interrupt()) return true;
  return passes_pic() && with_pic(vcpu_->vm().machine(), [](const ExtIntSource* pic) {
           return pic != nullptr && pic->intr();
         });
}

std::optional<u8> UserApic::acknowledge() {
  if (apic_.enabled())
    if (const std::optional<u8> vector = apic_.acknowledge()) return vector;
  if (!passes_pic()) return std::nullopt;
  return with_pic(vcpu_->vm().machine(), [](ExtIntSource* pic) -> std::optional<u8> {
    if (pic == nullptr || !pic->intr()) return std::nullopt;
    return pic->acknowledge();
  });
}

Result<> UserApic::take_init() {
  x86::CpuState now;
  TRY(vcpu_->get_state(now));
  x86::CpuState state = *vcpu_->handle().power_on;
  constexpr u64 kCacheBits = x86::cr0::kCd | x86::cr0::kNw;
  state.cr0 = (state.cr0 & ~kCacheBits) | (now.cr0 & kCacheBits);
  state.xsave = now.xsave;
  state.xcr0 = now.xcr0;
  state.msrs = now.msrs;
  apic_.reset();
  state.apic_base = apic_.base();
  state.lapic = {};
  TRY(vcpu_->set_processor_state(state));
  vcpu_->set_attention(Attention::Halted, false);
  vcpu_->set_attention(Attention::WaitsForStartUp, !boot_processor_);
  return {};
}

// SDM vol. 3, 9.4.3: a processor that runs takes no notice.
Result<> UserApic::take_start_up() {
  if (!vcpu_->has(Attention::WaitsForStartUp)) return {};
  x86::CpuState state;
  TRY(vcpu_->get_state(state));
  const u8 vector = start_up_vector_.load(std::memory_order_relaxed);
  state.rip = 0;
  state.segment[x86::Cs].selector = static_cast<u16>(vector << 8);
  state.segment[x86::Cs].base = u64{vector} << 12;
  vcpu_->set_attention(Attention::WaitsForStartUp, false);
  return vcpu_->set_processor_state(state);
}

void UserApic::reset() {
  apic_.reset_base();
  apic_.reset();
}

}  // namespace rhea::kvm
