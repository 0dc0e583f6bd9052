// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/sleeper.h"

#include "rhea/util/rcu.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace rhea {

// Either the sleeper's look at the word, which the kernel repeats under its lock, sees the change,
// or the one who made it sees that there is a sleeper.
void Sleeper::wait(const std::atomic<u32>& word, u32 value) {
  assert_outside_rcu();
  asleep_.store(true, std::memory_order_seq_cst);
  if (word.load(std::memory_order_seq_cst) == value)
    ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
  asleep_.store(false, std::memory_order_relaxed);
}

void Sleeper::wake_up(const std::atomic<u32>& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace rhea
