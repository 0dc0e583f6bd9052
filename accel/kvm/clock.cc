// SPDX-License-Identifier: GPL-2.0-or-later
// The paravirtual clock, which must stand still while the guest does.
#include "accel/kvm/vcpu.h"
#include "accel/kvm/vm.h"
#include "rhea/softmmu/snapshot.h"

namespace rhea::kvm {
namespace {

/// KVM's clock for guests (kernel documentation, virt/kvm/x86/msr.rst and timekeeping.rst).
/// State: complete. Missing: nothing.
class KvmClock final : public Device {
 public:
  static constexpr std::string_view kName = "kvmclock";
  static void describe(Schema<KvmClock>& s) {
    s.help("KVM's paravirtual clock");
    s.board_only();
    s.state("clock", &KvmClock::clock_);
  }

  Result<> realize() override {
    vm_ = Vm::of(machine());
    if (vm_ == nullptr) return fail("kvmclock: the machine does not run on KVM");
    machine().on_run_state([this](RunState state) { run_state_changed(state); }, this);
    return {};
  }

  void pre_save() override { stop(); }
  Result<> post_load(unsigned) override {
    stopped_ = true;
    return {};
  }

 private:
  void run_state_changed(RunState state) {
    if (!is_realized()) return;
    if (state == RunState::Running)
      go_on();
    else
      stop();
  }

  void stop() {
    if (stopped_ || vm_ == nullptr) return;
    kvm_clock_data data{};
    if (call(vm_->fd(), KVM_GET_CLOCK, &data) < 0) return;
    clock_ = data.clock;
    stopped_ = true;
  }

  void go_on() {
    if (!stopped_) return;
    stopped_ = false;
    kvm_clock_data data{};
    data.clock = clock_;
    if (const int result = call(vm_->fd(), KVM_SET_CLOCK, &data); result < 0)
      vm_->warn_once(
          "clock", fmt::format("KVM_SET_CLOCK: {}: the guest's clock jumps", errno_text(-result)));
    // Tells the guest's watchdogs that the pause was none of its doing; guests without the clock
    // refuse it.
    vm_->gate().each([](KvmVcpu& vcpu) { vcpu.handle().call(KVM_KVMCLOCK_CTRL); });
  }

  Vm* vm_{};
  bool stopped_{false};
  u64 clock_{0};
};

const RegisterType<KvmClock> registration;
const RegisterOptionalState optional_state(KvmClock::kName);

}  // namespace
}  // namespace rhea::kvm
