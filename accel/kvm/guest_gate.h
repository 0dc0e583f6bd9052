// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps every vCPU of a VM out of the guest for a moment, while the memory map under it is not
// whole.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

namespace rhea::kvm {

class KvmVcpu;

/// Closed while any Closure lives; closures nest and may come from any thread, vCPU threads out of
/// the guest too. A closed gate delays vCPUs only between exits: their handlers go on, and may take
/// any lock.
class GuestGate {
 public:
  class Closure {
   public:
    explicit Closure(GuestGate& gate) : gate_(&gate) { gate_->close(); }
    ~Closure() { gate_->open(); }
    Closure(const Closure&) = delete;
    Closure& operator=(const Closure&) = delete;

   private:
    GuestGate* gate_;
  };

  void add(KvmVcpu& vcpu);
  void remove(KvmVcpu& vcpu);
  void each(const std::function<void(KvmVcpu&)>& visit);
  /// The vCPU's thread waits here, out of the guest.
  void wait_open();

 private:
  void close();
  void open();

  std::mutex mutex_;
  std::condition_variable opened_;
  unsigned closures_{0};
  std::vector<KvmVcpu*> vcpus_;
};

}  // namespace rhea::kvm
