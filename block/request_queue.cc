// SPDX-License-Identifier: GPL-2.0-or-later
// A drive's requests and the thread that does them.
#include "block/request_queue.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace rhea::block {
namespace {

using Clock = std::chrono::steady_clock;

// How long the end of a drive waits for a read that nobody wants.
constexpr auto kPatience = std::chrono::milliseconds(200);

}  // namespace

/// Shared with the thread and the main loop, so that none cares who goes first.
struct RequestQueue::State {
  struct Job {
    Ticket ticket{};
    Kind kind{};
    Work work;
    Completion done;
    Result<> result;
  };

  mutable std::mutex mutex;
  std::condition_variable changed;
  EventLoop* loop{};  ///< none once the queue ends
  Ticket last_ticket{0};
  std::deque<Job> waiting;
  Job* current{};  ///< what the disk is at
  std::deque<Job> finished;
  unsigned in_flight{0};  ///< whose completion has not begun
  unsigned holds{0};
  Ticket last_to_begin{0};  ///< while held
  std::function<void()> became_quiet;
  bool delivery_due{false};
  bool ended{false};  ///< the thread does nothing any more
  std::thread thread;

  bool closing() const { return loop == nullptr; }
  bool may_begin(const Job& job) const { return holds == 0 || job.ticket <= last_to_begin; }
  bool quiet() const {
    const auto held =
        std::ranges::count_if(waiting, [this](const Job& j) { return !may_begin(j); });
    return in_flight == static_cast<unsigned>(held);
  }
  bool writes() const {
    return (current != nullptr && current->kind == Kind::Write) ||
           std::ranges::any_of(waiting, [](const Job& job) { return job.kind == Kind::Write; });
  }
};

RequestQueue::RequestQueue(EventLoop& loop, std::function<void()> became_quiet)
    : state_(std::make_shared<State>()) {
  state_->loop = &loop;
  state_->became_quiet = std::move(became_quiet);
  // The process's signals are for other threads: the new one inherits a full mask.
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &old);
  state_->thread = std::thread([state = state_] { serve(state); });
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

RequestQueue::~RequestQueue() { close(Clock::now()); }

std::optional<RequestQueue::Rest> RequestQueue::close(Time until) {
  State& state = *state_;
  if (!state.thread.joinable()) return {};
  std::deque<State::Job> unwanted, finished;
  std::unique_lock lock(state.mutex);
  state.loop = nullptr;
  state.holds = 0;
  for (State::Job& job : state.waiting)
    if (job.kind == Kind::Read) unwanted.push_back(std::move(job));
  std::erase_if(state.waiting, [](const State::Job& job) { return job.kind == Kind::Read; });
  finished.swap(state.finished);
  state.changed.notify_all();
  state.changed.wait_until(lock, until, [&state] { return state.ended || !state.writes(); });
  state.changed.wait_until(lock, std::min(until, Clock::now() + kPatience),
                           [&state] { return state.ended; });
  std::thread thread = std::move(state.thread);
  const bool ended = state.ended, writes = state.writes();
  lock.unlock();
  if (ended)
    thread.join();
  else
    thread.detach();
  return writes ? std::optional<Rest>(state_) : std::nullopt;
}

bool RequestQueue::Rest::wait(Time until) const {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_until(lock, until,
                                    [this] { return state_->ended || !state_->writes(); });
}

void RequestQueue::serve(const std::shared_ptr<State>& state) {
  pthread_setname_np(pthread_self(), "block-io");
  std::unique_lock lock(state->mutex);
  while (true) {
    state->changed.wait(lock, [&] {
      return state->closing() ||
             (!state->waiting.empty() && state->may_begin(state->waiting.front()));
    });
    if (state->waiting.empty()) break;
    State::Job job = std::move(state->waiting.front());
    state->waiting.pop_front();
    state->current = &job;
    lock.unlock();
    job.result = job.work();
    lock.lock();
    state->current = nullptr;
    state->changed.notify_all();
    if (state->closing()) continue;
    state->finished.push_back(std::move(job));
    if (!std::exchange(state->delivery_due, true)) state->loop->defer([state] { deliver(state); });
  }
  state->ended = true;
  state->changed.notify_all();
}

// Hands out what has arrived, but not for ever: completions may start new requests.
void RequestQueue::deliver(const std::shared_ptr<State>& state) {
  std::unique_lock lock(state->mutex);
  state->delivery_due = false;
  for (std::size_t left = state->finished.size(); left != 0 && !state->finished.empty(); --left) {
    State::Job job = std::move(state->finished.front());
    state->finished.pop_front();
    --state->in_flight;
    lock.unlock();
    if (job.done) job.done(std::move(job.result));
    job = {};
    lock.lock();
  }
  if (state->closing()) return;
  if (!state->finished.empty()) {
    if (!std::exchange(state->delivery_due, true)) state->loop->defer([state] { deliver(state); });
    return;
  }
  if (!state->quiet()) return;
  lock.unlock();
  state->became_quiet();
}

RequestQueue::Ticket RequestQueue::add(Kind kind, Work work, Completion done) {
  const std::lock_guard lock(state_->mutex);
  const Ticket ticket = ++state_->last_ticket;
  state_->waiting.push_back({.ticket = ticket,
                             .kind = kind,
                             .work = std::move(work),
                             .done = std::move(done),
                             .result = {}});
  ++state_->in_flight;
  state_->changed.notify_all();
  return ticket;
}

bool RequestQueue::withdraw(Ticket ticket) {
  State::Job taken;  // dies without the lock
  const std::lock_guard lock(state_->mutex);
  for (auto* jobs : {&state_->waiting, &state_->finished}) {
    const auto found = std::ranges::find(*jobs, ticket, &State::Job::ticket);
    if (found == jobs->end()) continue;
    taken = std::move(*found);
    jobs->erase(found);
    --state_->in_flight;
    // Somebody may have waited for just that.
    if (state_->quiet() && !std::exchange(state_->delivery_due, true))
      state_->loop->defer([state = state_] { deliver(state); });
    return true;
  }
  return false;
}

bool RequestQueue::drain(std::optional<Time> until) {
  while (true) {
    {
      std::unique_lock lock(state_->mutex);
      if (state_->quiet()) return true;
      const auto some_finished = [this] { return !state_->finished.empty(); };
      if (!until)
        state_->changed.wait(lock, some_finished);
      else if (!state_->changed.wait_until(lock, *until, some_finished))
        return false;
    }
    deliver(state_);
  }
}

void RequestQueue::hold() {
  const std::lock_guard lock(state_->mutex);
  if (state_->holds++ == 0) state_->last_to_begin = state_->last_ticket;
}

void RequestQueue::release() {
  const std::lock_guard lock(state_->mutex);
  if (state_->holds != 0) --state_->holds;
  state_->changed.notify_all();
}

bool RequestQueue::quiet() const {
  const std::lock_guard lock(state_->mutex);
  return state_->quiet();
}

unsigned RequestQueue::in_flight() const {
  const std::lock_guard lock(state_->mutex);
  return state_->in_flight;
}

}  // namespace rhea::block
