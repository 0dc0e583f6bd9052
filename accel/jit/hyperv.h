// SPDX-License-Identifier: GPL-2.0-or-later
// Microsoft's hypervisor interface on the software CPU: its model-specific registers (TLFS,
// appendix C).
#pragma once

#include "rhea/util/types.h"

#include <mutex>
#include <vector>

namespace rhea {
class Machine;
}  // namespace rhea

namespace rhea::jit {

class JitVcpu;

/// The processors of a machine as one partition. Each calls on its own thread, outside its
/// RcuGuard.
class HypervPartition {
 public:
  explicit HypervPartition(Machine& machine) : machine_(&machine) {}

  static bool has_msr(const JitVcpu& vcpu, u32 index);
  /// False: #GP(0).
  bool read(JitVcpu& vcpu, u32 index, u64& value);
  bool write(JitVcpu& vcpu, u32 index, u64 value);
  /// A processor's IA32_TSC has been written: the page that tells of it is wrong from now on.
  void time_stamp_moved();
  void reset();

 private:
  u64 reference_time() const;
  void set_hypercall(u64 value);
  void set_reference_tsc(JitVcpu& vcpu, u64 value);
  void set_assist_page(JitVcpu& vcpu, u64 value);
  u64& assist_page(const JitVcpu& vcpu);

  Machine* machine_;
  std::mutex mutex_;  ///< of what follows; not held while memory is written
  u64 guest_os_id_{}, hypercall_{}, reference_tsc_{};
  std::vector<u64> assist_pages_;  ///< by the processor's index
};

}  // namespace rhea::jit
