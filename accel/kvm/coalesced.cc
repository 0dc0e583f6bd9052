// SPDX-License-Identifier: GPL-2.0-or-later
// Registering coalesced ranges and draining the ring.
#include "accel/kvm/coalesced.h"

#include "accel/kvm/trace_events.h"
#include "accel/kvm/vm.h"
#include "softmmu/host_access.h"

#include <algorithm>

namespace rhea::kvm {
namespace {

constexpr i64 kDrainPeriodNs = 20'000'000;
constexpr u32 kRingSize = (4096 - sizeof(kvm_coalesced_mmio_ring)) / sizeof(kvm_coalesced_mmio);

void deliver(Machine& machine, const kvm_coalesced_mmio& entry) {
  AddressSpace& space = entry.pio == 1 ? machine.io() : machine.memory();
  const unsigned size = std::min<u32>(entry.len, sizeof entry.data);
  if (!softmmu::register_sized(size)) {
    // What is left of an access that crosses a page.
    // As the vCPU's own would: to where nothing is it goes nowhere.
    static_cast<void>(space.write(entry.phys_addr, {static_cast<const u8*>(entry.data), size}));
    return;
  }
  space.store(entry.phys_addr, softmmu::load_host(entry.data, size), size);
}

}  // namespace

CoalescedRing::CoalescedRing(Vm& vm) : vm_(&vm) {
  timer_.init(vm.machine().realtime_clock(), [this] {
    drain();
    if (ranges_ > 0) timer_.arm_in(kDrainPeriodNs);
  });
}

void CoalescedRing::add_range() {
  if (ranges_++ == 0) timer_.arm_in(kDrainPeriodNs);
}

void CoalescedRing::remove_range() {
  drain();
  if (--ranges_ == 0) timer_.cancel();
}

void CoalescedRing::drain_pending() {
  const DomainGuard guard(&vm_->machine().lock());
  // A handler that asks for a drain finds it under way.
  if (draining_) return;
  draining_ = true;
  while (pending()) {
    const u32 first = ring_->first % kRingSize;
    const kvm_coalesced_mmio entry = ring_->coalesced_mmio[first];
    std::atomic_ref(ring_->first).store((first + 1) % kRingSize, std::memory_order_release);
    deliver(vm_->machine(), entry);
  }
  draining_ = false;
}

bool CoalescedRanges::offered() const {
  return vm_->extension(space_ == Space::Ports ? KVM_CAP_COALESCED_PIO : KVM_CAP_COALESCED_MMIO) !=
         0;
}

int CoalescedRanges::request(unsigned long ioctl_number, u64 address, u64 size) {
  kvm_coalesced_mmio_zone zone{};
  zone.addr = address;
  zone.size = static_cast<u32>(std::min<u64>(size, ~u32{0}));
  zone.pio = space_ == Space::Ports ? 1 : 0;
  const int result = call(vm_->fd(), ioctl_number, &zone);
  kvm_coalesced(space_ == Space::Ports, address, size, ioctl_number == KVM_REGISTER_COALESCED_MMIO,
                result);
  return result;
}

void CoalescedRanges::coalesced_add(u64 address, u64 size) {
  if (!offered() || request(KVM_REGISTER_COALESCED_MMIO, address, size) < 0) return;
  registered_.emplace(address, size);
  vm_->coalesced().add_range();
}

void CoalescedRanges::coalesced_del(u64 address, u64 size) {
  if (registered_.erase({address, size}) == 0) return;
  request(KVM_UNREGISTER_COALESCED_MMIO, address, size);
  vm_->coalesced().remove_range();
}

void CoalescedRanges::flush_coalesced() { vm_->coalesced().drain(); }

}  // namespace rhea::kvm
