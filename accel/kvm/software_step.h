// SPDX-License-Identifier: GPL-2.0-or-later
// The instruction that KVM could not do, done by the software CPU.
#pragma once

#include "accel/kvm/software_bus.h"
#include "rhea/util/error.h"
#include "target/x86/cpu.h"
#include "target/x86/interp/step.h"

#include <string>
#include <vector>

namespace rhea::kvm {

/// Of one vCPU, on its thread and out of the guest, with no access unfinished: KVM has completed
/// the last one before it could fail at the next instruction.
class SoftwareStep {
 public:
  explicit SoftwareStep(KvmVcpu& vcpu);

  enum class Outcome : u8 {
    Done,
    Shutdown,  ///< the guest's processor has given up (triple fault)
    Unable,    ///< nothing has changed; why() tells
  };
  /// Executes the instruction at RIP, or, where events of the guest wait for their delivery, does
  /// that. `only_events`: just the latter.
  Result<Outcome> run(bool only_events);
  const std::string& why() const { return why_; }

  /// From any thread: a repeated string instruction is to stop soon.
  void interrupt() { cpu_.need_attention(x86::Attention::Exit); }

 private:
  Result<> read(x86::CpuState& state);
  bool execute(bool only_events);
  bool execute_instruction();
  bool unable(std::string why);
  bool beyond(x86::Fetched& fetched);
  void report(const x86::Insn& insn);

  KvmVcpu* vcpu_;
  x86::CpuModel model_;
  x86::FeatureSet offered_;  ///< to the guest, whether or not the software CPU has them
  SoftwareBus bus_;
  x86::Cpu cpu_;
  std::vector<u32> msrs_;       ///< that are the core's
  std::vector<bool> reported_;  ///< by row of the instruction table
  std::string why_;
};

}  // namespace rhea::kvm
