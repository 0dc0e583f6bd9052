// SPDX-License-Identifier: GPL-2.0-or-later
// The machine: construction, running and stopping, reset and shutdown.
#include "rhea/softmmu/machine.h"

#include "rhea/qom/registry.h"
#include "rhea/softmmu/actions.h"
#include "rhea/softmmu/debugger_link.h"

#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace rhea {

/// What was asked for and not yet done; from any thread.
struct Machine::Requests {
  std::mutex mutex;
  std::optional<std::pair<ShutdownCause, ResetKind>> reset;
  std::optional<ShutdownCause> shutdown;
  std::optional<RunState> pause;
  bool powerdown{false};

  /// The host's time at which the main loop will look at the timers by itself; the past while it is
  /// not waiting, and then it looks before it waits.
  std::atomic<i64> looks_at{0};
};

namespace {

constexpr i64 kNever = std::numeric_limits<i64>::max();

i64 host_now_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

/// From now to the first timer of a clock that moves; negative for none.
i64 until_next_timer(const Clock& clock) {
  const i64 expiry = clock.ticking() ? clock.next_expiry_ns() : -1;
  return expiry < 0 ? -1 : std::max<i64>(expiry - clock.now_ns(), 0);
}

/// After a timer of the clock was armed, on any thread: wakes the main loop, which costs a system
/// call, only where it would come too late by itself. (A guest may arm timers with every access to
/// a device.)
void wake_in_time(const Clock& clock, EventLoop& loop, std::atomic<i64>& looks_at) {
  constexpr i64 kReadingClocks = 10'000;  // the same moment, seen by two clocks one after the other
  const i64 wait = until_next_timer(clock);
  if (wait < 0) return;
  const i64 due = host_now_ns() + wait;
  if (due + kReadingClocks >= looks_at) return;
  looks_at = due;
  loop.wake();
}

}  // namespace

Machine::Machine()
    : loop_(&lock_),
      virtual_clock_(Clock::Kind::Virtual,
                     [this] { wake_in_time(virtual_clock_, loop_, requests_->looks_at); }),
      host_clock_(Clock::Kind::Host,
                  [this] { wake_in_time(host_clock_, loop_, requests_->looks_at); }),
      realtime_clock_(Clock::Kind::Realtime,
                      [this] { wake_in_time(realtime_clock_, loop_, requests_->looks_at); }),
      map_(&lock_),
      system_memory_(),
      system_io_(),
      memory_((system_memory_.init_container(nullptr, "system", Region::kWholeSpace), map_),
              "memory", system_memory_),
      io_((system_io_.init_container(nullptr, "io", 0x10000), map_), "I/O", system_io_, true),
      requests_(std::make_unique<Requests>()) {
  become_root(*this, "");
  loop_.set_deadline_source(
      [this] {
        // Whoever arms a timer from here on wakes the loop, until it is known when it looks itself.
        requests_->looks_at = kNever;
        i64 least = -1;
        for (const Clock* clock : {&virtual_clock_, &host_clock_, &realtime_clock_}) {
          const i64 wait = until_next_timer(*clock);
          if (wait >= 0) least = least < 0 ? wait : std::min(least, wait);
        }
        if (least >= 0) requests_->looks_at = host_now_ns() + least;
        return least;
      },
      [this] {
        for (Clock* clock : {&virtual_clock_, &host_clock_, &realtime_clock_}) clock->run_expired();
      });
}

Machine::~Machine() {
  stop_vcpus();
  const DomainGuard guard(&lock_);
  // By number: who ends may ask for a service that nobody has used yet.
  for (std::size_t n = service_order_.size(); n-- > 0;) service_order_[n]->shutdown();
  {
    // One change of the map instead of one for each region that dies below.
    const Transaction transaction(map_);
    for (Region* root : {&system_memory_, &system_io_})
      while (!root->children().empty()) root->remove(*root->children().back());
  }
  destroy_children();
  for (std::size_t n = service_order_.size(); n-- > 0;) service_order_[n]->objects_gone();
  while (!service_order_.empty()) {
    const MachineService* last = service_order_.back();
    service_order_.pop_back();
    const auto it =
        std::ranges::find_if(services_, [&](const auto& s) { return s.second.get() == last; });
    services_.erase(it);
  }
}

void Machine::resume() {
  // A machine whose memory is being loaded is none until that has ended.
  if (running() || run_state_ == RunState::RestoreVm) return;
  const bool awakes = run_state_ == RunState::Suspended;
  enter(RunState::Running);
  virtual_clock_.start();
  // Those who set a clock or timer going do it before the guest can program it anew.
  run_state_observers_.tell(RunState::Running);
  service<DebuggerLink>().let_go(vcpus_);
  if (awakes) return;  // the guest's own doing: there are other events for that
  event_observers_.tell(MachineEvent::Resume, ShutdownCause::None);
}

void Machine::pause(RunState why) {
  if (Vcpu::current() != nullptr) return request_pause(why);
  const bool was_running = running();
  quiesce();
  virtual_clock_.stop();
  if (run_state_ == why) return;
  enter(why);
  run_state_observers_.tell(why);
  if (!was_running || why == RunState::Suspended) return;
  event_observers_.tell(MachineEvent::Stop, ShutdownCause::None);
}

