// SPDX-License-Identifier: GPL-2.0-or-later
// Signals as main-loop events.
#include "cli/signals.h"

#include "rhea/util/log.h"

#include <pthread.h>
#include <sys/signalfd.h>

#include <csignal>
#include <cstring>

namespace rhea::cli {

SignalWatch::SignalWatch(Machine& machine) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_ = FileDescriptor(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  watch_ = machine.loop().watch_fd(fd_.get(), FdEvents::Read, [this, &machine](FdEvents) {
    signalfd_siginfo info{};
    if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return;
    report_info(fmt::format("terminating on signal {} from pid {}", info.ssi_signo, info.ssi_pid));
    machine.request_shutdown(ShutdownCause::HostSignal);
  });
}

}  // namespace rhea::cli
