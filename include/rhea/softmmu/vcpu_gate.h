// SPDX-License-Identifier: GPL-2.0-or-later
// Holds vCPUs back until a host peer has room, for devices whose guests cannot ask for it.
#pragma once

#include "rhea/softmmu/vcpu.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

namespace rhea {

/// A closed gate keeps the vCPUs that came to it out of the guest. They wait on their own threads,
/// without any lock, and still serve what others ask of them: run_on() within milliseconds,
/// request_stop() within a tenth of a second. That often a held vCPU goes on a step, so whoever
/// closes a gate must have room for a little more. Thread-safe.
class VcpuGate {
 public:
  VcpuGate() : state_(std::make_shared<State>()) {}
  /// Lets everyone through.
  ~VcpuGate() { open(); }
  VcpuGate(const VcpuGate&) = delete;
  VcpuGate& operator=(const VcpuGate&) = delete;

  /// Closes the gate in front of the vCPU whose thread this is, which meets it before it goes on
  /// with the guest. On other threads: nothing.
  void hold_back();
  void open();

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable opened;
    bool closed{false};
    std::vector<const Vcpu*> held;
  };
  static void pass(const std::shared_ptr<State>& state, Vcpu& vcpu, int slices);

  std::shared_ptr<State> state_;  ///< outlives the gate while a vCPU is at it
};

}  // namespace rhea
