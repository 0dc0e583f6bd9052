// SPDX-License-Identifier: GPL-2.0-or-later
// A machine with RAM, ports and software processors, for a few bytes of real-mode code.
#pragma once

#include "accel/jit/vcpu.h"
#include "accel/jit/vm.h"
#include "rhea/softmmu/machine.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

namespace rhea::test {

/// Code starts at 0x1000 (one processor behind the other, 0x1000 bytes each) with segments of base
/// 0. What it writes to port 0x80 is kept; a write to port 0x81 counts a processor as done.
class JitGuest {
 public:
  using Counting = std::optional<accel::InstructionCount::Settings>;
  /// With `counting`, time is what has been executed (-icount). `model` is -cpu's argument.
  explicit JitGuest(unsigned cpus = 1, Counting counting = {}, const char* model = "qemu64");
  ~JitGuest();
  JitGuest(const JitGuest&) = delete;
  JitGuest& operator=(const JitGuest&) = delete;

  static constexpr u64 code_of(unsigned cpu) { return u64{0x1000} * (cpu + 1); }
  void load(std::initializer_list<u8> code, unsigned cpu = 0);
  void start();
  void pause();
  void resume();
  /// Whether `processors` of them have said that they are done, before the time is over.
  bool wait_done(unsigned processors = 1);
  /// Whether port 0x80 has been written `count` times or more.
  bool wait_written(std::size_t count);
  /// Whether the boot processor has come to a HLT; the machine runs on.
  bool wait_halted();
  std::vector<u8> written();
  std::size_t written_count();

  Machine& machine() { return machine_; }
  jit::Vm& vm() { return *vm_; }
  jit::JitVcpu& vcpu(unsigned cpu = 0) { return *vcpus_[cpu]; }
  u8* memory() { return ram_.host(); }

 private:
  void write(u64 offset, u64 value, unsigned size);
  u64 read(u64 offset, unsigned size);
  bool wait(const std::function<bool()>& condition);

  Machine machine_;
  Region ram_, ports_;
  std::unique_ptr<jit::Vm> vm_;
  std::vector<std::unique_ptr<jit::JitVcpu>> vcpus_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<u8> written_;
  unsigned done_{0};
};

/// Waits until it is so, for ten seconds at most; whether it is.
bool eventually(const std::function<bool()>& condition);

}  // namespace rhea::test
