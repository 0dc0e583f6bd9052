// SPDX-License-Identifier: GPL-2.0-or-later
// Closing the gate: tell every vCPU, kick it out, wait until it is.
#include "accel/kvm/guest_gate.h"

#include "accel/kvm/vcpu.h"

#include <chrono>
#include <thread>

namespace rhea::kvm {

void GuestGate::add(KvmVcpu& vcpu) {
  const std::lock_guard lock(mutex_);
  vcpus_.push_back(&vcpu);
  if (closures_ > 0) vcpu.set_attention(Attention::Gate, true);
}

void GuestGate::remove(KvmVcpu& vcpu) {
  const std::lock_guard lock(mutex_);
  std::erase(vcpus_, &vcpu);
}

void GuestGate::each(const std::function<void(KvmVcpu&)>& visit) {
  const std::lock_guard lock(mutex_);
  for (KvmVcpu* vcpu : vcpus_) visit(*vcpu);
}

void GuestGate::wait_open() {
  std::unique_lock lock(mutex_);
  opened_.wait(lock, [this] { return closures_ == 0; });
}

void GuestGate::close() {
  const std::lock_guard lock(mutex_);
  if (closures_++ > 0) return;
  for (KvmVcpu* vcpu : vcpus_) vcpu->alert(Attention::Gate);
  // Most are out at once; one whose thread has to wait for a host processor should not be kept from
  // it.
  for (KvmVcpu* vcpu : vcpus_)
    for (unsigned tries = 0; vcpu->in_guest(); ++tries)
      if (tries > 100) std::this_thread::sleep_for(std::chrono::microseconds(20));
}

void GuestGate::open() {
  const std::lock_guard lock(mutex_);
  if (--closures_ > 0) return;
  for (KvmVcpu* vcpu : vcpus_) vcpu->set_attention(Attention::Gate, false);
  opened_.notify_all();
}

}  // namespace rhea::kvm
