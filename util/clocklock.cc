// SPDX-License-Identifier: GPL-2.0-or-later
// pthread_mutex_clocklock() for the thread sanitizer of GCC 12, which does not know it: it would
// see no lock taken where a std::timed_mutex is waited for, and races wherever one is contended.
#include <pthread.h>
#include <time.h>

#include <chrono>

namespace {

timespec now(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return time;
}

std::chrono::nanoseconds since_zero(const timespec& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

// By the wall clock, which the sanitizer knows: whoever sets it meanwhile changes how long is
// waited.
extern "C" int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                                       const timespec* deadline) noexcept {
  constexpr long kNsPerSecond = 1'000'000'000;
  const auto at =
      since_zero(now(CLOCK_REALTIME)) + (since_zero(*deadline) - since_zero(now(clock)));
  const timespec wall{.tv_sec = static_cast<time_t>(at.count() / kNsPerSecond),
                      .tv_nsec = static_cast<long>(at.count() % kNsPerSecond)};
  return ::pthread_mutex_timedlock(mutex, &wall);
}
