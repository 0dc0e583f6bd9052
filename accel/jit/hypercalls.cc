// SPDX-License-Identifier: GPL-2.0-or-later
// KVM's hypercalls on the software CPU. None of them is announced in CPUID; those are here that KVM
// answers all the same.
#include "accel/jit/vcpu.h"
#include "accel/jit/vm.h"
#include "target/x86/system/hypercall.h"

namespace rhea::jit {
namespace {

namespace call = x86::hypercall;
namespace result = x86::hypercall_result;

/// An interrupt to the processors of a bitmap: words of it, the first bit's APIC id, the ICR's
/// lower half. How many got it.
u64 send_ipi(const Vm& vm, unsigned bits_of_word, const std::array<u64, 4>& arguments) {
  const auto& [low, high, first, icr] = arguments;
  constexpr u64 kDestinations = 3 << 18 | 1 << 11;  // short hands, logical
  if ((icr & kDestinations) != 0) return result::kInvalid;
  const apic::Message message{.vector = static_cast<u8>(icr),
                              .mode = static_cast<apic::DeliveryMode>(icr >> 8 & 7),
                              .level = false,
                              .logical = false,
                              .destination = 0,
                              .x2apic_destination = true};
  u64 count = 0;
  for (JitVcpu* vcpu : vm.vcpus()) {
    const u64 bit = u64{vcpu->apic().id()} - first;
    if (bit >= 2 * bits_of_word || !vcpu->apic().enabled()) continue;
    const u64 word = bit < bits_of_word ? low : high;
    if ((word >> bit % bits_of_word & 1) == 0) continue;
    vcpu->apic().accept(message);
    ++count;
  }
  return count;
}

}  // namespace

u64 JitVcpu::hypercall(u64 number, const std::array<u64, 4>& arguments) {
  switch (number) {
    case call::kVapicPollIrq:
    case call::kSchedYield: return 0;
    case call::kSendIpi: return send_ipi(*vm_, cpu_.long_mode() ? 64 : 32, arguments);
    default: return result::kNoSuchCall;
  }
}

}  // namespace rhea::jit
