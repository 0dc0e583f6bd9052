// SPDX-License-Identifier: GPL-2.0-or-later
// Output to host files by a thread of its own.
#include "rhea/util/file_writer.h"

#include "rhea/util/file_descriptor.h"
#include "rhea/util/host_file.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace rhea {

struct FileWriter::State {
  State(Sink to, std::size_t bound, Events heard)
      : sink(std::move(to)), most(bound), events(std::move(heard)) {}

  Sink sink;
  const std::size_t most;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<u8> waiting;
  std::size_t writing{0};  ///< bytes that the thread has
  bool started{false};
  bool wants_room{false};
  bool closing{false};
  bool warned{false};
  std::mutex event_mutex;  ///< held while an event is told: none after the end
  Events events;
};

FileWriter::Sink FileWriter::to_file(FileDescriptor fd) {
  const auto close = [](FileDescriptor* file) {
    close_host_file(std::move(*file));
    delete file;
  };
  return [fd = std::shared_ptr<FileDescriptor>(new FileDescriptor(std::move(fd)), close)](
             std::span<const u8> data) -> Result<std::size_t> {
    while (true) {
      const ssize_t n = ::write(fd->get(), data.data(), data.size());
      if (n >= 0) return static_cast<std::size_t>(n);
      if (errno == EAGAIN) {
        pollfd state{.fd = fd->get(), .events = POLLOUT, .revents = 0};
        ::poll(&state, 1, -1);
      } else if (errno != EINTR) {
        return fail("{}", errno_text(errno));
      }
    }
  };
}

FileWriter::FileWriter(Sink sink, std::size_t most, Events events)
    : state_(std::make_shared<State>(std::move(sink), most, std::move(events))) {}

FileWriter::~FileWriter() {
  {
    const std::lock_guard told(state_->event_mutex);
    state_->events = {};
  }
  const std::lock_guard lock(state_->mutex);
  state_->closing = true;
  state_->changed.notify_all();
}

std::size_t FileWriter::write(std::span<const u8> data) {
  State& state = *state_;
  const std::lock_guard lock(state.mutex);
  const std::size_t free = state.most - std::min(state.most, state.waiting.size() + state.writing);
  const auto taken = data.first(std::min(data.size(), free));
  state.wants_room = state.wants_room || taken.size() < data.size();
  if (taken.empty()) return 0;
  state.waiting.insert(state.waiting.end(), taken.begin(), taken.end());
  if (!std::exchange(state.started, true)) {
    // The process's signals are for other threads: the new one inherits a full mask.
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    std::thread([state = state_] { serve(state); }).detach();
    pthread_sigmask(SIG_SETMASK, &old, nullptr);
  }
  state.changed.notify_all();
  return taken.size();
}

bool FileWriter::flush(Time until) {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_until(
      lock, until, [this] { return state_->waiting.empty() && state_->writing == 0; });
}

void FileWriter::serve(const std::shared_ptr<State>& state) {
  pthread_setname_np(pthread_self(), "file-writer");
  std::vector<u8> data;
  std::unique_lock lock(state->mutex);
  while (true) {
    state->changed.wait(lock, [&] { return state->closing || !state->waiting.empty(); });
    if (state->waiting.empty()) return;
    data.clear();
    data.swap(state->waiting);
    state->writing = data.size();
    while (state->writing != 0) {
      lock.unlock();
      auto sent = state->sink(std::span<const u8>(data).last(state->writing));
      if (!sent && !std::exchange(state->warned, true)) {
        const std::lock_guard told(state->event_mutex);
        if (state->events.failed) state->events.failed(sent.error());
      }
      lock.lock();
      state->writing -= sent ? std::min(*sent, state->writing) : state->writing;
      state->changed.notify_all();
      if (!std::exchange(state->wants_room, false)) continue;
      lock.unlock();
      {
        const std::lock_guard told(state->event_mutex);
        if (state->events.room) state->events.room();
      }
      lock.lock();
    }
  }
}

}  // namespace rhea
