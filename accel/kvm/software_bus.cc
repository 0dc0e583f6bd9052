// SPDX-License-Identifier: GPL-2.0-or-later
// The software CPU's way out when it works for KVM.
#include "accel/kvm/software_bus.h"

#include "accel/kvm/msrs.h"
#include "accel/kvm/state.h"
#include "accel/kvm/user_apic.h"
#include "accel/kvm/vcpu.h"
#include "accel/kvm/vm.h"
#include "target/x86/system/msr.h"

#include <mutex>

namespace rhea::kvm {

namespace base = x86::apic_base;

SoftwareBus::SoftwareBus(KvmVcpu& vcpu) : MachineBus(vcpu.vm().machine()), vcpu_(&vcpu) {}

void SoftwareBus::load(const x86::CpuState& state) {
  cr8_ = static_cast<u8>(state.cr8 & 0xf);
  apic_base_ = state.apic_base;
}

void SoftwareBus::begin(x86::Cpu& cpu) {
  cpu_ = &cpu;
  accesses_ = 0;
  guard_.emplace();
}

void SoftwareBus::end() {
  guard_.reset();
  cpu_ = nullptr;
}

bool SoftwareBus::leave() {
  const bool was_inside = guard_.has_value();
  guard_.reset();
  return was_inside;
}

// The map may be another one.
void SoftwareBus::enter() {
  guard_.emplace();
  cpu_->flush_tlb();
  if (++accesses_ >= kAccesses) cpu_->need_attention(x86::Attention::Exit);
}

u64 SoftwareBus::tsc() {
  u64 value = 0;
  if (cpu_ != nullptr) kvm::read_msr(vcpu_->handle(), x86::msr::kTsc, value);
  return value;
}

bool SoftwareBus::read_msr(u32 index, u64& value) {
  if (index == x86::msr::kApicBase) {
    value = apic_base_;
    return true;
  }
  return cpu_ != nullptr && kvm::read_msr(vcpu_->handle(), index, value);
}

bool SoftwareBus::write_msr(u32 index, u64 value) {
  if (cpu_ == nullptr) return true;  // KVM's already
  if (!kvm::write_msr(vcpu_->handle(), index, value)) return false;
  if (index == x86::msr::kApicBase) apic_base_ = value;
  return true;
}

void SoftwareBus::set_task_priority(u8 priority) {
  cr8_ = priority;
  if (cpu_ == nullptr || vcpu_->user_apic() == nullptr) return;
  vcpu_->user_apic()->apic().set_cr8(priority);
}

// Other vCPUs are kept out of the guest, and from doing the same.
void SoftwareBus::exclusively(void (*action)(void*), void* argument) {
  const Outside outside(*this);
  const std::lock_guard alone(vcpu_->vm().software_alone());
  const GuestGate::Closure closed(vcpu_->vm().gate());
  enter();
  action(argument);
  leave();
}

bool SoftwareBus::is_apic_page(u64 address) const {
  return (apic_base_ & (base::kEnable | base::kX2apic)) == base::kEnable &&
         (apic_base_ & ~u64{0xfff}) == (address & ~u64{0xfff});
}

u64 SoftwareBus::read_apic(unsigned offset, unsigned size) {
  if (UserApic* user = vcpu_->user_apic()) return user->apic().read_page(offset, size);
  x86::CpuState state;
  if (!read_lapic(vcpu_->vm(), vcpu_->handle(), state) || offset + size > state.lapic.size())
    return 0;
  u64 value = 0;
  std::memcpy(&value, state.lapic.data() + offset, size);
  return value;
}

// KVM lets the registers be set, but not written with what a write does beside.
void SoftwareBus::write_apic(unsigned offset, u64 value, unsigned size) {
  if (UserApic* user = vcpu_->user_apic()) {
    const Outside outside(*this);  // an end of interrupt goes to the I/O APIC
    return user->apic().write_page(offset, value, size);
  }
  throw CannotStep{"it writes to the local APIC, which is in the kernel"};
}

}  // namespace rhea::kvm
