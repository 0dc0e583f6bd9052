// SPDX-License-Identifier: GPL-2.0-or-later
// -icount: virtual time is what has been executed, and processors take turns.
#pragma once

#include "accel/icount.h"
#include "target/x86/cpu.h"

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace rhea::jit {

class JitVcpu;
class Vm;

/// What runs depends on nothing but what has run: one processor executes at a time, each for at
/// most kQuantum instructions; timers fire between two instructions, on the thread of the processor
/// whose turn it is; when all sleep, time goes on to the next timer. Only the members that say so
/// may be called by a thread whose processor has not the turn.
class Turns {
 public:
  static constexpr u64 kQuantum = 20'000;

  Turns(Vm& vm, accel::InstructionCount::Settings settings);

  /// Any processor: waits until it has the turn, or is asked to leave the guest: then false.
  bool take(JitVcpu& vcpu);
  /// Fires the timers that are due. How many instructions may be executed before it must be called
  /// again; 0: something happened that must be looked at first.
  u64 begin(JitVcpu& vcpu);
  /// An instruction has been executed.
  void count() { ++executed_; }
  /// Any processor: where it has the turn, the time that devices see is brought up to date.
  void show_time(const JitVcpu& vcpu);
  /// The processor sleeps (HLT, or not started): others have their turn; without any, time passes.
  /// Returns when it has been woken or is to leave.
  void sleep(JitVcpu& vcpu);
  /// Any thread: a processor has got something to look at.
  void notify();
  u64 executed() const { return executed_; }

 private:
  i64 now() const { return start_ns_ + static_cast<i64>((executed_ - start_) << settings_.shift); }
  /// Gives the turn to the next that is awake; false: there is none but perhaps `from`.
  bool pass(JitVcpu& from);
  void idle(JitVcpu& vcpu);
  void fire(JitVcpu& vcpu, i64 until);
  void restart_from(i64 ns);

  Vm* vm_;
  Clock* clock_;
  accel::InstructionCount::Settings settings_;
  u64 executed_{0};
  u64 turn_ends_{kQuantum};  ///< the value of executed_ at which others may have their turn
  u64 start_{0};             ///< executed_ when virtual time was start_ns_
  i64 start_ns_{0};
  i64 shown_{0};  ///< what the clock was set to; anything else came with a snapshot
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<unsigned> holder_{0};
};

}  // namespace rhea::jit
