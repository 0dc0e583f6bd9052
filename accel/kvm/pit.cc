// SPDX-License-Identifier: GPL-2.0-or-later
// The 8254 timer inside the kernel.
#include "accel/kvm/pit_counter.h"
#include "accel/kvm/vm.h"
#include "rhea/softmmu/snapshot.h"
#include "rhea/softmmu/speaker_timer.h"

#include <ctime>

namespace rhea {

/// What becomes of timer ticks that come while the last one is still pending.
enum class LostTickPolicy : u8 { Discard, Delay };
template <>
struct EnumTraits<LostTickPolicy> {
  static constexpr std::string_view kType = "LostTickPolicy";
  static constexpr std::array<std::string_view, 2> kNames = {"discard", "delay"};
};

}  // namespace rhea

namespace rhea::kvm {
namespace {

constexpr u8 kNoTimer = 5;  // a mode in which the kernel's channel 0 runs no timer

using Channel = kvm_pit_channel_state;

i64 monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return i64{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// Intel 8254 in the kernel, with port 0x61's speaker bits (order number 231164). It stands still
/// while the machine does; then the channels start their counts anew. The input "enable" says
/// whether channel 0 interrupts: it is low while an HPET stands in for it. State: complete but for
/// the phase within the current count. Missing: nothing.
class KvmPit final : public Device, public SpeakerTimer {
 public:
  static constexpr std::string_view kName = "kvm-pit";
  static void describe(Schema<KvmPit>& s) {
    s.help("8254 timer in the kernel");
    s.board_only();
    s.property("iobase", &KvmPit::iobase_, u32{0x40})
        .range(0x40, 0x40)
        .help("first port; the kernel's is fixed");
    s.property("lost_tick_policy", &KvmPit::policy_, LostTickPolicy::Delay)
        .help("ticks that the guest was late for come later (delay) or not at all (discard)");
    s.state("counters", &KvmPit::counters_);
    s.state("line", &KvmPit::line_);
  }

  KvmPit() {
    init_gpio_out("", irq_);
    init_gpio_in<&KvmPit::set_enabled>(*this, "enable", 1);
  }

  Result<> realize() override {
    vm_ = Vm::of(machine());
    if (vm_ == nullptr || vm_->interrupts().irqchip() != Irqchip::Kernel)
      return fail("kvm-pit: the machine's interrupt controllers are not in the kernel");
    TRY(create());
    fetch();
    at_reset_ = channels_;
    machine().on_run_state([this](RunState state) { run_state_changed(state); }, this);
    running_ = machine().running();
    return {};
  }

  void reset(ResetKind) override {
    channels_ = at_reset_;
    flags_ = 0;
    give();
  }
  void pre_save() override {
    if (running_) fetch();
    for (unsigned i = 0; i < 3; ++i)
      counters_[i] = PitCounter::from_kernel(channels_[i], pulses_since(channels_[i]), now());
  }
  Result<> post_load(unsigned) override {
    fetched_at_ = monotonic_ns();
    for (unsigned i = 0; i < 3; ++i) {
      channels_[i] = counters_[i].to_kernel();
      channels_[i].count_load_time = fetched_at_ - ns_of(counters_[i].elapsed(now()));
    }
    flags_ = 0;
    return give() ? Result<>() : fail("KVM_SET_PIT2 refuses the state");
  }

  void set_gate(bool high) override {
    current();
    channels_[2].gate = high;
    give();
  }
  bool gate() const override { return current()[2].gate != 0; }
  bool output() const override { return output_of(current()[2], monotonic_ns()); }

 private:
  Result<> create() {
    kvm_pit_config config{};
    config.flags = KVM_PIT_SPEAKER_DUMMY;
    const int result = call(vm_->fd(), KVM_CREATE_PIT2, &config);
    if (result < 0 && result != -EEXIST) return fail("KVM_CREATE_PIT2: {}", errno_text(-result));
    if (policy_ == LostTickPolicy::Delay) return {};
    kvm_reinject_control control{};
    TRY(try_call("KVM_REINJECT_CONTROL", vm_->fd(), KVM_REINJECT_CONTROL, &control));
    return {};
  }

  void run_state_changed(RunState state) {
    if (!is_realized()) return;
    if (state == RunState::Running) {
      running_ = true;
      give();
    } else if (running_) {
      fetch();
      running_ = false;
      give();
    }
  }

  // The channels as they are: the kernel's while it runs, ours while it stands.
  const std::array<Channel, 3>& current() const {
    if (running_) fetch();
    return channels_;
  }

  void fetch() const {
    kvm_pit_state2 state{};
    if (call(vm_->fd(), KVM_GET_PIT2, &state) < 0) return;
    for (unsigned i = 0; i < 3; ++i) channels_[i] = state.channels[i];
    flags_ = state.flags;
    fetched_at_ = monotonic_ns();
  }

  // The level is the HPET's, which says it again after a load.
  void set_enabled(unsigned, bool on) {
    if (replaced_ == !on) return;
    current();
    replaced_ = !on;
    give();
  }

  u64 now() const { return machine().virtual_clock().ticks(kPitHz); }
  static i64 ns_of(u64 pulses) {
    return static_cast<i64>((u128{pulses} * 1'000'000'000 + kPitHz - 1) / kPitHz);
  }
  // Pulses that a channel had counted when it was fetched.
  u64 pulses_since(const Channel& channel) const {
    const i64 ns = std::max<i64>(fetched_at_ - channel.count_load_time, 0);
    return static_cast<u64>(u128{static_cast<u64>(ns)} * kPitHz / 1'000'000'000);
  }

  bool give() {
    kvm_pit_state2 state{};
    for (unsigned i = 0; i < 3; ++i) state.channels[i] = channels_[i];
    state.flags =
        replaced_ ? flags_ | KVM_PIT_FLAGS_HPET_LEGACY : flags_ & ~u32{KVM_PIT_FLAGS_HPET_LEGACY};
    if (!running_) state.channels[0].mode = kNoTimer;
    return call(vm_->fd(), KVM_SET_PIT2, &state) >= 0;
  }

  // OUT of a channel by its mode (data sheet, "Mode definitions").
  static bool output_of(const Channel& channel, i64 now_ns) {
    const u64 count = channel.count == 0 ? 0x10000 : channel.count;
    const u64 elapsed = static_cast<u64>(std::max<i64>(now_ns - channel.count_load_time, 0));
    const u64 ticks = static_cast<u64>(u128{elapsed} * kPitHz / 1'000'000'000);
    switch (channel.mode & 7) {
      case 0:
      case 1: return ticks >= count;
      case 2:
      case 6: return ticks % count != count - 1;
      case 3:
      case 7: return ticks % count < (count + 1) / 2;
      default: return ticks != count;
    }
  }

  Vm* vm_{};
  IrqOutput irq_;
  u32 iobase_{};
  LostTickPolicy policy_{};
  bool running_{true};
  bool replaced_{false};  ///< by an HPET
  mutable std::array<Channel, 3> channels_{};
  mutable u32 flags_{};
  std::array<Channel, 3> at_reset_{};
  mutable i64 fetched_at_{};
  // As isa-pit saves it. The kernel pulses its output, so that its level is never seen.
  std::array<PitCounter, 3> counters_{};
  bool line_{false};
};

const RegisterType<KvmPit> registration;
const RegisterSavedAs saved_as(KvmPit::kName, "isa-pit");

}  // namespace
}  // namespace rhea::kvm
