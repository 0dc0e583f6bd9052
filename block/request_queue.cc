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
  bool delivery_due{false};
  bool ended{false};  ///< the thread does nothing any more
  std::thread thread;

  bool closing() const { return loop == nullptr; }
};

RequestQueue::RequestQueue(EventLoop& loop) : state_(std::make_shared<State>()) {
  state_->loop = &loop;
  // The process's signals are for other threads: the new one inherits a full mask.
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &old);
  state_->thread = std::thread([state = state_] { serve(state); });
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

RequestQueue::~RequestQueue() {
  State& state = *state_;
  std::deque<State::Job> unwanted, finished;
  std::unique_lock lock(state.mutex);
  state.loop = nullptr;
  for (State::Job& job : state.waiting)
    if (job.kind == Kind::Read) unwanted.push_back(std::move(job));
  std::erase_if(state.waiting, [](const State::Job& job) { return job.kind == Kind::Read; });
  finished.swap(state.finished);
  state.changed.notify_all();
  const auto writes = [&state] {
    return !state.waiting.empty() ||
           (state.current != nullptr && state.current->kind == Kind::Write);
  };
  state.changed.wait(lock, [&] { return state.ended || !writes(); });
  state.changed.wait_for(lock, kPatience, [&state] { return state.ended; });
  std::thread thread = std::move(state.thread);
  const bool ended = state.ended;
  lock.unlock();
  if (ended)
    thread.join();
  else
    thread.detach();
}

void RequestQueue::serve(const std::shared_ptr<State>& state) {
  pthread_setname_np(pthread_self(), "block-io");
  std::unique_lock lock(state->mutex);
  while (true) {
    state->changed.wait(lock, [&] { return state->closing() || !state->waiting.empty(); });
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
  if (state->finished.empty() || state->closing()) return;
  if (!std::exchange(state->delivery_due, true)) state->loop->defer([state] { deliver(state); });
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
    return true;
  }
  return false;
}

void RequestQueue::drain() {
  while (true) {
    {
      std::unique_lock lock(state_->mutex);
      if (state_->in_flight == 0) return;
      state_->changed.wait(lock, [this] { return !state_->finished.empty(); });
    }
    deliver(state_);
  }
}

unsigned RequestQueue::in_flight() const {
  const std::lock_guard lock(state_->mutex);
  return state_->in_flight;
}

}  // namespace rhea::block
