// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/signals.h"

#include "rhea/util/log.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <optional>

namespace rhea::cli {
namespace {

std::optional<signalfd_siginfo> next_signal(int fd) {
  signalfd_siginfo info{};
  if (::read(fd, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return info;
}

void tell(const signalfd_siginfo& info) {
  // A terminal's has none.
  const std::string whom = info.ssi_pid != 0 ? fmt::format(" from pid {}", info.ssi_pid) : "";
  report_info(fmt::format("terminating on signal {}{}", info.ssi_signo, whom));
}

}  // namespace

SignalWatch::SignalWatch() : started_(eventfd(0, EFD_CLOEXEC)) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_ = FileDescriptor(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  waiter_ = std::thread([this] { wait_during_start(); });
}

SignalWatch::~SignalWatch() { end_wait(); }

void SignalWatch::wait_during_start() {
  std::array<pollfd, 2> states{pollfd{.fd = fd_.get(), .events = POLLIN, .revents = 0},
                               pollfd{.fd = started_.get(), .events = POLLIN, .revents = 0}};
  for (;;) {
    poll(states.data(), states.size(), -1);
    if (states[1].revents != 0) return;
    if (states[0].revents == 0) continue;
    if (const auto info = next_signal(fd_.get())) {
      tell(*info);
      std::quick_exit(1);
    }
  }
}

void SignalWatch::end_wait() {
  if (!waiter_.joinable()) return;
  eventfd_write(started_.get(), 1);
  waiter_.join();
}

void SignalWatch::hand_over(Machine& machine) {
  end_wait();
  watch_ = machine.loop().watch_fd(fd_.get(), FdEvents::Read, [this, &machine](FdEvents) {
    if (const auto info = next_signal(fd_.get())) {
      tell(*info);
      machine.request_shutdown(ShutdownCause::HostSignal);
    }
  });
}

}  // namespace rhea::cli
