// SPDX-License-Identifier: GPL-2.0-or-later
// Holds vCPUs back until a host peer has room.
#include "rhea/softmmu/vcpu_gate.h"

#include <algorithm>
#include <chrono>

namespace rhea {
namespace {

// How long a vCPU stays deaf to what others ask of it, and how often it comes back to the gate
// before it looks whether it shall stop.
constexpr auto kSlice = std::chrono::milliseconds(2);
constexpr int kSlices = 50;

}  // namespace

void VcpuGate::hold_back() {
  Vcpu* vcpu = Vcpu::current();
  if (vcpu == nullptr) return;
  {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
    if (std::ranges::find(state_->held, vcpu) != state_->held.end()) return;
    state_->held.push_back(vcpu);
  }
  vcpu->queue([state = state_, vcpu] { pass(state, *vcpu, kSlices); });
}

void VcpuGate::open() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->closed = false;
  }
  state_->opened.notify_all();
}

// Queued anew after each slice, behind whatever others want of this thread.
void VcpuGate::pass(const std::shared_ptr<State>& state, Vcpu& vcpu, int slices) {
  std::unique_lock lock(state->mutex);
  const bool open = state->opened.wait_for(lock, kSlice, [&] { return !state->closed; });
  if (open || slices == 1) {
    std::erase(state->held, &vcpu);
    return;
  }
  lock.unlock();
  vcpu.queue([state, &vcpu, slices] { pass(state, vcpu, slices - 1); });
}

}  // namespace rhea
