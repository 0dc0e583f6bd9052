// SPDX-License-Identifier: GPL-2.0-or-later
// What a debugger makes the machine do: run, stop, step, end.
#include "gdbstub/session.h"
#include "rhea/util/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace rhea::gdbstub {
namespace {

// The protocol's own numbers of signals.
constexpr int kInt = 2, kQuit = 3, kTrap = 5, kAbort = 6, kIo = 23, kUnknown = 143;

int signal_of(RunState state) {
  switch (state) {
    case RunState::Debug:
    case RunState::Prelaunch: return kTrap;
    case RunState::Shutdown: return kQuit;
    case RunState::InternalError:
    case RunState::GuestPanicked: return kAbort;
    case RunState::IoError: return kIo;
    case RunState::Paused:
    case RunState::Suspended: return kInt;
    default: return kUnknown;
  }
}

std::string_view watch_name(const x86::WatchedRange& range) {
  if (!range.writes) return "rwatch";
  return range.reads ? "awatch" : "watch";
}

}  // namespace

void Session::run_state_changed(RunState state) {
  if (state == RunState::Running || state == RunState::SaveVm || state == RunState::RestoreVm)
    return;
  if (!waiting_) return;
  const auto stop = target_.stopped();
  if (state == RunState::Debug)
    if (auto rest = target_.rest_of_run(stop)) return run_later(std::move(*rest));
  waiting_ = false;
  report(stop);
}

// The machine is still being stopped. Whoever interrupts meanwhile has been answered.
void Session::run_later(std::vector<Action> actions) {
  rest_ = std::move(actions);
  run_later_.schedule();
}

void Session::report(const std::optional<Stop>& stop) {
  if (stop) cpu_ = run_cpu_ = stop->cpu;
  std::string text = fmt::format(
      "T{:02x}thread:{};", stop ? kTrap : signal_of(machine_->run_state()), thread_text(cpu_));
  if (stop && stop->reason && stop->reason->why == x86::DebugStop::Why::Watch)
    text += fmt::format("{}:{:x};", watch_name(stop->reason->watch), stop->reason->address);
  reply(text);
}

// A debugger begins with it.
void Session::why_stopped(Request) {
  attach();
  target_.remove_all();
  reply(fmt::format("T{:02x}thread:{};", kTrap, thread_text(cpu_)));
}

void Session::attach() {
  attached_ = true;
  target_.stop();
}

void Session::extend(Request) { reply("OK"); }

void Session::run(std::span<const Action> actions) {
  if (const auto kept = target_.take_kept_stop()) return report(kept);
  if (!target_.may_change()) {
    waiting_ = false;
    return error(EBUSY);
  }
  waiting_ = target_.run(actions);
  // Only a reset helps: better an answer than none for ever.
  if (!waiting_) report(std::nullopt);
}

void Session::resume_packet(Request request, Action action) {
  if (!request.at_end()) {
    if (!target_.may_change()) return error(EBUSY);
    const auto address = request.number();
    auto state = target_.state(run_cpu_);
    if (!address || !request.at_end() || !state) return error(EINVAL);
    state->rip = *address;
    if (!target_.set_state(run_cpu_, *state)) return error(EINVAL);
  }
  std::vector<Action> actions(target_.cpus(), Action::Go);
  actions[run_cpu_] = action;
  run(actions);
}

void Session::go_on(Request request) { resume_packet(request, Action::Go); }
void Session::step_on(Request request) { resume_packet(request, Action::Step); }

// A processor has no signals: gdb passes the one on that it was told when it stopped.
void Session::go_on_with_signal(Request request) {
  if (!request.number()) return error(EINVAL);
  request.skip(";");
  resume_packet(request, Action::Go);
}
void Session::step_with_signal(Request request) {
  if (!request.number()) return error(EINVAL);
  request.skip(";");
  resume_packet(request, Action::Step);
}

void Session::verbose(Request request) {
  if (request.skip("Cont?")) return reply("vCont;c;C;s;S");
  if (request.skip("Cont;")) return resume_threads(request);
  if (request.skip("Kill;")) return kill(request);
  if (!request.skip("Attach;")) return reply("");
  if (request.number() != 1 || !request.at_end()) return error(EINVAL);
  attach();
  reply(fmt::format("T{:02x}thread:{};", kTrap, thread_text(cpu_)));
}

// "s:p1.1;c": of the actions that name a processor, the first counts.
void Session::resume_threads(Request request) {
  std::vector<std::optional<Action>> chosen(target_.cpus());
  while (!request.at_end()) {
    Request part(request.until(';'));
    const bool step = part.skip("s") || part.skip("S");
    if (!step && !part.skip("c") && !part.skip("C")) return error(EINVAL);
    part.number();  // a signal
    ThreadId who{.which = ThreadId::Which::All};
    if (part.skip(":")) {
      const auto given = part.thread(target_.cpus());
      if (!given) return error(EINVAL);
      who = *given;
    }
    if (!part.at_end()) return error(EINVAL);
    if (who.which == ThreadId::Which::Any) who = {.which = ThreadId::Which::One, .cpu = run_cpu_};
    for (unsigned cpu = 0; cpu < target_.cpus(); ++cpu)
      if (!chosen[cpu] && who.means(cpu)) chosen[cpu] = step ? Action::Step : Action::Go;
  }
  std::vector<Action> actions;
  for (const auto& action : chosen) actions.push_back(action.value_or(Action::Stay));
  if (std::ranges::all_of(actions, [](Action a) { return a == Action::Stay; }))
    return error(EINVAL);
  run(actions);
}

void Session::interrupt() {
  if (!attached_) return;
  if (target_.goes_on()) return target_.stop();  // run_state_changed() tells of it
  if (!std::exchange(waiting_, false)) return;
  report(target_.stopped());  // it sleeps, or waits for a reset
}

void Session::detach(Request request) {
  if (!request.at_end() && (!request.skip(";") || request.number() != 1)) return error(EINVAL);
  if (!target_.may_change()) return error(EBUSY);
  target_.remove_all();
  const std::vector<Action> all(target_.cpus(), Action::Go);
  target_.run(all);
  attached_ = false;
  reply("OK");
}

void Session::kill(Request) {
  report_info("the machine was ended by a debugger");
  reply("OK");
  waiting_ = attached_ = false;
  machine_->request_shutdown(ShutdownCause::HostQmpQuit);
}

// It has no answer.
void Session::restart(Request) {
  if (!target_.may_change()) return;
  machine_->request_reset(ShutdownCause::HostQmpSystemReset, ResetKind::Cold);
}

void Session::choose_thread(Request request) {
  const bool for_running = request.skip("c");
  if (!for_running && !request.skip("g")) return error(EINVAL);
  const auto who = request.thread(target_.cpus());
  if (!who || !request.at_end()) return error(EINVAL);
  if (who->which == ThreadId::Which::One) (for_running ? run_cpu_ : cpu_) = who->cpu;
  reply("OK");
}

void Session::thread_alive(Request request) {
  const auto who = request.thread(target_.cpus());
  ok_or_error(who && who->which == ThreadId::Which::One && request.at_end());
}

}  // namespace rhea::gdbstub
