// SPDX-License-Identifier: GPL-2.0-or-later
// The machine as a debugger sees it: breakpoints, running and stopping.
#include "accel/accelerator.h"
#include "gdbstub/target.h"
#include "rhea/softmmu/debugger_link.h"

#include <algorithm>
#include <utility>

namespace rhea::gdbstub {
namespace {

x86::DebugStops stops_of(std::span<const Point> points) {
  x86::DebugStops stops;
  for (const Point& point : points) {
    if (point.kind <= PointKind::Hardware)
      stops.code.push_back(point.address);
    else
      stops.watches.push_back({.first = point.address,
                               .last = point.address + point.length - 1,
                               .reads = point.kind != PointKind::Write,
                               .writes = point.kind != PointKind::Read});
  }
  return stops;
}

bool is_watch(const Stop& stop) {
  return stop.reason && stop.reason->why == x86::DebugStop::Why::Watch;
}

}  // namespace

// All processors stop at the same places. Where one cannot, none does.
Result<> Target::apply(unsigned first_cpu) {
  const x86::DebugStops stops = stops_of(points_);
  for (unsigned n = 0; n < cpus(); ++n) TRY(set_stops((first_cpu + n) % cpus(), stops));
  return {};
}

Result<> Target::set_stops(unsigned cpu, const x86::DebugStops& stops) {
  auto& backend = machine_->service<accel::AccelService>().vcpu(cpu);
  Result<> result;
  machine_->vcpus()[cpu]->run_on([&] { result = backend.set_debug_stops(stops); });
  return result;
}

/// Whether the processor still is at its breakpoint, and gdb does not see that it is one.
bool Target::stands_hidden(const Stop& stop) const {
  const auto code = stops_of(points_).code;
  if (std::ranges::find(code, stop.reason->address) == code.end()) return false;
  const auto now = state(stop.cpu);
  if (!now || x86::code_bits(*now) == 64) return false;
  const u64 linear = (now->segment[x86::Cs].base + now->rip) & 0xffff'ffff;
  return linear == stop.reason->address && linear != now->rip;
}

std::vector<Action> Target::over_breakpoint(std::span<const Action> actions) {
  std::vector<Action> now(actions.begin(), actions.end());
  const auto at = std::exchange(at_breakpoint_, {});
  rest_.reset();
  if (!at || now[at->cpu] == Action::Stay || !stands_hidden(*at)) return now;
  lifted_ = at->cpu;
  x86::DebugStops watches = stops_of(points_);
  watches.code.clear();
  static_cast<void>(set_stops(at->cpu, watches));  // fewer are always possible
  if (now[at->cpu] == Action::Step) return now;
  rest_ = now;
  std::ranges::fill(now, Action::Stay);
  now[at->cpu] = Action::Step;
  return now;
}

std::optional<std::vector<Action>> Target::rest_of_run(const std::optional<Stop>& stop) {
  auto rest = std::exchange(rest_, {});
  if (!stop || !stop->reason || stop->reason->why != x86::DebugStop::Why::Step) return std::nullopt;
  return rest;
}

Result<> Target::insert(const Point& point, unsigned cpu) {
  if (point.length == 0 || point.address + (point.length - 1) < point.address)
    return fail("no range of memory: {:#x}, {} bytes", point.address, point.length);
  if (std::ranges::find(points_, point) != points_.end()) return {};
  if (points_.size() >= kMaxPoints) return fail("more than {} breakpoints", kMaxPoints);
  points_.push_back(point);
  auto result = apply(cpu);
  if (result) return {};
  points_.pop_back();
  static_cast<void>(apply(cpu));  // what there was before was possible
  return result;
}

Result<> Target::remove(const Point& point, unsigned cpu) {
  if (std::erase(points_, point) == 0) return fail("no such breakpoint at {:#x}", point.address);
  return apply(cpu);
}

void Target::remove_all() {
  kept_.clear();
  rest_.reset();
  lifted_.reset();
  at_breakpoint_.reset();
  if (points_.empty()) return;
  points_.clear();
  static_cast<void>(apply(0));  // to stop nowhere is always possible
}

bool Target::run(std::span<const Action> wanted) {
  const RunState now = machine_->run_state();
  if (now == RunState::Shutdown || now == RunState::InternalError || now == RunState::GuestPanicked)
    return false;
  if (now == RunState::Suspended) return true;  // only waking helps
  auto& accel = machine_->service<accel::AccelService>();
  const std::vector<Action> actions = over_breakpoint(wanted);
  auto& held = machine_->service<DebuggerLink>().held;
  held.resize(cpus());
  bool any_steps = false, any_sleeps = false;
  for (unsigned cpu = 0; cpu < cpus(); ++cpu) {
    held[cpu] = actions[cpu] == Action::Stay;
    if (actions[cpu] != Action::Step) continue;
    any_steps = true;
    const auto before = state(cpu);
    any_sleeps |= before && before->mp_state == x86::MpState::Halted;
    const auto how = (step_bits & step::kNoIrq) != 0 ? accel::SingleStep::HoldingInterrupts
                                                     : accel::SingleStep::On;
    machine_->vcpus()[cpu]->run_on(
        [&] { static_cast<void>(accel.vcpu(cpu).set_single_step(how)); });
  }
  machine_->resume();
  // Timers fire on this thread alone: none does between the two. One may be all that wakes a
  // processor from HLT.
  if (any_steps && !any_sleeps && (step_bits & step::kNoTimer) != 0)
    machine_->virtual_clock().stop();
  return true;
}

void Target::stop() {
  if (goes_on()) machine_->pause(RunState::Paused);
}

void Target::release() {
  auto& accel = machine_->service<accel::AccelService>();
  machine_->service<DebuggerLink>().held.clear();
  // The clock goes on with a machine that is running.
  if (running()) machine_->virtual_clock().start();
  for (unsigned cpu = 0; cpu < cpus(); ++cpu) {
    machine_->vcpus()[cpu]->run_on(
        [&] { static_cast<void>(accel.vcpu(cpu).set_single_step(accel::SingleStep::Off)); });
    if (running()) machine_->vcpus()[cpu]->resume();
  }
}

std::optional<Stop> Target::stopped() {
  release();
  if (lifted_) static_cast<void>(set_stops(*std::exchange(lifted_, {}), stops_of(points_)));
  auto& accel = machine_->service<accel::AccelService>();
  std::optional<Stop> first;
  for (unsigned cpu = 0; cpu < cpus(); ++cpu) {
    Stop stop{.cpu = cpu, .reason = {}};
    machine_->vcpus()[cpu]->run_on([&] { stop.reason = accel.vcpu(cpu).take_debug_stop(); });
    if (!stop.reason) continue;
    // Breakpoints are met again, and nobody waits for the end of a step any more.
    if (first && is_watch(stop))
      kept_.push_back(stop);
    else if (!first)
      first = stop;
  }
  const bool breakpoint = first && first->reason->why == x86::DebugStop::Why::Code;
  at_breakpoint_ = breakpoint ? first : std::nullopt;
  return first;
}

std::optional<Stop> Target::take_kept_stop() {
  while (!kept_.empty()) {
    const Stop stop = kept_.front();
    kept_.erase(kept_.begin());
    const auto watches = stops_of(points_).watches;
    if (std::ranges::find(watches, stop.reason->watch) != watches.end()) return stop;
  }
  return std::nullopt;
}

}  // namespace rhea::gdbstub
