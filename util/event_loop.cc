// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/util/event_loop.h"

#include "rhea/util/error.h"

#include <glib-unix.h>
#include <glib.h>
#include <poll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

namespace rhea {

struct EventLoop::Watch::Impl {
  GSource* source{};
  std::function<void(FdEvents)> callback;

  ~Impl() {
    g_source_destroy(source);
    g_source_unref(source);
  }

  static gboolean ready(gint, GIOCondition condition, gpointer opaque) {
    FdEvents events{};
    if ((condition & (G_IO_IN | G_IO_PRI)) != 0) events = events | FdEvents::Read;
    if ((condition & G_IO_OUT) != 0) events = events | FdEvents::Write;
    if ((condition & (G_IO_HUP | G_IO_ERR | G_IO_NVAL)) != 0) events = events | FdEvents::Hangup;
    // A copy: the callback may remove the watch that holds it.
    const auto callback = static_cast<Impl*>(opaque)->callback;
    callback(events);
    return G_SOURCE_CONTINUE;
  }
};

EventLoop::Watch::Watch() = default;
EventLoop::Watch::Watch(Watch&&) noexcept = default;
EventLoop::Watch& EventLoop::Watch::operator=(Watch&&) noexcept = default;
EventLoop::Watch::~Watch() = default;
void EventLoop::Watch::remove() { impl_.reset(); }

struct EventLoop::Impl {
  GMainContext* context = g_main_context_new();
  LockDomain* domain{};
  std::atomic<bool> quit{false};
  std::mutex deferred_mutex;
  std::vector<std::function<void()>> deferred;
  std::function<i64()> next_deadline;
  std::function<void()> expired;
  std::vector<GPollFD> poll_fds = std::vector<GPollFD>(16);

  ~Impl() { g_main_context_unref(context); }

  bool run_deferred() {
    std::vector<std::function<void()>> work;
    {
      const std::lock_guard lock(deferred_mutex);
      work.swap(deferred);
    }
    for (auto& item : work) item();
    return !work.empty();
  }

  bool has_deferred() {
    const std::lock_guard lock(deferred_mutex);
    return !deferred.empty();
  }

  // How long poll may wait: the lesser of GLib's own time-out and the next deadline; negative for
  // ever.
  i64 wait_ns(int glib_ms) const {
    const i64 deadline_ns = next_deadline ? next_deadline() : -1;
    const i64 glib_ns = glib_ms < 0 ? -1 : i64{glib_ms} * kNsPerMs;
    if (deadline_ns < 0 || glib_ns < 0) return std::max(deadline_ns, glib_ns);
    return std::min(deadline_ns, glib_ns);
  }

  // To the nanosecond, which g_poll cannot: timers of a kilohertz would lose ticks.
  void wait(gint count, i64 ns) {
    static_assert(sizeof(GPollFD) == sizeof(pollfd) &&
                  offsetof(GPollFD, events) == offsetof(pollfd, events) &&
                  offsetof(GPollFD, revents) == offsetof(pollfd, revents));
    const timespec time{.tv_sec = ns / kNsPerSecond, .tv_nsec = ns % kNsPerSecond};
    ::ppoll(reinterpret_cast<pollfd*>(poll_fds.data()), static_cast<nfds_t>(count),
            ns < 0 ? nullptr : &time, nullptr);
  }

  static constexpr i64 kNsPerMs = 1'000'000, kNsPerSecond = 1'000'000'000;
};

EventLoop::EventLoop(LockDomain* domain) : impl_(std::make_unique<Impl>()) {
  impl_->domain = domain;
}
EventLoop::~EventLoop() = default;

EventLoop::Watch EventLoop::watch_fd(int fd, FdEvents events,
                                     std::function<void(FdEvents)> callback) {
  int condition = G_IO_HUP | G_IO_ERR;
  if (has(events, FdEvents::Read)) condition |= G_IO_IN;
  if (has(events, FdEvents::Write)) condition |= G_IO_OUT;
  Watch watch;
  watch.impl_ = std::make_unique<Watch::Impl>();
  watch.impl_->callback = std::move(callback);
  watch.impl_->source = g_unix_fd_source_new(fd, static_cast<GIOCondition>(condition));
  g_source_set_callback(watch.impl_->source, G_SOURCE_FUNC(&Watch::Impl::ready), watch.impl_.get(),
                        nullptr);
  g_source_attach(watch.impl_->source, impl_->context);
  return watch;
}

void EventLoop::defer(std::function<void()> work) {
  {
    const std::lock_guard lock(impl_->deferred_mutex);
    impl_->deferred.push_back(std::move(work));
  }
  wake();
}

void EventLoop::set_deadline_source(std::function<i64()> next_deadline,
                                    std::function<void()> expired) {
  impl_->next_deadline = std::move(next_deadline);
  impl_->expired = std::move(expired);
}

void EventLoop::wake() { g_main_context_wakeup(impl_->context); }

// The kernel may end a sleep 50 microseconds late, to save wake-ups, unless told otherwise.
void EventLoop::run() {
  ::prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  impl_->quit = false;
  while (!impl_->quit) iterate(true);
}

bool EventLoop::iterate(bool may_block) {
  Impl& self = *impl_;
  RHEA_ASSERT(g_main_context_acquire(self.context));
  gint priority = 0;
  g_main_context_prepare(self.context, &priority);
  gint timeout = -1;
  gint count = 0;
  while ((count = g_main_context_query(self.context, priority, &timeout, self.poll_fds.data(),
                                       static_cast<gint>(self.poll_fds.size()))) >
         static_cast<gint>(self.poll_fds.size()))
    self.poll_fds.resize(static_cast<std::size_t>(count));
  const bool block = may_block && !self.has_deferred() && !self.quit;
  self.wait(count, block ? self.wait_ns(timeout) : 0);

  bool worked = false;
  {
    const DomainGuard guard(self.domain);
    if (g_main_context_check(self.context, priority, self.poll_fds.data(), count)) {
      g_main_context_dispatch(self.context);
      worked = true;
    }
    worked |= self.run_deferred();
    if (self.expired) self.expired();
  }
  g_main_context_release(self.context);
  return worked;
}

void EventLoop::quit() {
  impl_->quit = true;
  wake();
}

}  // namespace rhea
