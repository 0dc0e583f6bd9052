// SPDX-License-Identifier: GPL-2.0-or-later
// Guest writes that the kernel turns into eventfd signals without leaving the guest.
#pragma once

#include "rhea/softmmu/address_space.h"

namespace rhea::kvm {

class Vm;

/// Follows the eventfds of one address space, memory or ports. What KVM refuses stays an ordinary
/// exit.
class EventFds final : public MemoryListener {
 public:
  enum class Space : u8 { Memory, Ports };
  EventFds(Vm& vm, Space space) : vm_(&vm), space_(space) {}
  void eventfd_add(u64 address, const IoEventFd& eventfd) override;
  void eventfd_del(u64 address, const IoEventFd& eventfd) override;

 private:
  bool assign(u64 address, const IoEventFd& eventfd, unsigned size, bool on);
  bool assign_any_size(u64 address, const IoEventFd& eventfd, bool on);

  Vm* vm_;
  Space space_;
};

}  // namespace rhea::kvm