// A reset that waited for the end of a load comes now.
void Machine::enter(RunState state) {
  if (run_state_.exchange(state) == RunState::RestoreVm) loop_.defer([this] { settle_requests(); });
}

Result<> Machine::may_change() const {
  if (run_state() == RunState::RestoreVm) return fail("a snapshot is being loaded");
  return {};
}

// Stops every vCPU and waits for it, letting go of the lock that it may need to get there.
void Machine::quiesce() {
  for (const auto& vcpu : vcpus_) vcpu->request_stop();
  const bool held = lock_.held_by_me();
  if (held) lock_.unlock();
  for (const auto& vcpu : vcpus_) vcpu->wait_stopped();
  if (held) lock_.lock();
}

void Machine::request(const std::function<void(Requests&)>& note) {
  if (Vcpu* vcpu = Vcpu::current()) vcpu->request_stop();
  {
    const std::lock_guard guard(requests_->mutex);
    note(*requests_);
  }
  loop_.defer([this] { settle_requests(); });
}

void Machine::request_reset(ShutdownCause cause, ResetKind kind) {
  request([=](Requests& r) { r.reset = {cause, kind}; });
}
void Machine::request_shutdown(ShutdownCause cause) {
  request([=](Requests& r) { r.shutdown = cause; });
}
void Machine::request_powerdown() {
  request([](Requests& r) { r.powerdown = true; });
}
void Machine::request_pause(RunState why) {
  request([=](Requests& r) { r.pause = why; });
}

void Machine::settle_requests() {
  Requests now;
  {
    const std::lock_guard guard(requests_->mutex);
    if (run_state_ != RunState::RestoreVm) now.reset = std::exchange(requests_->reset, {});
    now.shutdown = std::exchange(requests_->shutdown, {});
    now.pause = std::exchange(requests_->pause, {});
    now.powerdown = std::exchange(requests_->powerdown, false);
  }
  if (now.powerdown) {
    event_observers_.tell(MachineEvent::Powerdown, ShutdownCause::None);
    powerdown_observers_.tell();
  }
  if (now.reset && config.no_reboot && now.reset->first != ShutdownCause::SubsystemReset)
    now.shutdown = now.reset->first;
  if (now.shutdown) return shut_down(*now.shutdown);
  if (now.pause) pause(*now.pause);
  if (now.reset) {
    quiesce();
    reset_now(now.reset->first, now.reset->second);
    // Whatever had stopped it is over: it stands before its first instruction, as at the start.
    if (const RunState state = run_state_; state != RunState::Running && state != RunState::SaveVm)
      pause(RunState::Prelaunch);
  }
  if (running()) service<DebuggerLink>().let_go(vcpus_);
}

void Machine::forget_reset() {
  const std::lock_guard guard(requests_->mutex);
  requests_->reset.reset();
}

void Machine::shut_down(ShutdownCause cause) {
  event_observers_.tell(MachineEvent::Shutdown, cause);
  // Signals and quit end the process even under -no-shutdown.
  if (config.no_shutdown && by_guest(cause)) return pause(RunState::Shutdown);
  const bool failed = cause == ShutdownCause::GuestPanic &&
                      service<MachineActions>().panic == PanicAction::ExitFailure;
  exit(failed ? 1 : 0);
}

void Machine::reset_now(ShutdownCause cause, ResetKind kind) {
  {
    const Transaction transaction(map_);
    for_each_top_device([kind](Device& device) { device.reset_tree(kind); });
    reset_observers_.tell(kind);
  }
  if (cause != ShutdownCause::SubsystemReset && cause != ShutdownCause::None)
    event_observers_.tell(MachineEvent::Reset, cause);
}

void Machine::exit(int code) {
  if (Vcpu* vcpu = Vcpu::current()) vcpu->request_stop();
  int none = -1;
  exit_code_.compare_exchange_strong(none, code);
  loop_.quit();
}

int Machine::run_main_loop() {
  // Timers of the guest are not to be rounded for the host's convenience.
  ::prctl(PR_SET_TIMERSLACK, 1UL);
  while (!exit_code()) loop_.iterate(true);
  return *exit_code();
}

void Machine::on_event(std::function<void(MachineEvent, ShutdownCause)> observer, Device* of) {
  event_observers_.add(std::move(observer), of);
}
void Machine::on_run_state(std::function<void(RunState)> observer, Device* of) {
  run_state_observers_.add(std::move(observer), of);
}
void Machine::on_reset(std::function<void(ResetKind)> observer, Device* of) {
  reset_observers_.add(std::move(observer), of);
}
void Machine::on_powerdown(std::function<void()> observer, Device* of) {
  powerdown_observers_.add(std::move(observer), of);
}
void Machine::on_machine_ready(std::function<void()> observer, Device* of) {
  ready_observers_.add(std::move(observer), of);
}
void Machine::machine_ready() { ready_observers_.tell(); }

Vcpu& Machine::add_vcpu(VcpuRunner& runner) {
  const auto index = static_cast<unsigned>(vcpus_.size());
  vcpus_.push_back(std::make_unique<Vcpu>(*this, index, runner));
  if (running()) vcpus_.back()->resume();
  return *vcpus_.back();
}

void Machine::stop_vcpus() {
  if (vcpus_.empty()) return;
  quiesce();
  vcpus_.clear();
}

}  // namespace rhea
