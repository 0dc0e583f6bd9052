// SPDX-License-Identifier: GPL-2.0-or-later
// The interrupt controllers that live in the kernel, as the rest of the machine reaches them.
#pragma once

#include "accel/kvm/irq_routing.h"
#include "accel/kvm/message_routes.h"

#include <array>

namespace rhea::kvm {

class KvmVcpu;

/// Where the interrupt controllers are.
enum class Irqchip : u8 {
  Kernel,  ///< all of them in the kernel (kernel-irqchip=on)
  Split,   ///< local APICs in the kernel, 8259s and I/O APIC in Rhea (kernel-irqchip=split)
  None,    ///< none in the kernel (kernel-irqchip=off)
};

/// Lines, messages and eventfds into the kernel's controllers. Under the machine's lock, but for
/// set_line and send_message, which any thread may call.
class Interrupts {
 public:
  Interrupts(Vm& vm, Irqchip irqchip);

  Irqchip irqchip() const { return irqchip_; }
  /// Makes the controllers: before there are vCPUs.
  Result<> set_up();
  /// Connects the machine's interrupt hub.
  void connect(InterruptHub& hub);

  /// Level of a global system interrupt of the kernel's controllers. Where the kernel says so, the
  /// result is how many processors it reached (0: it was pending already, negative: masked).
  int set_line(u32 gsi, bool level);
  bool send_message(const MsiMessage& message);
  IrqRouting& routing() { return routing_; }

  /// From now on the kernel raises `gsi` when `fd` is signalled. With `resample_fd` the line is
  /// level-triggered: it falls at the end of interrupt, and the kernel signals that descriptor
  /// then.
  Result<> add_irqfd(int fd, u32 gsi, int resample_fd = -1);
  Result<> remove_irqfd(int fd, u32 gsi);

 private:
  static constexpr u32 kIoApicPins = 24;
  Result<> create_kernel_chips();
  void route_changed(unsigned pin, const MsiMessage& message, bool masked);

  Vm* vm_;
  Irqchip irqchip_;
  IrqRouting routing_;
  KvmMessageRoutes routes_;
  bool line_status_;
};

}  // namespace rhea::kvm
