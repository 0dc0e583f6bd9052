// SPDX-License-Identifier: GPL-2.0-or-later
// Eventfds that send messages: KVM_IRQFD with a route of their own each.
#pragma once

#include "rhea/softmmu/interrupt.h"

namespace rhea::kvm {

class Interrupts;
class Vm;

class KvmMessageRoutes final : public MessageRoutes {
 public:
  KvmMessageRoutes(Vm& vm, Interrupts& interrupts) : vm_(&vm), interrupts_(&interrupts) {}
  Result<u32> add(int fd, const MsiMessage& message) override;
  void change(u32 route, const MsiMessage& message) override;
  void remove(u32 route, int fd) override;

 private:
  void commit();

  Vm* vm_;
  Interrupts* interrupts_;
};

}  // namespace rhea::kvm
