// SPDX-License-Identifier: GPL-2.0-or-later
#include "accel/kvm/message_routes.h"

#include "accel/kvm/vm.h"

namespace rhea::kvm {

Result<u32> KvmMessageRoutes::add(int fd, const MsiMessage& message) {
  IrqRouting& routing = interrupts_->routing();
  const u32 route = TRY(routing.add_message(message));
  auto result = routing.commit();
  // A signal that waits in the descriptor is sent by this.
  if (result) result = interrupts_->add_irqfd(fd, route);
  if (result) return route;
  routing.remove(route);
  vm_->warn_once(
      "irqfd", fmt::format("{}: interrupts of eventfds go through Rhea", result.error().message()));
  return std::unexpected(std::move(result).error());
}

void KvmMessageRoutes::change(u32 route, const MsiMessage& message) {
  if (interrupts_->routing().set_message(route, message)) commit();
}

// The kernel first: it must not send what another vector's route says.
void KvmMessageRoutes::remove(u32 route, int fd) {
  if (auto result = interrupts_->remove_irqfd(fd, route); !result)
    vm_->warn_once("irqfd", result.error().message());
  interrupts_->routing().remove(route);
  commit();
}

void KvmMessageRoutes::commit() {
  if (auto result = interrupts_->routing().commit(); !result)
    vm_->warn_once("routing", result.error().message());
}

}  // namespace rhea::kvm
