// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/conformance/watch.h"

#include "tests/support/environment.h"

#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#include <sanitizer/common_interface_defs.h>
#define RHEA_SANITIZED 1
#else
#define RHEA_SANITIZED 0
#endif

namespace rhea::test {
namespace {

struct Watched {
  std::array<char, 80> name{};  ///< of the device: not on the heap, which may be overwritten
  std::string_view device;
  Happening happening;
  std::atomic<u64> count{0};  ///< of what has begun
  u64 seen{0};                ///< of it when the clock last struck
  bool active{false};
};

Watched& watched() {
  static Watched one;
  return one;
}

// The process is at its end: what a handler of signals may not do does no harm any more.
void say(std::string_view what) {
  Text line;
  const Watched& w = watched();
  if (w.active) append_text(line, w.happening, w.device);
  for (const std::string_view part :
       {std::string_view(w.active ? ": " : ""), what, std::string_view("\n")})
    line.append(part.data(), part.data() + part.size());
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

void struck(int) {
  Watched& w = watched();
  const u64 count = w.count.load(std::memory_order_relaxed);
  if (count != w.seen) {
    w.seen = count;
    return;
  }
  say("never comes back");
  ::_exit(1);
}

constexpr std::array kDeadly = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

std::string_view cause_of_death(int signal) {
  switch (signal) {
    case SIGSEGV: return "dies of a wild pointer, or recursion without end (SIGSEGV)";
    case SIGBUS: return "dies of a bus error (SIGBUS)";
    case SIGFPE: return "dies of a division by zero (SIGFPE)";
    case SIGILL: return "dies of an illegal instruction (SIGILL)";
    default: return "dies of an abort (SIGABRT)";
  }
}

void died(int signal) {
  for (const int deadly : kDeadly) std::signal(deadly, SIG_DFL);
  say(cause_of_death(signal));
  ::raise(signal);
}

// A stack of its own, for handlers after a recursion without end.
void catch_crashes() {
  alignas(16) static std::array<char, 64 * 1024> stack_memory;
  stack_t stack{};
  stack.ss_sp = stack_memory.data();
  stack.ss_size = stack_memory.size();
  ::sigaltstack(&stack, nullptr);
  struct sigaction action{};
  action.sa_handler = died;
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  for (const int signal : kDeadly) ::sigaction(signal, &action, nullptr);
}

void set_alarm(unsigned seconds) {
  itimerval every{};
  every.it_interval.tv_sec = every.it_value.tv_sec = seconds;
  ::setitimer(ITIMER_REAL, &every, nullptr);
}

}  // namespace

Watch::Watch(std::string_view device, unsigned seconds) {
  Watched& w = watched();
  w.device = {w.name.data(), device.copy(w.name.data(), w.name.size())};
  w.active = true;
#if RHEA_SANITIZED
  __sanitizer_set_death_callback([] {
    if (watched().active) say("dies");
  });
#else
  catch_crashes();
#endif
  std::signal(SIGALRM, struck);
  set_alarm(seconds);
}

Watch::~Watch() {
  set_alarm(0);
  std::signal(SIGALRM, SIG_DFL);
  if (!RHEA_SANITIZED)
    for (const int signal : kDeadly) std::signal(signal, SIG_DFL);
  watched().active = false;
}

void Watch::begin(const Happening& happening) {
  Watched& w = watched();
  w.happening = happening;
  w.count.fetch_add(1, std::memory_order_relaxed);
}

std::string Watch::now() {
  const Watched& w = watched();
  return w.active ? text_of(w.happening, w.device) : std::string("outside of any device");
}

unsigned hang_seconds() { return static_cast<unsigned>(from_environment("RHEA_HANG_SECONDS", 20)); }

}  // namespace rhea::test
