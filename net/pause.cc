// SPDX-License-Identifier: GPL-2.0-or-later
#include "net/pause.h"

#include <sys/timerfd.h>

#include <utility>

namespace rhea::net {

Pause::Pause() : timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {}

void Pause::begin(EventLoop& loop, std::chrono::milliseconds length, std::function<void()> then) {
  call_ = std::make_shared<std::function<void()>>(std::move(then));
  const auto fire = [this, weak = std::weak_ptr(call_)] {
    const auto call = weak.lock();
    if (call == nullptr) return;
    end();
    (*call)();
  };
  if (!timer_) return loop.defer(fire);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(length);
  const std::chrono::nanoseconds rest = length - seconds;
  const itimerspec once{.it_interval = {},
                        .it_value = {.tv_sec = seconds.count(), .tv_nsec = rest.count()}};
  ::timerfd_settime(timer_.get(), 0, &once, nullptr);
  watch_ = loop.watch_fd(timer_.get(), FdEvents::Read, [fire](FdEvents) { fire(); });
}

void Pause::end() {
  watch_.remove();
  call_.reset();
}

}  // namespace rhea::net
