// SPDX-License-Identifier: GPL-2.0-or-later
// A thread's sleep on a word of flags that other threads change.
//
// Linux's futex and nothing else. std::atomic::wait gives the processor away several times before
// it sleeps, and on a loaded host each time costs a time slice of somebody else: a processor's HLT
// ended milliseconds late.
#pragma once

#include "rhea/util/types.h"

#include <atomic>

namespace rhea {

/// For one sleeping thread and one word; wake() may come from any thread.
class Sleeper {
 public:
  /// Sleeps while `word` is `value`; may return early. Words are changed with sequential
  /// consistency.
  void wait(const std::atomic<u32>& word, u32 value);
  /// After a change of the word. A system call only when somebody sleeps.
  void wake(const std::atomic<u32>& word) {
    if (asleep_.load(std::memory_order_seq_cst)) [[unlikely]]
      wake_up(word);
  }

 private:
  static void wake_up(const std::atomic<u32>& word);

  std::atomic<bool> asleep_{false};
};

}  // namespace rhea
