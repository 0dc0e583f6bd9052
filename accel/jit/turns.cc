// SPDX-License-Identifier: GPL-2.0-or-later
#include "accel/jit/turns.h"

#include "accel/jit/vcpu.h"
#include "accel/jit/vm.h"

#include <algorithm>
#include <chrono>

namespace rhea::jit {
namespace {

// An idle guest looks this often for timers that the main thread has armed.
constexpr i64 kLongestWait = 10'000'000;

u32 attention(JitVcpu& vcpu) { return vcpu.cpu().attention.load(std::memory_order_acquire); }

bool leaves(JitVcpu& vcpu) { return vcpu.cpu().wants(x86::Attention::Exit); }

bool awake(JitVcpu& vcpu) {
  return vcpu.cpu().activity == x86::Activity::Running || attention(vcpu) != 0;
}

}  // namespace

Turns::Turns(Vm& vm, accel::InstructionCount::Settings settings)
    : vm_(&vm), clock_(&vm.machine().virtual_clock()), settings_(settings) {
  restart_from(clock_->now_ns());
}

void Turns::restart_from(i64 ns) {
  start_ = executed_;
  start_ns_ = shown_ = ns;
  clock_->set_manual(ns);
}

bool Turns::take(JitVcpu& vcpu) {
  if (holder_.load(std::memory_order_acquire) == vcpu.index()) return true;
  const JitVcpu::Outside outside(vcpu);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return holder_ == vcpu.index() || leaves(vcpu); });
  return holder_ == vcpu.index();
}

u64 Turns::begin(JitVcpu& vcpu) {
  if (clock_->now_ns() != shown_) restart_from(clock_->now_ns());
  if (executed_ >= turn_ends_) {
    if (pass(vcpu)) return 0;
    turn_ends_ = executed_ + kQuantum;
  }
  const u64 left = turn_ends_ - executed_;
  const i64 due = clock_->next_expiry_ns();
  if (due < 0) return left;
  if (due <= now()) {
    fire(vcpu, now());
    return 0;
  }
  const u64 instruction = u64{1} << settings_.shift;
  return std::min(left, (static_cast<u64>(due - now()) + instruction - 1) >> settings_.shift);
}

void Turns::show_time(const JitVcpu& vcpu) {
  if (holder_.load(std::memory_order_acquire) != vcpu.index()) return;
  shown_ = now();
  clock_->set_manual(shown_);
}

bool Turns::pass(JitVcpu& from) {
  const std::lock_guard lock(mutex_);
  const auto& vcpus = vm_->vcpus();
  for (std::size_t i = 1; i < vcpus.size(); ++i) {
    JitVcpu& next = *vcpus[(from.index() + i) % vcpus.size()];
    if (!awake(next)) continue;
    turn_ends_ = executed_ + kQuantum;
    holder_ = next.index();
    changed_.notify_all();
    return true;
  }
  return false;
}

void Turns::sleep(JitVcpu& vcpu) {
  while (attention(vcpu) == 0 && !pass(vcpu)) idle(vcpu);
}

// Time passes: at once, or as the host's does.
void Turns::idle(JitVcpu& vcpu) {
  using namespace std::chrono;
  const i64 due = clock_->next_expiry_ns();
  if (due >= 0 && !settings_.sleep) {
    restart_from(due);
    return fire(vcpu, due);
  }
  const JitVcpu::Outside outside(vcpu);
  const i64 longest = due < 0 ? kLongestWait : std::min(due - now(), kLongestWait);
  const auto begin = steady_clock::now();
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, nanoseconds(longest), [&] {
      return std::ranges::any_of(vm_->vcpus(), [](JitVcpu* each) { return attention(*each) != 0; });
    });
  }
  const i64 waited = duration_cast<nanoseconds>(steady_clock::now() - begin).count();
  restart_from(now() + std::min(waited, longest));
  if (due >= 0 && due <= now()) fire(vcpu, now());
}

void Turns::fire(JitVcpu& vcpu, i64 until) {
  const JitVcpu::Outside outside(vcpu);
  const DomainGuard lock(&vm_->machine().lock());
  clock_->advance_to(until);
}

void Turns::notify() {
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

}  // namespace rhea::jit
