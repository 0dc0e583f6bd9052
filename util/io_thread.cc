// SPDX-License-Identifier: GPL-2.0-or-later
#include "rhea/util/io_thread.h"

#include "rhea/util/error.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <future>

namespace rhea {

IoThread::IoThread(const std::string& name, LockDomain* domain) : loop_(domain) {
  // Signals are the main thread's: the new thread inherits that they are blocked.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  std::promise<int> started;
  thread_ = std::thread([this, &started] {
    started.set_value(::gettid());
    loop_.run();
  });
  id_ = started.get_future().get();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

IoThread::~IoThread() {
  // In a call of the loop: run() would begin anew what quit() said before it began.
  loop_.defer([this] { loop_.quit(); });
  thread_.join();
}

}  // namespace rhea
