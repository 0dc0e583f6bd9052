// SPDX-License-Identifier: GPL-2.0-or-later
// SIMD floating-point exceptions that the guest has unmasked.
#include "target/x86/interp/simd_trap.h"

#include "target/x86/fpu.h"

#include <immintrin.h>
#include <pthread.h>
#include <ucontext.h>

#include <csetjmp>
#include <csignal>

namespace rhea::x86::interp {
namespace {

struct Trap {
  sigjmp_buf back;
  volatile bool armed{};
  volatile u32 mxcsr{};
};
thread_local Trap t_trap;

void on_sigfpe(int, siginfo_t*, void* context) {
  if (!t_trap.armed) {
    signal(SIGFPE, SIG_DFL);  // somebody else's: happens again, and ends us
    return;
  }
  t_trap.mxcsr = static_cast<ucontext_t*>(context)->uc_mcontext.fpregs->mxcsr;
  siglongjmp(t_trap.back, 1);
}

void install_handler() {
  struct sigaction action{};
  action.sa_sigaction = &on_sigfpe;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGFPE, &action, nullptr);
}

/// A blocked SIGFPE would end the process.
void unblock_sigfpe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGFPE);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void prepare_thread() {
  thread_local bool prepared = false;
  if (prepared) return;
  static const bool installed = (install_handler(), true);
  unblock_sigfpe();
  prepared = installed;
}

}  // namespace

bool run_unmasked(u32& mxcsr, void (*call)(void*), void* argument) {
  prepare_thread();
  if (sigsetjmp(t_trap.back, 0) != 0) {
    // The kernel has started the handler with a clean floating-point state.
    t_trap.armed = false;
    mxcsr = t_trap.mxcsr;
    unblock_sigfpe();  // the thread sanitizer calls handlers with everything blocked
    return false;
  }
  t_trap.armed = true;
  _mm_setcsr(mxcsr);
  call(argument);
  mxcsr = _mm_getcsr();
  _mm_setcsr(kMxcsrReset);
  t_trap.armed = false;
  return true;
}

}  // namespace rhea::x86::interp
